"""How likely is a value this large, if nothing but chance were at work? Normal and χ², without a library of statistics."""

from __future__ import annotations

import math
from statistics import NormalDist


def normal_quantile(confidence: float) -> float:
    """How many standard deviations a two-sided interval of that confidence reaches."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def reach(confidence: float, *, laplace: bool) -> float:
    """The same for noise and sampling together. Where noise is Laplace it is the larger of the two laws' own, which every
    sum of independent normal and Laplace parts keeps (a test tries hundreds); for a single cell it is the very one."""
    normal = normal_quantile(confidence)
    return max(normal, -math.log1p(-confidence) / math.sqrt(2)) if laplace else normal


def normal_p(z: float) -> float:
    """P[|Z| ≥ |z|]."""
    return math.erfc(abs(z) / math.sqrt(2))


def beyond_p(z: float, *, laplace: bool) -> float:
    """How likely z standard deviations or more are: the inverse of `reach`."""
    return max(normal_p(z), math.exp(-math.sqrt(2) * abs(z))) if laplace else normal_p(z)


def chi_square_p(statistic: float, freedom: int) -> float:
    """P[χ² ≥ statistic]. From Q(½, h) = erfc √h or Q(1, h) = e⁻ʰ upwards by Q(a+1, h) = Q(a, h) + hᵃe⁻ʰ/Γ(a+1), h half
    of the statistic (Abramowitz and Stegun 6.5.21); every term is positive, so nothing cancels."""
    if freedom < 1:
        raise ValueError("a χ² has at least one degree of freedom")
    if statistic <= 0:
        return 1.0
    half, a = statistic / 2, 0.5 if freedom % 2 else 1.0
    p = math.erfc(math.sqrt(half)) if freedom % 2 else math.exp(-half)
    while a < freedom / 2:
        p += math.exp(a * math.log(half) - half - math.lgamma(a + 1))
        a += 1
    return min(p, 1.0)
