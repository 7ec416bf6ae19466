"""How often would chance and Laplace noise together go so far?

A test that knows of its noise compares U′Σ⁻¹U with χ², which is right where U is normal. In pure ε noise is Laplace, whose
tails are longer: where it outweighs chance such a test of 5 % finds something in up to 11 of 100 tables that hold nothing.
So its law is drawn: U = chance + J·noise, J the derivatives of U by every cell, 4,000 times from one fixed seed, so that an
answer has one p. Post-processing, free, whatever is drawn.
"""

from __future__ import annotations

import numpy as np

from domicile.models.distributions import chi_square_p
from domicile.models.nearest import Array

DRAWS = 4_000
AT_ONCE = 1_000_000
"""Numbers drawn at a time."""


def laplace_p(surplus: Array, inverse: Array, chance: Array, moved: Array, freedom: int, *, of_each: int = 1) -> float:
    """P[U′·`inverse`·U ≥ that of `surplus`] for normal U of covariance `chance` and noise of one deviation in each column of
    `moved`, itself the sum of `of_each` Laplace draws. Never less than χ² says, and never less than 1 in `DRAWS`."""
    statistic = float(surplus @ inverse @ surplus)
    values, vectors = np.linalg.eigh(chance)
    root: Array = vectors * np.sqrt(np.clip(values, 0.0, None))
    draw, further, left = np.random.default_rng(0), 0, DRAWS
    while left > 0:
        size = min(left, max(1, AT_ONCE // max(moved.shape[1], 1)))
        cells = (size, moved.shape[1])
        noise = (draw.standard_gamma(of_each, cells) - draw.standard_gamma(of_each, cells)) / np.sqrt(2 * of_each)
        found = draw.standard_normal((size, root.shape[1])) @ root.T + noise @ moved.T
        further += int((np.einsum("ni,ij,nj->n", found, inverse, found, optimize=True) >= statistic).sum())
        left -= size
    return max((further + 1) / (DRAWS + 1), chi_square_p(statistic, freedom))
