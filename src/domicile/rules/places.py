"""Where in an output could an identifier stand?

Every text of an output becomes a passage: title, context, text, column names, and each column of cells, one per line.
A column's name goes before each of its cells, because the name is the cue ("姓名" makes "张三" a name). Whole numbers are
read as text too, whatever their sign: a resident identity number is one. Short ones and dates are where the name is a cue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from domicile.rules.bundle import Declared
from domicile.rules.findings import fail, review
from domicile.rules.identifiers import Hit, normal, scan
from domicile.rules.thresholds import Thresholds
from domicile.wire.shapes import Finding

_CHUNK = 4_000  # characters: an orchestrator is quadratic in the length of one document
_LONGEST = 2**53  # above this a float is no exact whole number


@dataclass(frozen=True)
class Passage:
    """Text to scan. `cells`: one line per cell, each beginning with the cue; `numbers`: the cells were numbers."""

    place: str
    text: str
    first_row: int = 0
    cue: str = ""
    numbers: bool = False

    def hits(self) -> list[Hit]:
        return self.kept(scan(self.text))

    def kept(self, hits: Iterable[Hit]) -> list[Hit]:
        """Those that touch a cell, not only the name of its column (that is a passage of its own)."""
        spelled = normal(self.text)
        return [h for h in hits if not self.cue or h.end - (spelled.rfind("\n", 0, h.end) + 1) > len(normal(self.cue))]


def findings_of(passage: Passage, hits: Iterable[Hit], limits: Thresholds) -> Iterator[Finding]:
    """One finding per kind and place, at most `max_places` rows named."""
    spelled = normal(passage.text)
    seen: Counter[tuple[str, str]] = Counter()
    for hit in hits:
        verdict = hit.verdict if not passage.numbers or hit.kind == "resident_id" else "review"
        seen[hit.kind, verdict] += 1
        if seen[hit.kind, verdict] > limits.max_places:
            continue
        row = passage.first_row + spelled.count("\n", 0, hit.start)
        place = f"{passage.place}, row {row}" if passage.first_row else passage.place
        if verdict == "fail":
            yield fail("identifier", place, kind=hit.kind)
        else:
            yield review("identifier_like", place, kind=hit.kind)


def passages(declared: Declared) -> Iterator[Passage]:
    """Every text of the output, in reading order."""
    yield Passage("title", declared.title)
    yield from _lines("context", declared.context)
    yield from _lines("text", declared.text)
    if declared.table is None:
        return
    for number, name in enumerate(declared.table.column_names, 1):
        yield Passage(f"name of column {number}", name)
    for number, column in enumerate(declared.table.columns, 1):
        yield from _cells(number, declared.table.column_names[number - 1], column)


def _lines(place: str, text: str) -> Iterator[Passage]:
    """Long texts in pieces that overlap by a line's length, so that nothing hides on a seam."""
    step = _CHUNK - 200
    for start in range(0, max(len(text), 1), step):
        yield Passage(place, text[start : start + _CHUNK])


def _cells(number: int, name: str, column: pa.ChunkedArray[Any]) -> Iterator[Passage]:
    place, cue = f"column {number}", f"{name.replace(chr(10), ' ')}: "
    texts, numbers = _as_texts(column, cue)
    if not texts:
        return
    lines: list[str] = []
    size, first = 0, 1
    for row, text in enumerate(texts, 1):
        line = cue + text.replace("\n", " ") if text else ""
        if lines and size + len(line) > _CHUNK:
            yield Passage(place, "\n".join(lines), first, cue, numbers)
            lines, size, first = [], 0, row
        lines.append(line)
        size += len(line) + 1
    yield Passage(place, "\n".join(lines), first, cue, numbers)


def _as_texts(column: pa.ChunkedArray[Any], cue: str) -> tuple[list[str], bool]:
    """The cells as text, and whether they were numbers or dates. What its form alone gives away to nobody, a date or a
    number below eleven digits, is text only behind a name that makes it an identifier."""
    if pa.types.is_string(column.type):
        return [cell or "" for cell in column.to_pylist()], False
    if pa.types.is_date(column.type):
        told = _is_cue(cue, "1970-01-01")
        return ["" if day is None else day.isoformat() for day in column.to_pylist()] if told else [], True
    if pa.types.is_integer(column.type):
        return _large(column.to_pylist(), cue), True
    if pa.types.is_floating(column.type):
        whole = [int(x) if x is not None and abs(x) < _LONGEST and x == int(x) else None for x in column.to_pylist()]
        return _large(whole, cue), True
    return [], False


def _is_cue(cue: str, value: str) -> bool:
    """True when a plain `value` behind `cue` is an identifier."""
    return bool(Passage("", cue + value, 1, cue).hits())


def _large(numbers: list[int | None], cue: str) -> list[str]:
    least = 10**3 if _is_cue(cue, "123456789") else 10**10
    texts = [str(abs(n)) if n is not None and abs(n) >= least else "" for n in numbers]
    return texts if any(texts) else []
