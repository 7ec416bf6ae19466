"""How does an answer stand as an array over its keys?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from domicile.models.nearest import Array
from domicile.models.result import Given
from domicile.output.source import ATTRIBUTE
from domicile.wire.words import say

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = ("", "_se", "_low", "_high", "_clipped")
DOUBT = 0.3
"""What a clip takes is read off a curve through noisy numbers: it may be off by so much of itself."""

MOST_LOST = 0.95
"""A clip that took more leaves nothing to reckon with."""

ALL_GROUPS = " (all groups)"
"""What a quote calls the whole of a number that was told in two parts."""


def own_and_common(cells: Array, errors: Array) -> tuple[float, float]:
    """The noise of one cell by itself, and what all cells have in common, as a share of each. Where a count was told in two
    parts, the groups and their whole, the square of an error is own² + (common·cell)²; else all are alike."""
    values, squares = np.abs(cells).ravel(), errors.ravel() ** 2
    least, most = int(values.argmin()), int(values.argmax())
    apart = values[most] ** 2 - values[least] ** 2
    slope = max(squares[most] - squares[least], 0.0) / apart if apart > 0 else 0.0
    return float(np.sqrt(max(squares[least] - slope * values[least] ** 2, 0.0))), float(np.sqrt(slope))


@dataclass
class Told:
    """One number of an answer, and its noise, in every combination of its keys."""

    answer: Given
    column: str
    frame: pd.DataFrame = field(init=False)
    keys: tuple[str, ...] = field(init=False)
    cells: Array = field(init=False)
    errors: Array = field(init=False)

    def __post_init__(self) -> None:
        frame = self.answer.frame()
        names = [str(name) for name in frame.columns]
        if f"{self.column}_se" not in names:
            raise ValueError(say("models.no_such_number", column=self.column))
        numbers = {name + end for name in names if f"{name}_se" in names for end in SUFFIXES}
        self.keys = tuple(name for name in names if name not in numbers)
        shape = [frame[key].nunique(dropna=False) for key in self.keys]
        if int(np.prod(shape)) != len(frame):
            raise ValueError(say("models.not_all_groups"))
        self.frame = frame.sort_values(list(self.keys), kind="stable") if self.keys else frame
        self.cells = self.frame[self.column].to_numpy(dtype=np.float64).reshape(shape)
        self.errors = self.frame[f"{self.column}_se"].to_numpy(dtype=np.float64).reshape(shape)

    @property
    def noise(self) -> float:
        """Of one cell, without what all cells of a table have in common."""
        return float(np.nanmin(self.errors))

    @property
    def noise_of_all(self) -> float:
        """Of the sum of all cells: its own draw where the table was told in two parts."""
        whole = [m.scale for m in self.answer.quote.mechanisms if m.column == self.column + ALL_GROUPS]
        return whole[0] if whole else self.noise * float(np.sqrt(self.cells.size))

    @property
    def total(self) -> tuple[float, float]:
        """All cells together, with what the quote thinks a clip took of them, and the variance of that: of noise, and of
        that share being known no better than to `DOUBT` of itself."""
        lost = self._lost(ALL_GROUPS)
        told = float(self.cells.sum())
        return told / (1 - lost), (self.noise_of_all / (1 - lost)) ** 2 + (DOUBT * lost * told) ** 2

    @property
    def weighed_away(self) -> float:
        """Which share of everything the clip of the cells is thought to have taken; 0 where nothing was paid that tells."""
        return self._lost("")

    def _lost(self, part: str) -> float:
        """The same of one part of the number; of the cells where it was not told in parts."""
        mine = {m.column: m.clipped_about for m in self.answer.quote.mechanisms if m.clipped_about is not None}
        parts = [about for column, about in mine.items() if column.startswith(f"{self.column} (")]
        return min(mine.get(self.column + part, parts[0] if parts else mine.get(self.column, 0.0)), MOST_LOST)

    def axes(self, names: Sequence[str]) -> tuple[int, ...]:
        """Those of all other keys."""
        return tuple(at for at, key in enumerate(self.keys) if key not in names)

    def margin(self, names: Sequence[str]) -> Array:
        """By `names`, in their order."""
        order = [self.keys.index(name) for name in names]
        kept = np.moveaxis(self.cells, order, range(len(order)))
        found: Array = kept.sum(axis=tuple(range(len(order), kept.ndim)))
        return found

    def below(self, names: Sequence[str]) -> int:
        """How many cells stand below one of a margin."""
        return int(np.prod([self.cells.shape[at] for at in self.axes(names)]))

    def spread(self, names: Sequence[str], margin: Array) -> Array:
        """A margin by `names`, over the cells below."""
        held = [key for key in self.keys if key in names]
        turned = np.moveaxis(margin, [list(names).index(key) for key in held], range(len(held)))
        shape = [size if key in names else 1 for key, size in zip(self.keys, self.cells.shape, strict=True)]
        return np.broadcast_to(turned.reshape(shape), self.cells.shape)

    def shown(self, cells: Array) -> pd.DataFrame:
        """The table with these for its numbers beside those that were told, in the order in which it was told."""
        made = self.frame.copy()
        names = [str(name) for name in made.columns]
        made.insert(names.index(self.column) + 1, f"{self.column}_told", made[self.column])
        made[self.column] = cells.ravel()
        made = made.sort_index()
        made.attrs[ATTRIBUTE] = [self.answer.id]
        return made
