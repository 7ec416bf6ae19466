"""How much may a clip have taken from a number, at most?

Somebody with norm n > C loses the share 1 − C/n of their rows, and has no more than n of them in any one group. So no
group lost more than Σ(n − C)⁺ over all persons: with each bin's persons at its upper edge, and the noise of their numbers
against us (95 %, for all clips of the ladder together, since the clip was chosen after the noise). Nor did it lose more
than E/C − 1 times what was kept of it, E being the last edge. Nothing paid tells how far beyond the last edge (eight times
the policy's clip) a person lies: where persons beyond it stand clear of the noise nothing is said, and what is said is
said of persons up to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

from enclave.catalogue.profile import Histogram
from enclave.profile.advisor import curve_of
from enclave.profile.bins import octaves

MISS = 0.05


@dataclass(frozen=True)
class Clipping:
    """What clipping took."""

    most: float
    """From any one group at most so much, in the unit of the norm; for distinct persons, so many of them."""
    times: float
    """And at most so many times what was kept of the group."""
    about: float | None
    """Estimated: which share of everything was weighed away. None where the profile is too faint."""


NOTHING = Clipping(0.0, 0.0, 0.0)
"""Where each person's vector is at most 1 long by itself."""


@lru_cache(maxsize=4096)
def clipping(histogram: Histogram, clip: int, *, persons: bool = False, squared: bool = False) -> Clipping | None:
    """What clipping this norm at `clip` took; None where the last edge is too low to say. `persons`: of each group a
    person is at most one. `squared`: of distinct values under the root of their number, clipped at clip²."""
    uppers = (*histogram.edges, histogram.edges[-1])
    taken = [_taken(upper, clip, persons=persons, squared=squared) for upper in uppers]
    surely = NormalDist().inv_cdf(1 - MISS / len(octaves(histogram.edges[0], histogram.edges[-1], 4)))
    if histogram.persons[-1] > surely * histogram.noise:
        return None
    far = surely * histogram.noise * math.hypot(*taken)
    most = sum(t * p for t, p in zip(taken, histogram.persons, strict=True)) + far
    curve = curve_of(histogram)
    about = curve.at(clip) / curve.whole if curve is not None and curve.whole > 0 else None
    return Clipping(max(most, 0.0), max(uppers[-1] / clip, 1.0) ** (2 if squared else 1) - 1, about)


def _taken(norm: int, clip: int, *, persons: bool, squared: bool) -> float:
    if norm <= clip:
        return 0.0
    if squared:
        return float(norm * norm - clip * clip)
    return 1 - clip / norm if persons else float(norm - clip)
