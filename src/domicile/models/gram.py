"""How do the sums of products of an answer become X′X and X′y, and what does noise do to them?

An answer of SSCP has one row for each entry: a product of two slots, where a slot is the number 1, a number brought to
z = (x − middle) / half, or one code of a column. Each entry carries the same independent noise. An entry may stand in
several places of the matrix: a code is its own square, and a square is told from its middle (z² − ½), so the rows count
in it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from domicile.models.nearest import Array

Slot = tuple[str, str | None]
ONE: Slot = ("1", None)
Place = tuple[int, int, float]


@dataclass(frozen=True)
class Scale:
    """x = middle + half·z."""

    middle: float
    half: float


@dataclass(frozen=True)
class Gram:
    """Noisy sums of products, entry by entry, and the standard deviation of the noise of each."""

    totals: Mapping[tuple[Slot, Slot], float]
    noise: float
    scales: Mapping[Slot, Scale]

    @classmethod
    def read(cls, rows: Sequence[Mapping[str, Any]]) -> Gram:
        """From the rows of an answer; its number is called `total`."""
        totals, scales = {}, {}
        for row in rows:
            left, right = (row["left"], row["left_code"]), (row["right"], row["right_code"])
            totals[left, right] = float(row["total"])
            for slot, side in ((left, "left"), (right, "right")):
                if row[f"{side}_half"] is not None:
                    scales[slot] = Scale(float(row[f"{side}_middle"]), float(row[f"{side}_half"]))
        return cls(totals, float(rows[0]["total_se"]), scales)

    @property
    def slots(self) -> list[Slot]:
        """In the order of the question, the 1 first."""
        return [ONE, *(right for left, right in self.totals if left == ONE != right)]

    @property
    def variables(self) -> list[str]:
        """The columns of the question, in its order."""
        return list(dict.fromkeys(slot[0] for slot in self.slots[1:]))

    def codes(self, variable: str) -> list[str]:
        """The codes of a column; none of a number."""
        return [code for name, code in self.slots if name == variable and code is not None]

    def places(self, chosen: Sequence[Slot]) -> dict[tuple[Slot, Slot], list[Place]]:
        """Where each entry stands in the matrix of the chosen slots, above its diagonal and on it, and how often."""
        at = {slot: i for i, slot in enumerate(chosen)}
        found: dict[tuple[Slot, Slot], list[Place]] = {}
        for entry in self.totals:
            left, right = entry
            if left in at and right in at:
                found[entry] = [(at[left], at[right], 1.0)]
                found[entry] += [(at[right], at[right], 1.0)] if left == ONE and right[1] is not None else []
        squares = [at[slot] for slot in chosen if slot in self.scales]
        found[ONE, ONE] = [(at[ONE], at[ONE], 1.0), *((i, i, 0.5) for i in squares)]
        return found

    def matrix(self, chosen: Sequence[Slot]) -> Array:
        """The sums of products of the chosen slots, symmetric."""
        made = np.zeros((len(chosen), len(chosen)))
        for entry, places in self.places(chosen).items():
            for i, j, times in places:
                made[i, j] += times * self.totals[entry]
                made[j, i] = made[i, j]
        return made


def pairs(places: Sequence[Place]) -> Iterator[Place]:
    """Both halves of a symmetric matrix."""
    for i, j, times in places:
        yield i, j, times
        if i != j:
            yield j, i, times
