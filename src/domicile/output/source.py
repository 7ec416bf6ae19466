"""From which table, and from which private answers, does an output come?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

import pyarrow as pa

from domicile.rules import Malformed, rebuilt

if TYPE_CHECKING:
    import pandas as pd

ATTRIBUTE = "domicile_answers"
"""The entry of `DataFrame.attrs` under which `Answer.frame()` names its answer; most pandas steps keep it."""


@runtime_checkable
class Answered(Protocol):
    """A private answer, as the client holds it."""

    @property
    def id(self) -> str: ...

    def arrow(self) -> pa.Table: ...


Source: TypeAlias = "Answered | pd.DataFrame | pa.Table"


def answers_of(source: Source, given: Iterable[Answered | str] | None) -> list[str]:
    """The ids of the answers `source` came from: those given, else those it names itself."""
    if given is not None:
        return list(dict.fromkeys(a if isinstance(a, str) else a.id for a in given))
    if isinstance(source, Answered):
        return [source.id]
    attributes: dict[str, Any] = getattr(source, "attrs", {})
    return [str(a) for a in attributes.get(ATTRIBUTE, ())]


def table_of(source: Source) -> pa.Table:
    """`source` as a table of the five plain types; Malformed naming the columns that are none."""
    if isinstance(source, Answered):
        return rebuilt(source.arrow())
    arrow = source if isinstance(source, pa.Table) else _from_pandas(source)
    return rebuilt(pa.table([_plain(c) for c in arrow.columns], names=[str(n) for n in arrow.column_names]))


def _from_pandas(frame: pd.DataFrame) -> pa.Table:
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise TypeError("an output is made of an answer of `.sql(...)` or of a pandas DataFrame")
    # a nameless whole-number index is where filtering and sorting left the rows: it says nothing
    nameless = frame.index.names == [None] and pd.api.types.is_integer_dtype(frame.index)
    kept = frame.reset_index(drop=nameless)
    kept = kept.set_axis([_title(c) for c in kept.columns], axis="columns")
    return pa.Table.from_pandas(kept, preserve_index=False)


def _title(column: object) -> str:
    return " ".join(str(part) for part in column if str(part)) if isinstance(column, tuple) else str(column)


def _plain(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """Categories as their text, decimals as numbers, whole days as dates; everything else as it is."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return column.cast(kind.value_type)
    if pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    if pa.types.is_timestamp(kind) and kind.tz is None:
        days = column.cast(pa.date32())
        if days.cast(kind).equals(column):  # else a time of day: the rules will say that it may not leave
            return days
    return column


__all__ = ["ATTRIBUTE", "Answered", "Malformed", "Source", "answers_of", "table_of"]
