"""What more must be drawn of a question that was answered before, less exactly?

A question asked again at a larger ρ pays the difference: a second draw of noise at the difference, combined with the first
by inverse variance, has the variance of one draw at the whole ρ. That is true of discrete Gaussian noise on public keys
under the same plan, extract, policy, norm and clip (one `topic`) and of nothing else: a choice cannot be averaged, an
unknown key that was kept is a biased key, and Laplace noise falls short. So a topic exists only for such questions, and it
names the clip: a topped-up answer keeps the one it began with. Sums and counts are combined, never quotients of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import isqrt, lcm

from enclave.query import mechanisms
from enclave.query.answer import Executed, Totals, execute, packed, released
from enclave.query.price import COARSEST, Draw, Priced, answer_key

ONLY = "discrete_gaussian"


@dataclass(frozen=True)
class Part:
    """One draw of one mechanism: its scale, its price in nano-rho, the noisy totals as they came."""

    scale: int
    rho: int
    vector: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.scale < 1 or self.rho < 1:
            raise ValueError("a draw has a scale and a price, each at least 1")

    @property
    def precision(self) -> Fraction:
        return Fraction(1, self.scale * self.scale)


@dataclass(frozen=True)
class Held:
    """All that was ever drawn for a question: of each of its mechanisms the parts, oldest first. Broker-side only."""

    mechanisms: tuple[tuple[Part, ...], ...]

    @property
    def rho(self) -> int:
        """What it cost."""
        return sum(part.rho for parts in self.mechanisms for part in parts)

    def fits(self, priced: Priced) -> bool:
        """True when these can be the draws of that question: as many, and all vectors of a mechanism as long."""
        lengths = [{len(part.vector) for part in parts} for parts in self.mechanisms]
        return len(lengths) == len(priced.draws) and all(len(length) == 1 for length in lengths)


def topic(priced: Priced) -> str:
    """What questions share that differ in ρ alone; "" for those that cannot be topped up."""
    if any(card.mechanism != ONLY for card in priced.quote.mechanisms):
        return ""
    bare = tuple(replace(draw, scale=1, rho=0) for draw in priced.draws)
    return answer_key(priced.plan, priced.dataset, priced.statements, bare)


def covers(held: Held, priced: Priced) -> bool:
    """True when every mechanism was drawn at no less than its price in this question."""
    return held.fits(priced) and all(
        sum(part.rho for part in parts) >= draw.rho for parts, draw in zip(held.mechanisms, priced.draws, strict=True)
    )


def wanting(held: Held, priced: Priced) -> tuple[Draw, ...] | None:
    """The draws that bring what is held to this question's ρ, at the price of the difference; None when there are none."""
    if not held.fits(priced):
        return None
    draws = []
    for parts, draw in zip(held.mechanisms, priced.draws, strict=True):
        left = draw.rho - sum(part.rho for part in parts)
        scale = mechanisms.scale_for(left, draw.tally.sensitivity) if left > 0 else COARSEST + 1
        if scale > COARSEST:
            return None
        draws.append(Draw(draw.tally, scale, mechanisms.price(scale, draw.tally.sensitivity)))
    return tuple(draws)


def kept(draws: tuple[Draw, ...], done: Executed, held: Held | None = None) -> Held | None:
    """What the project holds after `done`; None after an incident, whose numbers are never given again."""
    if done.incident or len(done.noisy) != len(draws):
        return None
    before = held.mechanisms if held else ((),) * len(draws)
    new = [Part(draw.scale, draw.rho, tuple(vector)) for draw, vector in zip(draws, done.noisy, strict=True)]
    return Held(tuple((*parts, part) for parts, part in zip(before, new, strict=True)))


def combined(parts: tuple[Part, ...]) -> tuple[int, list[int]]:
    """The scale of the noise of the combination, rounded up, and the totals combined by inverse variance.

    One step of the lattice is added to the scale: it stands for the rounding of the totals and keeps the interval of a
    weighted sum of discrete draws at or above its confidence."""
    if len(parts) == 1:
        return parts[0].scale, list(parts[0].vector)
    precision = sum((part.precision for part in parts), Fraction(0))
    weights = [part.precision / precision for part in parts]
    shared = lcm(*(weight.denominator for weight in weights))
    whole = [int(weight * shared) for weight in weights]
    vectors = zip(*(part.vector for part in parts), strict=True)
    totals = [(2 * sum(w * v for w, v in zip(whole, at, strict=True)) + shared) // (2 * shared) for at in vectors]
    variance = 1 / precision
    return isqrt(-(-variance.numerator // variance.denominator)) + 2, totals


def execute_more(priced: Priced, held: Held, draws: tuple[Draw, ...], engine: Totals) -> tuple[Executed, Held | None]:
    """The answer at the whole ρ from what is held and `draws`, charged at the difference; never raises, as `execute`."""
    done = execute(replace(priced, draws=draws), engine)
    all_held = kept(draws, done, held)
    if all_held is None:
        return done, None
    try:
        made = [combined(parts) for parts in all_held.mechanisms]
        whole = tuple(replace(draw, scale=scale) for draw, (scale, _) in zip(priced.draws, made, strict=True))
        columns = released(priced.plan, whole, [totals for _, totals in made])
        return replace(done, body=packed(priced.plan, columns)), all_held
    except Exception:  # noqa: BLE001 - after the charge nothing may show; the difference alone is an answer in its shape
        return replace(done, incident=True), None
