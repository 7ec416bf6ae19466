"""A cross-table's intervals: they cover as they say, also where its counts were told in two parts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from domicile.models.nearest import Array
from domicile.models.question import Crosstab
from domicile.models.tabulated import CrossTable, crosstab
from domicile.models.told import own_and_common
from enclave.query import scaled

TRUTH = np.array([[40.0, 300.0, 900.0], [60.0, 700.0, 18_000.0]])
"""One cell holds nearly everybody: what all cells have in common is most of its noise."""

NOISE, WHOLE = 20.0, 600.0
REPEATS = 400
ASKED = Crosstab(["a", "b"], "visits")


@dataclass
class Answered:
    """An answer as the enclave gives it."""

    table: pa.Table
    id: str = "an answer"
    spent: float = 0.1
    notes: tuple[str, ...] = ()

    @property
    def quote(self) -> Any:
        return SimpleNamespace(pure=False, mechanisms=[SimpleNamespace(one_per_person=False)])

    def arrow(self) -> pa.Table:
        return self.table

    def frame(self) -> pd.DataFrame:
        return self.table.to_pandas()


def answered(draw: np.random.Generator, *, parts: bool) -> CrossTable:
    """The table of `TRUTH` as it is told under noise: in two parts, or at once."""
    groups = [round(n) for n in (TRUTH + draw.normal(0, NOISE, TRUTH.shape)).ravel()]
    whole = [round(TRUTH.sum() + draw.normal(0, WHOLE))]
    found, errors = groups, [NOISE] * len(groups)
    if parts:
        found, errors, _, _ = scaled.columns(  # type: ignore[assignment]  # its numbers are there
            groups, round(NOISE), whole, round(WHOLE), Fraction(1), Fraction(1, 20)
        )
    keys = [(f"a{i}", f"b{j}") for i in range(2) for j in range(3)]
    columns: dict[str, list[Any]] = {"key_1": [a for a, _ in keys], "key_2": [b for _, b in keys]}
    columns |= {"n": list(found), "n_se": list(errors)}
    return crosstab(ASKED, Answered(pa.table(columns)))


def covered(frames: list[pd.DataFrame], truth: Array) -> Array:
    inside = [(f["n_low"] <= truth.ravel()) & (truth.ravel() <= f["n_high"]) for f in frames]
    return np.asarray(np.mean(inside, axis=0))


@pytest.mark.parametrize("parts", [False, True], ids=["at once", "in two parts"])
def test_intervals_of_cells_and_margins_cover_as_they_say(parts: bool) -> None:
    """Attack: the noise of the first cell for that of all. The control is that noise: the largest cell escapes it."""
    draw = np.random.default_rng(1)
    tables = [answered(draw, parts=parts) for _ in range(REPEATS)]
    least = 0.95 - 4 * np.sqrt(0.05 * 0.95 / REPEATS)
    assert (covered([t.table for t in tables], TRUTH) > least).all()
    assert (covered([t.margin("b") for t in tables], TRUTH.sum(axis=0)) > least).all()
    assert (covered([t.margin() for t in tables], TRUTH.sum()[None]) > least).all()
    first = np.mean([abs(t.noisy[1, 2] - TRUTH[1, 2]) <= t.quantile * t.table["n_se"][0] for t in tables])
    assert first < 0.3 if parts else first > least


def test_what_cells_have_in_common_is_told_by_their_errors() -> None:
    cells = np.array([[0.0, 10.0], [-30.0, 400.0]])
    assert own_and_common(cells, np.hypot(7.0, 0.05 * cells)) == pytest.approx((7.0, 0.05))
    assert own_and_common(cells, np.full(cells.shape, 7.0)) == (7.0, 0.0)
    assert own_and_common(np.zeros(2), np.full(2, 7.0)) == (7.0, 0.0), "where all are alike nothing is told"
