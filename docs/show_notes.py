"""Show five notes of the invented hospital before and after, in docs/reference/notes.md.

python docs/show_notes.py           write the page
python docs/show_notes.py --check   exit 1 when the page is not what the code says

Only the generator's notes are ever shown beside what was made of them: of a real hospital nobody is.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from datasets_synthetic.make import make  # noqa: E402

from enclave.intake.kinds import Kind  # noqa: E402
from enclave.intake.redact.texts import Note, marks, replaced, spans_of, stand_ins  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "notes.md"
PERSONS, SEED = 60, 3
SHOWN, LEAST = 5, 3
"""How many notes, each with at least so many identifiers."""
HEAD = """# Notes, before and after

Five notes of the invented hospital (nobody's), and what the treatments `redact` and `surrogate` keep of them. Written by
`docs/show_notes.py`; a test compares. Stand-ins are drawn under a key for each person: the same in all notes of one person,
others for another; dates move by that person's own days, as the dates of the tables do. No question may name the text, not
even to count it. What cannot be promised is in `docs/decisions/0050-whose-names-a-note-is-searched-for.md`.
"""


def notes() -> list[Note]:
    """The notes that are shown, each with the person's own identifiers."""
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), persons=PERSONS, seed=SEED, form="parquet")
        told = pq.read_table(Path(folder) / "notes.parquet").to_pylist()
        people = {row["patient_id"]: row for row in pq.read_table(Path(folder) / "patients.parquet").to_pylist()}
    known = [row for row in told if row["patient_id"] in people]
    kinds = {"name": Kind.NAME, "resident_id": Kind.RESIDENT_ID, "phone": Kind.PHONE, "address": Kind.ADDRESS}
    every = [
        Note(
            row["text"],
            person=n,
            shift=-9 + n % 19,
            own=tuple((kind, people[row["patient_id"]][column]) for column, kind in kinds.items()),
        )
        for n, row in enumerate(known)
    ]
    telling = [note for note, spans in zip(every, spans_of(every), strict=True) if len(spans) >= LEAST]
    return telling[:: max(1, len(telling) // SHOWN)][:SHOWN]


def page() -> str:
    """The whole page."""
    lines = [HEAD]
    shown = notes()
    for n, (note, spans) in enumerate(zip(shown, spans_of(shown), strict=True), 1):
        kept = replaced(note, spans, marks)
        instead = replaced(note, spans, stand_ins(b"a key for this page alone, no home's"))
        lines.append(
            f"## {n}\n\n- before: {note.text}\n- `redact`: {kept}\n- `surrogate` ({note.shift:+} days): {instead}\n"
        )
    return "\n".join(lines)


def main() -> None:
    if "--check" in sys.argv:
        sys.exit(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
