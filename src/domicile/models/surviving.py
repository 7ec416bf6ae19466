"""What does a researcher read of a survival question?

A table with a row for each group and each end of an interval, from time 0 on; medians, the log-rank test and hazard
ratios beside it, all of one answer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from domicile.models.distributions import reach
from domicile.models.lifetable import LifeTable, curve
from domicile.models.logrank import hazard_ratio, score
from domicile.models.nearest import Array
from domicile.models.question import Survival
from domicile.models.result import Given, Result
from domicile.wire.words import say

BIN = re.compile(r"\[(?P<from>[-0-9.]+), (?P<to>[-0-9.]+)\)|>= (?P<past>[-0-9.]+)")

Group = str | int | bool | None


@dataclass(frozen=True, kw_only=True, repr=False)
class SurvivalCurves(Result):
    """`survival` at each `time` with `_se`, `_low`, `_high` of noise and sampling together, `_noise_se` and
    `_sampling_se` apart; `at_risk`, `events`, `censored` of the interval that ends there, with the standard
    deviation of their noise."""

    lives: Mapping[Group, LifeTable] = field(repr=False, compare=False)
    by: str
    times: tuple[float, ...]
    quantile: float

    def median(self) -> pd.DataFrame:
        """For each group the first end of an interval at which half or fewer are left, with its interval; NaN for
        beyond."""
        rows = []
        for group, life in self.lives.items():
            found = curve(life, self.quantile)
            ends = [self._first_half(s) for s in (found.survival, found.low, found.high)]
            rows.append(self._of(group) | dict(zip(("median", "median_low", "median_high"), ends, strict=True)))
        return self.remembered(pd.DataFrame(rows))

    def _first_half(self, survival: Array) -> float:
        return next((t for t, s in zip(self.times, survival, strict=True) if s <= 0.5), math.nan)

    def log_rank(self) -> pd.DataFrame:
        """Events observed and expected in each group; `statistic`, `freedom` and `p`, noise taken into account, of all."""
        groups = self._groups()
        found = score(list(groups.values()))
        rows = [
            self._of(group) | {"observed": found.observed[i], "expected": found.expected[i]}
            for i, group in enumerate(groups)
        ]
        test = {"statistic": found.statistic, "freedom": found.freedom, "p": found.p}
        return self.remembered(pd.DataFrame(rows).assign(**test))

    def hazard_ratios(self) -> pd.DataFrame:
        """The hazard of each group over that of the first, with its interval (Peto)."""
        (_, first), *others = self._groups().items()
        rows = []
        for group, life in others:
            ratio, noise, sampling = hazard_ratio(first, life)
            far = self.quantile * math.hypot(noise, sampling)
            ends = [math.exp(ratio + side * far) for side in (0, -1, 1)]
            named = dict(zip(("hazard_ratio", "hazard_ratio_low", "hazard_ratio_high"), ends, strict=True))
            rows.append(self._of(group) | named)
        return self.remembered(pd.DataFrame(rows))

    def _groups(self) -> dict[Group, LifeTable]:
        if len(self.lives) < 2:
            raise ValueError(say("models.one_group"))
        return dict(self.lives)

    def _of(self, group: Group) -> dict[str, Group]:
        return {self.by: group} if self.by else {}


def survival(asked: Survival, answer: Given) -> SurvivalCurves:
    """The curves of an answer to `asked.sql`."""
    rows = [r for r in answer.arrow().to_pylist() if r["happened"] is not None and r["step"] is not None]
    edges = [float(e) for e in asked.edges]
    kappa = 0.0 if (np.diff(edges) == 1).all() else 0.5
    groups = (
        dict.fromkeys(r["stratum"] for r in rows if r["stratum"] is not None) if asked.by is not None else {None: None}
    )
    laplace = answer.quote.pure
    lives = {g: _life([r for r in rows if r.get("stratum") == g], edges, kappa, laplace=laplace) for g in groups}
    by, quantile = asked.by or "", reach(asked.confidence, laplace=laplace)
    table = pd.concat([_table(by, group, life, edges, quantile) for group, life in lives.items()], ignore_index=True)
    return SurvivalCurves(answer=answer, table=table, lives=lives, by=by, times=tuple(edges[1:]), quantile=quantile)


def _life(rows: list[dict[str, Any]], edges: list[float], kappa: float, *, laplace: bool) -> LifeTable:
    """The life table of one group."""
    events, censored = np.zeros(len(edges)), np.zeros(len(edges))
    for row in rows:
        at = _interval(row["step"], edges)
        if at is not None:
            (events if row["happened"] else censored)[at] += row["persons"]
    return LifeTable.of(events, censored, float(rows[0]["persons_se"]), kappa, laplace=laplace)


def _interval(label: str, edges: list[float]) -> int | None:
    """Which interval a bin is; the last stands beyond all, and a time before 0 is in none."""
    found = BIN.fullmatch(label)
    if found is None:
        return None
    return len(edges) - 1 if found["past"] else edges.index(float(found["from"]))


def _table(by: str, group: Group, life: LifeTable, edges: list[float], quantile: float) -> pd.DataFrame:
    found = curve(life, quantile)
    whole, cell = life.entering, np.full(life.events.size, life.noise)
    columns: dict[str, Any] = {by: group} if by else {}
    columns["time"] = edges
    parts: dict[str, tuple[float, Array]] = {
        "survival": (1.0, found.survival),
        "survival_se": (0.0, np.hypot(found.noise, found.sampling)),
        "survival_low": (1.0, found.low),
        "survival_high": (1.0, found.high),
        "survival_noise_se": (0.0, found.noise),
        "survival_sampling_se": (0.0, found.sampling),
        "at_risk": (whole[0], whole),
        "at_risk_noise_se": (life.entering_noise[0], life.entering_noise),
        "events": (0.0, life.events),
        "events_noise_se": (0.0, cell),
        "censored": (0.0, life.censored),
        "censored_noise_se": (0.0, cell),
    }
    columns |= {name: np.append(first, rest) for name, (first, rest) in parts.items()}
    return pd.DataFrame(columns)
