"""How is a model asked for? One SELECT, which anybody may also price, ask and read as it stands.

What is written here is the researcher's own text put together; whether it may be asked is for the enclave to say. Each
clause stands on a line of its own, so that "line 2" of a refusal is FROM.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from domicile.wire.words import preferred_language, say

MOST_INTERVALS = 199
LEAST_CONFIDENCE, MOST_CONFIDENCE = 0.5, 0.9999


class Unclear(ValueError):
    """A model cannot be asked for like this; `code` of the words that say what was expected."""

    def __init__(self, code: str, **facts: object) -> None:
        self.code = f"models.{code}"
        self.facts = facts
        super().__init__(say(self.code, preferred_language(), **facts))


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Unclear("needs_text", what=what)
    return value.strip()


def _confidence(value: float) -> None:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not LEAST_CONFIDENCE <= value <= MOST_CONFIDENCE
    ):
        raise Unclear("confidence", least=LEAST_CONFIDENCE, most=MOST_CONFIDENCE)


def _select(columns: str, source: str, where: str | None, group: str = "") -> str:
    lines = [f"SELECT {columns}", f"FROM {_text(source, 'source')}"]
    lines += [f"WHERE {_text(where, 'where')}"] if where is not None else []
    return "\n".join([*lines, group] if group else lines)


def _named(columns: Sequence[str] | Mapping[str, str], what: str) -> dict[str, str]:
    """Names and texts of columns: a list of texts, each its own name, or a mapping."""
    if isinstance(columns, str) or not isinstance(columns, Sequence | Mapping) or not columns:
        raise Unclear("needs_columns", what=what)
    pairs = columns.items() if isinstance(columns, Mapping) else zip(columns, columns, strict=True)
    named = {_text(name, what): _text(column, what) for name, column in pairs}
    if len(named) != len(columns):
        raise Unclear("column_twice", what=what)
    return named


@dataclass(frozen=True)
class LinearRegression:
    """`outcome` on columns `on`, over the rows of `source` (what follows FROM) that meet `where`.

    Numbers need bounds, codes a public list: each code but the reference gets a coefficient. `reference` names another
    code than the first as the one to compare with, by column.
    """

    outcome: str
    on: Sequence[str] | Mapping[str, str]
    source: str
    where: str | None = None
    reference: Mapping[str, str] = field(default_factory=dict)
    confidence: float = 0.95

    def __post_init__(self) -> None:
        _confidence(self.confidence)
        self.sql  # noqa: B018 - refuses what is no text
        strange = sorted(set(self.reference) - set(self.names))
        if strange:
            raise Unclear("reference", column=strange[0], known=", ".join(self.names))

    @property
    def names(self) -> list[str]:
        """How the columns of `on` are called."""
        return list(_named(self.on, "on"))

    @property
    def sql(self) -> str:
        columns = ", ".join([_text(self.outcome, "outcome"), *_named(self.on, "on").values()])
        return _select(f"SSCP({columns}) AS total", self.source, self.where)


@dataclass(frozen=True)
class Survival:
    """From time 0 to `until` in intervals of `every`: does the event `event` (a condition) happen at `time` (a bounded
    number), or was the person last seen then? `source` has one row for each person; `by` is a public key that makes
    groups."""

    time: str
    event: str
    source: str
    every: float | str | Decimal
    until: float | str | Decimal
    by: str | None = None
    where: str | None = None
    confidence: float = 0.95

    def __post_init__(self) -> None:
        _confidence(self.confidence)
        self.sql  # noqa: B018 - refuses what is no text, and intervals that are none

    @property
    def edges(self) -> list[Decimal]:
        """Ends of the intervals, 0 first."""
        try:
            every, until = Decimal(str(self.every)), Decimal(str(self.until))
        except InvalidOperation:
            raise Unclear("intervals", limit=MOST_INTERVALS) from None
        if not (every.is_finite() and until.is_finite() and 0 < every < until and until / every <= MOST_INTERVALS):
            raise Unclear("intervals", limit=MOST_INTERVALS)
        whole = int(until // every)
        ends = [every * i for i in range(whole + 1)]
        return ends if ends[-1] == until else [*ends, until]

    @property
    def sql(self) -> str:
        edges = ", ".join(format(e.normalize(), "f") for e in self.edges)
        columns = [
            f"HISTOGRAM({_text(self.time, 'time')}, [{edges}]) AS step",
            f"({_text(self.event, 'event')}) = TRUE AS happened",
        ]
        columns += [f"{_text(self.by, 'by')} AS stratum"] if self.by is not None else []
        group = f"GROUP BY {', '.join(str(i + 1) for i in range(len(columns)))}"
        return _select(", ".join([*columns, "COUNT(*) AS persons"]), self.source, self.where, group)


@dataclass(frozen=True)
class Crosstab:
    """Counts by all combinations of `keys`. `count` is what is counted: rows, or COUNT(DISTINCT person key)."""

    keys: Sequence[str] | Mapping[str, str]
    source: str
    where: str | None = None
    count: str = "COUNT(*)"
    confidence: float = 0.95

    def __post_init__(self) -> None:
        _confidence(self.confidence)
        self.sql  # noqa: B018 - refuses what is no text

    @property
    def names(self) -> list[str]:
        """How the keys are called."""
        return list(_named(self.keys, "keys"))

    @property
    def sql(self) -> str:
        keys = _named(self.keys, "keys")
        columns = [f"{column} AS key_{i + 1}" for i, column in enumerate(keys.values())]
        group = f"GROUP BY {', '.join(str(i + 1) for i in range(len(keys)))}"
        return _select(", ".join([*columns, f"{_text(self.count, 'count')} AS n"]), self.source, self.where, group)


Question = LinearRegression | Survival | Crosstab
