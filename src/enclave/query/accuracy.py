"""How much noise may stand beside each number, when it is said in the units of the answer?

`accuracy=50, confidence=0.95` asks for the smallest price at which the noise of every number stays within ±50 in at least
95 of 100 answers. It is of the noise only, and promised only for counts and sums: how far a mean, a ratio or a quantile
moves depends on the private rows under it, so no price from text alone delivers it (design §4).

Of a mean it is estimated, where a profile was bought: for a group of average size, N rows by the paid histograms. With e the
noise of Σ(x − mid), f that of the count and h half the range of x, the mean moves by (|e| + h|f|) / (N − |f|) at most; they
are kept within r and r/h, r = aNh / (2h + a), each in all but half of the cases that may miss: then it is within a.
Of a quantile of a bare column so too, where its own histogram was bought (`ranks`); the ends of its interval stand in the
proportion to the number that they have at a price.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.catalogue.profile import Profile
from enclave.errors import BadInput, Refused
from enclave.query import advised, mechanisms, ranks, scaled
from enclave.query.plan import Aggregate, Measure, Plan
from enclave.query.tally import Side, Tally

DECIMAL = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?|\.[0-9]{1,9}")
LEAST_CONFIDENCE, MOST_CONFIDENCE = Fraction(1, 2), Fraction(999_999, 1_000_000)
USUAL = "0.95"
TOTALS = (Measure.ROWS, Measure.PERSONS, Measure.KEYS, Measure.SUM, Measure.VALUES)
"""What an accuracy can be promised for."""


@dataclass(frozen=True)
class Accuracy:
    """Within how much, and how surely."""

    within: Fraction
    confidence: Fraction

    @property
    def miss(self) -> Fraction:
        return 1 - self.confidence


def wanted(epsilon: str | None, accuracy: str | None, confidence: str | None) -> Accuracy | None:
    """What was typed; None where the question says ε instead. BadInput when it is no such number, or says both."""
    if accuracy is None:
        if confidence is not None:
            raise BadInput("query.confidence_alone")
        return None
    if epsilon is not None:
        raise BadInput("query.epsilon_or_accuracy")
    within, sure = _decimal(accuracy, "accuracy"), _decimal(confidence or USUAL, "confidence")
    if within == 0:
        raise BadInput("query.bad_accuracy", what="accuracy")
    if not LEAST_CONFIDENCE <= sure <= MOST_CONFIDENCE:
        raise BadInput("query.bad_confidence", least=str(float(LEAST_CONFIDENCE)), most=str(float(MOST_CONFIDENCE)))
    return Accuracy(within, sure)


def _decimal(written: str, what: str) -> Fraction:
    text = str(written).strip()
    if not text.isascii() or not DECIMAL.fullmatch(text):
        raise BadInput("query.bad_accuracy", what=what)
    return Fraction(text)


def check_promised(plan: Plan, profile: Profile | None) -> None:
    """Refuses an accuracy for what no price from text alone can deliver, and nothing paid can estimate."""
    other = next((a for a in plan.aggregates if a.measure not in TOTALS and not _can_estimate(plan, a, profile)), None)
    if other is not None:
        raise Refused("query.accuracy_of_others", column=other.name)
    reckoned = next((o for o in plan.outputs if o.plain is None), None)
    if reckoned is not None:
        raise Refused("query.accuracy_of_others", column=reckoned.name)


def _can_estimate(plan: Plan, aggregate: Aggregate, profile: Profile | None) -> bool:
    """Of how many rows a mean is, and how closely the values around a quantile lie, only what was bought tells."""
    if profile is None or advised.rows_of(plan, profile) is None:
        return False
    if aggregate.measure is Measure.QUANTILE:
        return ranks.told_by(plan, aggregate.term, profile) is not None
    return aggregate.measure is Measure.MEAN


def scales(plan: Plan, moved: Sequence[Tally], accuracy: Accuracy, profile: Profile | None) -> list[int]:
    """Of every tally the largest scale whose noise stays within the accuracy: it costs the least."""
    radius = mechanisms.laplace_radius if plan.pure else mechanisms.noise_radius
    halves = {t.aggregate: Fraction(t.factor * WEIGHT_ONE) / t.unit for t in moved if is_centred(plan, t)}
    found, borne = [], dict[int, int]()
    for tally in moved:
        at = tally.aggregate
        if tally.bins is not None and profile is not None:
            borne[at] = borne.get(at) or _of_quantile(plan, tally, accuracy, profile)
            found.append(_of_side(borne[at], tally.side, pure=plan.pure))
            continue
        half = halves.get(at)
        if half is None or profile is None:
            found.append(_scale(radius, int(accuracy.within * tally.unit), accuracy.miss, accuracy))
        else:
            within = _of_mean(accuracy.within, half, Fraction(advised.rows_kept(plan, tally, profile) or 1))
            within /= half if tally.counts else 1
            found.append(_scale(radius, int(within * tally.unit), accuracy.miss / 2, accuracy))
    return found


def is_centred(plan: Plan, tally: Tally) -> bool:
    """The sum of a mean, from the middle of its bounds."""
    return plan.aggregates[tally.aggregate].measure is Measure.MEAN and not tally.counts


def is_estimated(plan: Plan, tally: Tally) -> bool:
    """What an accuracy was estimated of: a mean, or a quantile but for the ends of its interval."""
    return is_centred(plan, tally) or (tally.bins is not None and not tally.side)


def _of_quantile(plan: Plan, tally: Tally, accuracy: Accuracy, profile: Profile) -> int:
    """What its quantiles bear."""
    rows = advised.rows_kept(plan, tally, profile) or 1.0
    found = ranks.widest(plan, tally, accuracy.within, accuracy.miss, rows, profile)
    if found < 1:
        raise Refused("query.accuracy_too_fine", accuracy=str(float(accuracy.within)))
    return found


def _of_side(scale: int, side: Side | None, *, pure: bool) -> int:
    """Of an end of an interval as much more than of the number as its share of a price is less."""
    if not side:
        return scale
    choices = scaled.PURE_CHOICES if pure else scaled.CHOICES
    cheaper = Fraction(choices[Side.POINT], choices[side])
    return int(scale * cheaper) if pure else math.isqrt(int(scale * scale * cheaper))


def _of_mean(within: Fraction, half: Fraction, rows: Fraction) -> Fraction:
    """r of the module's argument, in units of the value."""
    return within * rows * half / (2 * half + within)


def _scale(radius: Callable[[int, Fraction], int], most: int, miss: Fraction, accuracy: Accuracy) -> int:
    """The largest scale whose noise reaches no further than `most`, by `radius`, which grows with the scale."""
    if radius(1, miss) > most:
        raise Refused("query.accuracy_too_fine", accuracy=str(float(accuracy.within)))
    low, high = 1, 2
    while radius(high, miss) <= most:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        fits = radius(middle, miss) <= most
        low, high = (middle, high) if fits else (low, middle)
    return low
