"""What may be asked where a project is counted in pure ε, and at which scale?

Every mechanism is the discrete Laplace, or a choice by permute-and-flip, under an l1 norm: the person's rows (`unit_rows`),
the person's Σ|x|, the person's distinct values, or what the question itself adds up of the person (`exact`). So keys that
are found with a δ are refused, and no advisor chooses a clip: it reckons with normal noise. ε of the question is split
evenly; each number takes the smallest whole scale whose OpenDP price fits its share, or the largest whose noise stays within
an accuracy (`accuracy`: the tails are known exactly; of means and quantiles it is estimated from the paid profile, which
every researcher is shown and the register has paid for), and the question costs the sum of those prices, in whole
nano-epsilon.

The person register goes on being counted in ρ: what is ε-DP is ε²/2-zCDP (Bun and Steinke 2016, proposition 1.4).
"""

from __future__ import annotations

from fractions import Fraction

from enclave.errors import Refused
from enclave.query import mechanisms
from enclave.query.plan import Plan


def check_pure(plan: Plan) -> None:
    """Refused, in words, what pure ε cannot have."""
    if plan.unlisted is not None:
        raise Refused("query.pure_unlisted", column=plan.unlisted.name)


def nano_epsilon(epsilon: str) -> int:
    """A decimal ε in whole nano-epsilon, rounded down: what a cap or a question of that ε may spend."""
    return int(Fraction(epsilon) * mechanisms.NANO)


def rho_of(spent: int) -> int:
    """nano-rho of a draw that is this many nano-epsilon, rounded up: ε²/2."""
    return -(-spent * spent // (2 * mechanisms.NANO))
