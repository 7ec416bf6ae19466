"""What does a researcher read of a cross-table?

Its cells, never negative and adding up to their margins; margins, shares and tests of independence beside it, all of one
answer. Cells are not rounded to whole numbers: rounding would only add to the error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd

from domicile.models.distributions import reach
from domicile.models.independence import independence
from domicile.models.nearest import Array, consistent
from domicile.models.question import Crosstab
from domicile.models.result import Given, Result
from domicile.models.told import own_and_common
from domicile.wire.words import say

Key = tuple[str, tuple[Any, ...]]
"""The name of a key and what it may be."""


@dataclass(frozen=True, kw_only=True, repr=False)
class CrossTable(Result):
    """Counts `n` with `n_se`, `n_low`, `n_high` of the noise: the table itself is what is asked of, no sample. `noise` is
    that of one cell by itself; told in two parts all cells have some in `common`, as a share of each."""

    keys: tuple[Key, ...]
    cells: Array = field(repr=False, compare=False)
    noisy: Array = field(repr=False, compare=False)
    noise: float
    common: float
    quantile: float
    once: bool

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.keys]

    def margin(self, *by: str) -> pd.DataFrame:
        """Counts by some of the keys, or the total by none."""
        others = self._others(by)
        noise = self.noise * float(np.sqrt(np.prod([self.cells.shape[a] for a in others])))
        kept = [key for key in self.keys if key[0] in by]
        cells, noisy = self.cells.sum(axis=others), self.noisy.sum(axis=others)
        return self.remembered(_counts(kept, cells, noisy, np.hypot(noise, self.common * noisy), self.quantile))

    def shares(self, *within: str) -> pd.DataFrame:
        """Of all with the same `within`, the share of each cell: `share` with its interval. Sampling counts too: a
        share is said of those who may come."""
        others = self._others(within)
        whole = np.broadcast_to(self.cells.sum(axis=others, keepdims=True), self.cells.shape)
        count = np.prod([self.cells.shape[a] for a in others])
        known = whole > 0
        share = np.where(known, self.cells / np.where(known, whole, 1.0), np.nan)
        squares = (1 - share) ** 2 + (count - 1) * share**2
        noise = np.where(known, self.noise * np.sqrt(squares) / np.where(known, whole, 1.0), np.nan)
        sampling = np.sqrt(np.where(known, share * (1 - share) / np.where(known, whole, 1.0), np.nan))
        spread = np.hypot(noise, sampling)
        columns = _columns(self.keys)
        low, high = np.clip(share - self.quantile * spread, 0, 1), np.clip(share + self.quantile * spread, 0, 1)
        parts = {"": share, "_se": spread, "_low": low, "_high": high, "_noise_se": noise, "_sampling_se": sampling}
        columns |= {f"share{end}": part.ravel() for end, part in parts.items()}
        return self.remembered(pd.DataFrame(columns))

    def independence(self) -> pd.DataFrame:
        """For each two keys, over all others: `statistic`, `freedom`, `p` (noise taken into account) and `cramers_v`."""
        if not self.once:
            raise ValueError(say("models.not_once"))
        rows = []
        for one, other in combinations(range(len(self.keys)), 2):
            others = tuple(a for a in range(len(self.keys)) if a not in (one, other))
            over = float(np.prod([self.noisy.shape[a] for a in others]))
            laplace = int(over) if self.quote.pure else 0
            found = independence(self.noisy.sum(axis=others), self.noise * float(np.sqrt(over)), laplace=laplace)
            rows.append({"one": self.names[one], "other": self.names[other], **vars(found)})
        return self.remembered(pd.DataFrame(rows))

    def _others(self, by: Sequence[str]) -> tuple[int, ...]:
        strange = [name for name in by if name not in self.names]
        if strange:
            raise ValueError(say("models.no_such_key", column=strange[0], known=", ".join(self.names)))
        return tuple(a for a, name in enumerate(self.names) if name not in by)


def crosstab(asked: Crosstab, answer: Given) -> CrossTable:
    """The table of an answer to `asked.sql`: its rows stand in the order of the public keys."""
    rows = answer.arrow().to_pylist()
    domains = [tuple(dict.fromkeys(row[f"key_{i + 1}"] for row in rows)) for i in range(len(asked.names))]
    noisy = np.array([row["n"] for row in rows], dtype=float).reshape([len(d) for d in domains])
    errors = np.array([row["n_se"] for row in rows], dtype=float).reshape(noisy.shape)
    (noise, common), quantile = own_and_common(noisy, errors), reach(asked.confidence, laplace=answer.quote.pure)
    keys, cells = tuple(zip(asked.names, domains, strict=True)), consistent(noisy)
    once = answer.quote.mechanisms[0].one_per_person
    return CrossTable(
        answer=answer,
        table=_counts(keys, cells, noisy, errors, quantile),
        notes=() if once else (say("models.weighed"),),
        keys=keys,
        cells=cells,
        noisy=noisy,
        noise=noise,
        common=common,
        quantile=quantile,
        once=once,
    )


def _counts(keys: Sequence[Key], cells: Array, noisy: Array, noise: Array, quantile: float) -> pd.DataFrame:
    """The cells, and beside each the noise interval of what was told, brought to where counts can be."""
    low, high = np.maximum(noisy - quantile * noise, 0), np.maximum(noisy + quantile * noise, 0)
    parts = {"n": cells, "n_se": np.ravel(noise)}
    parts |= {"n_low": np.minimum(low, cells), "n_high": np.maximum(high, cells)}
    return pd.DataFrame(_columns(keys) | {name: np.ravel(part) for name, part in parts.items()})


def _columns(keys: Sequence[Key]) -> dict[str, Any]:
    """The keys of every cell, the last running fastest."""
    rows = list(product(*(domain for _, domain in keys)))
    return {name: [row[at] for row in rows] for at, (name, _) in enumerate(keys)}
