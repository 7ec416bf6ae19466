"""A clinic with notes: the descriptor of `clinic` with free text kept, and notes to put in it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.oracle import clinic

from enclave.intake.extract import Extract, build
from enclave.intake.package import Descriptor

FIELDS = ("note_id", "visit_id", "patient_id", "text")


def notes(treatment: str = "redact", **own: str) -> dict[str, Any]:
    """The resource of the notes."""
    pseudonyms = [("note_id", "note"), ("visit_id", "visit"), ("patient_id", "person")]
    fields = [{"name": n, "type": "string", "treatment": "pseudonym", "domain": domain} for n, domain in pseudonyms]
    text = {"name": "text", "type": "string", "treatment": treatment, "own": own or {"name": "name"}}
    return {
        "name": "notes",
        "path": "notes",
        "unit": "patient_id",
        "key": ["note_id"],
        "row_clip": 4,
        "joins": [{"column": "patient_id", "table": "patients", "to": "patient_id"}],
        "schema": {"fields": [*fields, text]},
    }


def described(
    treatment: str = "redact", edit: Callable[[dict[str, Any]], object] | None = None, **own: str
) -> Descriptor:
    """The clinic's descriptor with its notes kept."""

    def with_notes(tree: dict[str, Any]) -> None:
        tree["resources"][-1] = notes(treatment, **own)
        if edit:
            edit(tree)

    return clinic.parsed(with_notes)


def write(folder: Path, raw: clinic.Rows, texts: dict[str, list[str]]) -> Path:
    """The clinic's tables, and for each patient the notes about them."""
    source = clinic.write_csv(folder, raw)
    with (source / "notes.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(FIELDS)
        for person, said in texts.items():
            writer.writerows((f"N-{person}-{n}", "V1", person, text) for n, text in enumerate(said))
    return source


def built(
    folder: Path, raw: clinic.Rows, texts: dict[str, list[str]], d: Descriptor | None = None, key: bytes = clinic.KEY
) -> Extract:
    """An extract of them in `folder`/draft."""
    source, draft = write(folder / "source", raw, texts), folder / "draft"
    draft.mkdir(parents=True)
    return build(d or described(), source, draft, pseudonym_key=key, file_key=clinic.FILE_KEY)


def kept(extract: Extract, person: str, key: bytes = clinic.KEY) -> list[str]:
    """The texts that rest in the extract for a person, in the order of the notes."""
    rows = [r for r in clinic.stored(extract, "notes") if r["patient_id"] == clinic.pseudonym("person", person, key)]
    of = {clinic.pseudonym("note", f"N-{person}-{n}", key): n for n in range(len(rows))}
    return [str(row["text"]) for row in sorted(rows, key=lambda row: of[row["note_id"]])]
