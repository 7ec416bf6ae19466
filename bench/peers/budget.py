"""What share of one total (ε, δ) does a question get, as each peer counts?

It is the whole suite that is asked: every question of it has an equal share of the same total, on every side, whether a peer
can express the others or not. What it cannot express it cannot answer, but whoever needs the answer must leave room for it;
and so each form is held against each peer at the same share. Ours pays the profile first. A mean is one question with two
noisy numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

from bench.peers.registry import Accounting, Peer
from bench.peers.shapes import Shape

from enclave.query import mechanisms

EPSILON = "1"
TWO_NUMBERS = ("mean", "per_person")

Budget = dict[str, float]


def numbers(shape: Shape) -> int:
    """How many noisy numbers stand behind one cell."""
    return 2 if shape.words.measure in TWO_NUMBERS else 1


def share_of(peer: Peer, shape: Shape, asked: Sequence[Shape], delta: str) -> Budget:
    """Of the total, for `shape`, one of `asked`: all of the suite."""
    epsilon, count = float(EPSILON), len(asked)
    match peer.accounting:
        case Accounting.ZCDP:
            return {"rho": mechanisms.rho_for(EPSILON, delta) / count / mechanisms.NANO}
        case Accounting.COLUMNS:
            return {"epsilon": epsilon / sum(numbers(s) for s in asked), "delta": float(delta)}
        case Accounting.SEQUENTIAL:
            return {"epsilon": epsilon / count, "delta": float(delta) / count}
        case Accounting.GAUSSIANS:
            multiplier = multiplier_of(epsilon, float(delta)) * math.sqrt(count * numbers(shape))
            return {"multiplier": multiplier, "delta": float(delta), "epsilon": classic(float(delta)) / multiplier}


def classic(delta: float) -> float:
    """√(2 ln(1.25/δ)): the noise multiplier Qrlew takes for ε is this over ε (Dwork and Roth 2014, appendix A)."""
    return math.sqrt(2 * math.log(1.25 / delta))


def delta_of(multiplier: float, epsilon: float) -> float:
    """δ of one Gaussian with this noise over its l2 sensitivity, exactly (Balle and Wang 2018, theorem 8)."""
    normal = NormalDist()
    shift, tilt = 1 / (2 * multiplier), epsilon * multiplier
    return normal.cdf(shift - tilt) - math.exp(epsilon) * normal.cdf(-shift - tilt)


def multiplier_of(epsilon: float, delta: float) -> float:
    """The least noise multiplier of one Gaussian that is (ε, δ); k of them with √k times it are so together."""
    low, high = 1e-3, 1.0
    while delta_of(high, epsilon) > delta:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if delta_of(middle, epsilon) > delta else (low, middle)
    return high
