"""In which steps may a stored column be made coarser?

Each step is an SQL expression over the column and the words by which a policy would say it; each is coarser than the one
before, and the last drops the column. Where values are named they are of the policy's own lists, never found in rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from enclave.intake.columns import Stored, literal

OTHER = "other"
_WIDTHS = (5, 10, 20)
_TIMES = (1, 4, 16)


@dataclass(frozen=True)
class Level:
    """What becomes of a column: `sql`, and `says` as text for the policy; "" for what stays as it is."""

    column: str
    sql: str
    says: str = ""


def levels(column: Stored, persons: Mapping[str | None, int], size: int) -> tuple[Level, ...]:
    """From the column as it is to none of it. `persons`: value → persons, needed of code columns only."""
    name = f'"{column.name}"'
    return (
        Level(column.name, name),
        *_coarser(column, name, persons, size),
        Level(column.name, "NULL", f"{column.name}: drop"),
    )


def _coarser(column: Stored, name: str, persons: Mapping[str | None, int], size: int) -> Iterator[Level]:
    match column.kind:
        case "code" if column.treatment in ("age_band", "band"):
            yield from _joined(column, name)
        case "code":
            yield from _merged(column, name, persons, size)
        case "integer" | "decimal":
            for width in _WIDTHS:
                step = width * column.scale
                yield Level(column.name, f"{name} // {step}", f"{column.name}: bands of {width}")
        case "date":
            yield Level(column.name, f"date_trunc('month', {name})", f"{column.name}: year and month")
            yield Level(column.name, f"date_trunc('year', {name})", f"{column.name}: year")
        case "key":
            for length in (5, 3, 1):
                yield Level(column.name, f"left({name}, {length})", f"{column.name}: prefix {length}")
        case _:
            return


def _joined(column: Stored, name: str) -> Iterator[Level]:
    """Neighbouring bands made one: two, then four of them, and so on."""
    codes = ", ".join(literal(code) for code in column.codes)
    width = 2
    while width < len(column.codes):
        firsts = ", ".join(column.codes[::width])
        place = f"(list_position([{codes}], {name}::VARCHAR) - 1) // {width}"
        yield Level(column.name, place, f"{column.name}: bands that begin with {firsts}")
        width *= 2


def _merged(column: Stored, name: str, persons: Mapping[str | None, int], size: int) -> Iterator[Level]:
    """The rarest codes made one, until it holds `size` persons, then four and sixteen times as many."""
    for merged in dict.fromkeys(rarest(persons, size * times) for times in _TIMES):
        if merged:
            codes = ", ".join(literal(code) for code in merged)
            sql = f"CASE WHEN {name}::VARCHAR IN ({codes}) THEN {literal(OTHER)} ELSE {name}::VARCHAR END"
            yield Level(column.name, sql, f"{column.name}: {' + '.join(merged)} → {OTHER}")


def rarest(persons: Mapping[str | None, int], size: int) -> tuple[str, ...]:
    """The rarest values that together, or each alone, would be too small; () when that is none, one or all of them."""
    found = sorted((n, value) for value, n in persons.items() if value is not None)
    taken: list[str] = []
    held = 0
    for n, value in found:
        if n >= size and (held >= size or not taken):
            break
        taken.append(value)
        held += n
    return tuple(sorted(taken)) if 1 < len(taken) < len(found) else ()


def said(chosen: Sequence[Level]) -> str:
    """The changes, as text for the policy."""
    return "; ".join(level.says for level in chosen if level.says)
