"""How does a batch of notes become one without identifiers?

Notes are read many at a time: a call of the orchestrator costs as much as a thousand characters. To what the recognisers
find are added the person's own identifiers, wherever they stand in the person's own notes, those of others that stand in
the note's own row, and the names of those who work there: each note is judged by its own text, its own person's rows and
lists that hold no person's rows, never by another person's (soundness U6).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from enclave.intake.discover.cues import lowered
from enclave.intake.discover.known import NOBODY, Staff
from enclave.intake.discover.pack import find, narrow
from enclave.intake.kinds import MARKS, Kind, Span
from enclave.intake.redact.stand_ins import StandIns

_TOGETHER = 4000
"""Characters that are looked through in one call."""
_LEAST = {Kind.NAME: 2}
_LEAST_OTHER = 4
"""Characters an own identifier must have to be looked for: a house number 3 would blank every 3."""
_SEVERAL = re.compile("[、,，;；/|]")
"""Between several names in one cell."""


@dataclass(frozen=True)
class Note:
    """A text, whose it is, and by how many days that person's dates move."""

    text: str
    person: int
    shift: int
    own: tuple[tuple[Kind, str], ...] = ()
    """The person's own identifiers, and those of others in its row."""


def spans_of(notes: Sequence[Note], staff: Staff = NOBODY) -> Iterator[list[Span]]:
    """For each note, in order, where its identifiers stand; `staff` are those whose names are looked for in all of them."""
    for batch in _batches(notes):
        found = find("\n".join(note.text for note in batch))
        begin, at = 0, 0
        for note in batch:
            end, mine = begin + len(note.text), []
            while at < len(found) and found[at].start < end:
                mine.append(Span(found[at].kind, found[at].start - begin, min(found[at].end, end) - begin))
                at += 1
            yield _with_known(note, mine, staff)
            begin = end + 1


def _batches(notes: Sequence[Note]) -> Iterator[list[Note]]:
    batch: list[Note] = []
    held = 0
    for note in notes:
        if batch and held + len(note.text) > _TOGETHER:
            yield batch
            batch, held = [], 0
        batch.append(note)
        held += len(note.text)
    if batch:
        yield batch


def _with_known(note: Note, found: list[Span], staff: Staff) -> list[Span]:
    """The spans with what is known of the row's persons and of the staff among them; spans that meet become one."""
    if not note.own and not staff.names:
        return found
    plain = lowered(narrow(note.text))
    known = [
        Span(kind, at, at + len(value))
        for kind, said in note.own
        for part in (_SEVERAL.split(said) if kind is Kind.NAME else [said])
        if len(value := lowered(narrow(part.strip()))) >= _LEAST.get(kind, _LEAST_OTHER)
        for at in _places(plain, value)
    ]
    known += (Span(Kind.NAME, start, end) for start, end in staff.standing(plain))
    return _joined(sorted([*found, *known], key=lambda s: (s.start, -s.end))) if known else found


def _places(text: str, value: str) -> Iterator[int]:
    at = text.find(value)
    while at >= 0:
        yield at
        at = text.find(value, at + len(value))


def _joined(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in spans:
        if joined and span.start < joined[-1].end:
            last = joined[-1]
            wider = last.kind if last.end - last.start >= span.end - span.start else span.kind
            joined[-1] = Span(wider, last.start, max(last.end, span.end))
        else:
            joined.append(span)
    return joined


Instead = Callable[[Note, Span], str | None]
"""What stands in a span's place; None: its mark."""


def marks(note: Note, span: Span) -> None:
    """Nothing but the mark."""


def stand_ins(key: bytes) -> Instead:
    """Stand-ins under `key`."""
    drawn = StandIns(key)
    return lambda note, span: drawn.for_(span.kind, note.text[span.start : span.end], note.person, note.shift)


def replaced(note: Note, spans: Sequence[Span], instead: Instead) -> str:
    """The text with something else, or a mark, in the place of each span."""
    chinese = any("\u3400" <= c <= "\u9fff" for c in note.text)
    out, at = [], 0
    for span in spans:
        put = instead(note, span)
        out.append(note.text[at : span.start])
        out.append(f"[{MARKS[span.kind][0 if chinese else 1]}]" if put is None else put)
        at = span.end
    return "".join(out) + note.text[at:]


def remaining(note: Note, spans: Sequence[Span]) -> str:
    """What of the text is in no span, each gap a line's end."""
    ends = [0, *(span.end for span in spans)]
    starts = [*(span.start for span in spans), len(note.text)]
    return "\n".join(note.text[a:b] for a, b in zip(ends, starts, strict=True))
