"""Totals out of thin air, in the shape any question asks for: to run what is written for people without their records."""

from __future__ import annotations

import numpy as np

from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.query import Priced
from enclave.query.sscp import HALF, ONE, Matrix

ROWS = 4_000


class MadeUp:
    """In the engine's place for one question: a few thousand in every cell, and models of rows that were drawn."""

    def __init__(self, priced: Priced, seed: int = 7) -> None:
        self.priced = priced
        self.draw = np.random.default_rng(seed)

    def totals(self, *_: object) -> list[list[int]]:
        found = []
        for drawn in self.priced.draws:
            tally, cells = drawn.tally, self.priced.plan.cells
            if tally.matrix is not None:
                found.append([total for _ in range(cells) for total in self._products(tally.matrix)])
            else:
                values = self.draw.uniform(4_000, 9_000, cells * tally.size)
                found.append([int(value * int(tally.unit)) for value in values])
        return found

    def _products(self, matrix: Matrix) -> list[int]:
        """Of rows whose outcome rises a little with every other column."""
        slots = {slot: np.full(ROWS, HALF) for slot in matrix.slots[:1]}
        for at, variable in enumerate(matrix.variables):
            codes = self.draw.integers(0, len(variable.codes) + 1, ROWS)
            if variable.is_number:
                slots[next(s for s in matrix.slots if s.at == at)] = self.draw.integers(-HALF, HALF + 1, ROWS)
            else:
                mine = [s for s in matrix.slots if s.at == at]
                slots |= {slot: HALF * (codes == code).astype(int) for code, slot in enumerate(mine)}
        others = sum(values for slot, values in slots.items() if slot.at > 0)
        outcome = next(s for s in matrix.slots if s.at == 0)
        slots[outcome] = np.clip(slots[outcome] // 4 + others // 16, -HALF, HALF)
        return [
            WEIGHT_ONE * int((slots[a] * slots[b] - ONE // 2 * (a == b and a.at >= 0)).sum()) for a, b in matrix.entries
        ]
