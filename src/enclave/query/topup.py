"""What more must be drawn of a question that was answered before, less exactly?

A question asked again at a larger ρ pays the difference: a second draw of noise at the difference, combined with the first
by inverse variance, has the variance of one draw at the whole ρ. That is true of discrete Gaussian noise on public keys
under the same plan, extract, policy, norm and clip (one `topic`) and of nothing else: a choice cannot be averaged, an
unknown key that was kept is a biased key, and Laplace noise falls short. So a topic exists only for such questions, and it
names every clip but the advisor's: a topped-up answer keeps the clips it began with. Where the advisor would choose
others now, what is held is used only where it serves nearly as well at the whole ρ (`serves`): else the question is a new
one, and paid in full. Sums and counts are combined, never quotients of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from hashlib import sha256
from math import isqrt, lcm

from enclave.errors import Refused
from enclave.query import mechanisms, price, scaled
from enclave.query.advised import Precision, expected, joined, per_sensitivity
from enclave.query.answer import Executed, Totals, execute, packed, shown
from enclave.query.bounds import tallies
from enclave.query.draw import COARSEST, Draw
from enclave.query.emit import emitted
from enclave.query.price import Priced, answer_key

ONLY = "discrete_gaussian"
WORSE = 1.25
"""How much larger the estimated error under the first clips may be before a new answer is worth its price."""


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
    clips: tuple[int, ...] = ()
    """C of each mechanism; () for those of the policy, from before there was an advisor."""

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
    if any(draw.mechanism != ONLY for draw in priced.draws):
        return ""
    moved, statements = tuple(draw.tally for draw in priced.draws), priced.statements
    if any(tally.norm.advised or tally.part in scaled.PARTS_OF_PRICE for tally in moved):
        moved = tallies(priced.plan)
        statements = emitted(priced.plan, moved)
    bare = tuple(Draw(tally, scale=1, rho=0) for tally in moved)
    found = answer_key(priced.plan, replace(priced.dataset, profile=None), statements, bare)
    in_parts = scaled.paired(priced.plan, moved)
    if len(in_parts) > len(moved):  # under which norm its groups are told is no choice of the advisor's
        found = sha256(f"{found} {[tally.norm.column for tally in in_parts]}".encode()).hexdigest()
    return found


def under(priced: Priced, held: Held) -> Priced | None:
    """The same question under the clips of what is held; None where that cannot be asked."""
    moved = tallies(priced.plan)
    clips = held.clips or tuple(tally.norm.clip for tally in moved)
    if clips == priced.clips:
        return priced
    if len(clips) not in (len(moved), len(scaled.paired(priced.plan, moved))):
        return None
    try:
        return price.priced(priced.sql, priced.plan, priced.dataset, priced.asked, clips)
    except Refused:
        return None


def serves(held: Held, same: Priced, fresh: Priced) -> bool:
    """Is what is held, at the question's ρ under its own clips (`same`), estimated to be hardly worse (`WORSE`) than a new
    answer under those the advisor would choose now (`fresh`)?"""
    profile = fresh.dataset.profile
    if same is fresh or profile is None:
        return True
    draws = zip(held.mechanisms, same.draws, strict=True)
    whole = tuple(per_sensitivity(max(sum(p.rho for p in parts), draw.rho)) for parts, draw in draws)
    new = tuple(per_sensitivity(draw.rho) for draw in fresh.draws)
    mine = _expected(same, whole)
    theirs = _expected(fresh, new)
    told = [a / b for a, b in zip(mine, theirs, strict=True) if b > 0]
    return sum(told) <= WORSE * len(told)


def _expected(priced: Priced, noise: tuple[float, ...]) -> tuple[float, ...]:
    """The estimated error of each number, in whichever parts it is told."""
    moved, profile = tuple(draw.tally for draw in priced.draws), priced.dataset.profile
    return joined(priced.plan, moved, expected(priced.plan, moved, profile, Precision(noise))) if profile else ()


def covers(held: Held, priced: Priced) -> bool:
    """True when every mechanism was drawn at its price in this question, under its clips, as nearly as scales allow."""
    return held.fits(priced) and all(
        _reaches(parts, draw) for parts, draw in zip(held.mechanisms, priced.draws, strict=True)
    )


def _reaches(parts: tuple[Part, ...], draw: Draw) -> bool:
    """Scales are whole numbers: what was drawn last may have cost a little less than was wanting, and the next finer scale
    would have cost more than that. Such a remainder is none, or the question asked again would be drawn, and paid, again.
    """
    left = draw.rho - sum(part.rho for part in parts)
    finer = parts[-1].scale - 1
    return left <= 0 or (finer > 0 and left < mechanisms.price(finer, draw.tally.sensitivity) - parts[-1].rho)


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
    clips = tuple(draw.tally.norm.clip for draw in draws)
    return Held(tuple((*parts, part) for parts, part in zip(before, new, strict=True)), clips)


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


def body_of(priced: Priced, held: Held) -> bytes:
    """The answer that follows from what is held, in the shape the question has now."""
    made = [combined(parts) for parts in held.mechanisms]
    whole = tuple(replace(draw, scale=scale) for draw, (scale, _) in zip(priced.draws, made, strict=True))
    return packed(priced.plan, shown(priced, whole, [totals for _, totals in made]))


def execute_more(priced: Priced, held: Held, draws: tuple[Draw, ...], engine: Totals) -> tuple[Executed, Held | None]:
    """The answer at the whole ρ from what is held and `draws`, charged at the difference; never raises, as `execute`."""
    done = execute(replace(priced, draws=draws), engine)
    all_held = kept(draws, done, held)
    if all_held is None:
        return done, None
    try:
        return replace(done, body=body_of(priced, all_held)), all_held
    except Exception:  # noqa: BLE001 - after the charge nothing may show; the difference alone is an answer in its shape
        return replace(done, incident=True), None
