"""What does a researcher read of a linear regression?

A table with a row for each coefficient in the units of the data, and one beside it for the line as a whole. Codes too
rare to stand clear of the noise are counted with the code of reference, and said; where noise is as large as what is
known of the columns together, no coefficient is shown at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from domicile.models.distributions import beyond_p, reach
from domicile.models.gram import ONE, Gram, Scale, Slot
from domicile.models.nearest import Array
from domicile.models.question import LinearRegression
from domicile.models.regression import MOST_CHANGE, Estimate, Line, fitted
from domicile.models.result import Given, Result
from domicile.wire.words import say

CLEAR = 5.0
"""A code is told apart when its rows are this many standard deviations of their noise."""

ENDS = ("", "_se", "_low", "_high", "_noise_se", "_sampling_se")


@dataclass(frozen=True, kw_only=True, repr=False)
class Regression(Result):
    """Coefficients: `coef` with `_se`, `_low`, `_high` of noise and sampling together, `_noise_se` and `_sampling_se`
    apart, `p` for the coefficient being 0. `overall()` has the number of rows, R² and the residual standard
    deviation."""

    whole: pd.DataFrame = field(repr=False, compare=False)

    def overall(self) -> pd.DataFrame:
        """rows, r2, residual_sd: `value` with its interval."""
        return self.remembered(self.whole.copy())


def regression(asked: LinearRegression, answer: Given) -> Regression:
    """The line of an answer to `asked.sql`."""
    gram = Gram.read(answer.arrow().to_pylist())
    first, *variables = gram.variables
    outcome = (first, "true" if gram.codes(first) else None)
    notes: list[str] = []
    slots: list[Slot] = [ONE]
    names = ["(intercept)"]
    for name, variable in zip(asked.names, variables, strict=True):
        codes = gram.codes(variable)
        kept = _told_apart(gram, variable, codes, asked.reference.get(name), notes, name) if codes else [None]
        slots += [(variable, code) for code in kept]
        names += [name if code is None or codes == ["true"] else f"{name}={code}" for code in kept]
    line = fitted(gram, slots, outcome)
    if isinstance(line, float):
        notes.append(_no_line(line))
    else:
        notes += [say("models.rows_of_persons")] if not answer.quote.mechanisms[0].one_per_person else []
    laplace = answer.quote.pure
    quantile = reach(asked.confidence, laplace=laplace)
    scales = [gram.scales.get(slot) for slot in slots]
    outcome_scale = gram.scales.get(outcome, Scale(0.0, 1.0))
    table = _coefficients(line, names, scales, outcome_scale, quantile, laplace=laplace)
    whole = _overall(line, outcome_scale.half, quantile)
    return Regression(answer=answer, table=table, notes=tuple(notes), whole=whole)


def _told_apart(
    gram: Gram, variable: str, codes: Sequence[str], wanted: str | None, notes: list[str], name: str
) -> list[str]:
    """The codes that get a coefficient. The others are the reference, and codes too rare to tell."""
    if codes == ["true"]:
        return list(codes)
    rows = {code: gram.totals[ONE, (variable, code)] for code in codes}
    clear = [code for code in codes if rows[code] > CLEAR * gram.noise]
    reference = wanted if wanted in clear else next(iter(clear), codes[0])
    rare = [code for code in codes if code not in clear and code != reference]
    if wanted is not None and wanted != reference:
        notes.append(say("models.other_reference", column=name, wanted=wanted, reference=reference))
    if rare:
        notes.append(say("models.rare_codes", column=name, codes=", ".join(rare), reference=reference))
    return [code for code in clear if code != reference]


def _no_line(change: float) -> str:
    more = f"{change / MOST_CHANGE:.1f}" if math.isfinite(change) else "∞"
    return say("models.no_line", more=more)


def _coefficients(
    line: Line | float,
    names: Sequence[str],
    scales: Sequence[Scale | None],
    outcome: Scale,
    quantile: float,
    *,
    laplace: bool,
) -> pd.DataFrame:
    """In the units of the data: y = middle + half·z turns each coefficient, and the intercept takes the middles."""
    size = len(names)
    if isinstance(line, float):
        values = shares = np.full((2, size), np.nan)
        coefficients = values[0]
    else:
        turned = np.diag([outcome.half / (s.half if s else 1.0) for s in scales])
        turned[0] -= [0.0 if s is None else outcome.half * s.middle / s.half for s in scales]
        coefficients = turned @ line.beta
        coefficients[0] += outcome.middle
        shares = np.sqrt([np.diag(turned @ c @ turned.T) for c in (line.noise, line.sampling)])
    spread = np.hypot(shares[0], shares[1])
    columns: dict[str, Array | Sequence[str]] = {"term": names}
    parts = (coefficients, spread, coefficients - quantile * spread, coefficients + quantile * spread, *shares)
    columns |= {f"coef{end}": part for end, part in zip(ENDS, parts, strict=True)}
    known = zip(coefficients, spread, strict=True)
    certain = np.array([beyond_p(c / s, laplace=laplace) if s > 0 else math.nan for c, s in known])
    return pd.DataFrame(columns | {"p": certain})


def _overall(line: Line | float, half: float, quantile: float) -> pd.DataFrame:
    unknown = Estimate(math.nan, math.nan, math.nan)
    found = {"rows": unknown, "r2": unknown, "residual_sd": unknown}
    if not isinstance(line, float):
        s = line.residual
        residual = Estimate(s.value * half, s.noise * half, s.sampling * half)
        found = {"rows": line.rows, "r2": line.explained, "residual_sd": residual}
    rows = []
    for name, estimate in found.items():
        spread = math.hypot(estimate.noise, estimate.sampling)
        low, high = max(estimate.value - quantile * spread, 0.0), estimate.value + quantile * spread
        ends = (
            estimate.value,
            spread,
            low,
            min(high, 1.0) if name == "r2" else high,
            estimate.noise,
            estimate.sampling,
        )
        rows.append({"what": name} | {f"value{end}": part for end, part in zip(ENDS, ends, strict=True)})
    return pd.DataFrame(rows)
