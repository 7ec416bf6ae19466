"""What do the values of a column look like, in counts alone?

The first rows of a table are read as text; of each column the distinct values are held against public shapes. What comes
back are counts: no value leaves the engine, so none can stand in a draft.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import duckdb

from enclave.errors import BadInput
from enclave.intake import raw
from enclave.intake.columns import literal
from enclave.intake.discover.columns import Seen
from enclave.intake.discover.shapes import looks
from enclave.intake.draft.known import lists
from enclave.intake.kinds import Kind

ROWS = 100_000
"""So many first rows are looked at: a draft is a guess, and intake looks at all of them."""

_DAY = "(?:0[1-9]|[12][0-9]|3[01])"
_MONTH = "(?:0[1-9]|1[0-2])"
_YEAR = "(?:18|19|20)[0-9]{2}"
FORMS = {
    "%Y-%m-%d": f"{_YEAR}-[0-9]{{1,2}}-[0-9]{{1,2}}",
    "%Y-%m-%d %H:%M:%S": f"{_YEAR}-[0-9]{{1,2}}-[0-9]{{1,2}} [0-9]{{1,2}}:[0-9]{{2}}:[0-9]{{2}}(?:[.][0-9]+)?",
    "%Y-%m-%d %H:%M": f"{_YEAR}-[0-9]{{1,2}}-[0-9]{{1,2}} [0-9]{{1,2}}:[0-9]{{2}}",
    "%Y/%m/%d": f"{_YEAR}/[0-9]{{1,2}}/[0-9]{{1,2}}",
    "%Y/%m/%d %H:%M:%S": f"{_YEAR}/[0-9]{{1,2}}/[0-9]{{1,2}} [0-9]{{1,2}}:[0-9]{{2}}:[0-9]{{2}}",
    "%Y/%m/%d %H:%M": f"{_YEAR}/[0-9]{{1,2}}/[0-9]{{1,2}} [0-9]{{1,2}}:[0-9]{{2}}",
    "%Y.%m.%d": f"{_YEAR}[.][0-9]{{1,2}}[.][0-9]{{1,2}}",
    "%Y%m%d": f"{_YEAR}{_MONTH}{_DAY}",
    "%Y%m%d%H%M%S": f"{_YEAR}{_MONTH}{_DAY}[0-9]{{6}}",
    "%Y年%m月%d日": f"{_YEAR}年[0-9]{{1,2}}月[0-9]{{1,2}}日",
}
"""Forms of dates that shape alone tells apart (strptime)."""

USUAL = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S")
"""Forms that need no stating."""

_SHAPES = {
    "whole": "[-+]?[0-9]{1,18}",
    "number": "[-+]?[0-9]{1,12}(?:[.][0-9]+)?",
    "icd10": "[A-TV-Z][0-9][0-9A-Z](?:[.]?[0-9A-Za-z+*/.]{1,9})?",
    "region": "(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])[0-9]{4}",
}
_NEARLY = 0.98
_PROSE = 30
"""Characters above which the longer values of a column are text that people wrote."""


@dataclass(frozen=True)
class Facts:
    """Counts over the distinct values of one column of `rows` rows."""

    column: str
    kind: str
    """The type in the source, up to a bracket; "" in CSV."""
    rows: int = 0
    filled: int = 0
    values: int = 0
    long: int = 0
    """Distinct values longer than text of a list is."""
    identifiers: Seen = field(default_factory=lambda: Seen(""))
    shapes: dict[str, int] = field(default_factory=dict)

    def fits(self, shape: str) -> bool:
        """Whether nearly all values are so."""
        return self.values > 0 and self.shapes.get(shape, 0) >= _NEARLY * self.values

    @property
    def dates(self) -> tuple[str, ...]:
        """The forms of dates that nearly all values have between them; () when it is no column of dates."""
        held = tuple(form for form in FORMS if self.shapes.get(form))
        fit = self.values > 0 and sum(self.shapes[form] for form in held) >= _NEARLY * self.values
        return held if fit else ()

    @property
    def complete(self) -> bool:
        return self.filled == self.rows > 0

    @property
    def unique(self) -> bool:
        """Whether each row that was looked at has a value of its own."""
        return self.complete and self.values == self.rows

    @property
    def prose(self) -> bool:
        return self.values > 0 and self.long * 5 >= self.values


def facts_of(con: duckdb.DuckDBPyConnection, file: raw.Raw) -> tuple[Facts, ...]:
    """What each column looks like; BadInput for a malformed line, and for a first line that is a row."""
    con.execute("DROP TABLE IF EXISTS drafted_")
    try:
        with file.reading():
            con.execute(f"CREATE TEMP TABLE drafted_ AS SELECT * FROM {file.view} LIMIT {ROWS}")
    except duckdb.Error:
        raise raw.unreadable(file) from None
    raw.check_read(con, file)
    found = tuple(_facts(con, name, kind.split("(")[0]) for name, kind in file.columns)
    con.execute("DROP TABLE drafted_")
    if file.form == "csv" and any(column.shapes[_OWN_NAME] for column in found):
        raise BadInput("draft.no_header", place=file.place)
    return found


_OWN_NAME = "own name"
"""A value that is the column's very name: then the name is a value, and the file has no header."""


def _tests(column: str) -> dict[str, str]:
    tests = {_OWN_NAME: f"v = {literal(column)}"}
    tests |= {kind.value: sql for kind, sql in looks().items()}
    tests |= {shape: f"regexp_full_match(v, {literal(form)})" for shape, form in (_SHAPES | FORMS).items()}
    for name, codes in lists().items():
        tests[f"list {name}"] = f"v IN ({', '.join(literal(code) for code in codes)})"
    return tests


def _facts(con: duckdb.DuckDBPyConnection, column: str, kind: str) -> Facts:
    tests = _tests(column)
    counts = ", ".join(f"count(*) FILTER (WHERE {sql})" for sql in tests.values())
    grouped = f'SELECT "{column}" AS v, count(*) AS n FROM drafted_ GROUP BY 1'
    row = con.execute(
        f"SELECT coalesce(sum(n), 0), coalesce(sum(n) FILTER (WHERE v IS NOT NULL), 0), count(v), "
        f"count(*) FILTER (WHERE length(v) > {_PROSE}), {counts} FROM ({grouped})"
    ).fetchall()[0]
    rows, filled, values, long, *held = map(int, row)
    shapes = dict(zip(tests, held, strict=True))
    seen = Seen(column, values, {k: shapes[k.value] for k in Kind if k.value in shapes})
    return Facts(column, kind, rows, filled, values, long, seen, shapes)
