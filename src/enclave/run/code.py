"""What exactly does a reviewer pass? A notebook's code: all that goes behind the wall but parameters' values.

The digest covers every cell as the jail gets it (kind, source, tags) and every declaration of a parameter, byte for byte:
whoever changes a letter is asked again. Outputs, ids and other metadata never go in, so they do not count.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from textwrap import indent

from sqlalchemy import Connection, select

from domicile.wire.hidden import spelled
from enclave.audit import Transaction
from enclave.run.notebook import Source
from enclave.run.tables import code_reviews

PASSED, REFUSED = "pass", "refuse"
_MARGIN = "    "


@dataclass(frozen=True)
class Code:
    """The code of one notebook: `digest` is what a decision is about, `text` what a person reads."""

    digest: str
    text: str

    @classmethod
    def of(cls, source: Source) -> Code:
        return cls(digest_of(source), _text(source))


def digest_of(source: Source) -> str:
    """SHA-256 (hex) of everything in `source` that can make it run otherwise."""
    cells = [[cell.kind, cell.source, list(cell.tags)] for cell in source.cells]
    declared = source.schema.declared() if source.schema is not None else None
    body = {"kind": "domicile.code/1", "cells": cells, "parameters": declared}
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def passed_before(connection: Connection | Transaction, project: str, dataset: str, digest: str) -> str | None:
    """The run under which this very code was passed for this project and dataset; None while nobody passed it."""
    same = (code_reviews.c.project == project) & (code_reviews.c.dataset == dataset) & (code_reviews.c.code == digest)
    wanted = select(code_reviews.c.run).where(same, code_reviews.c.verdict == PASSED)
    found = connection.execute(wanted.order_by(code_reviews.c.at).limit(1)).scalar()
    return None if found is None else str(found)


def _text(source: Source) -> str:
    """Headers stand at the margin and what people wrote does not: `# cell 3: markdown` is a comment that code may hold."""
    parts = []
    if source.schema is not None:
        said = json.dumps(source.schema.declared(), ensure_ascii=False, indent=1, sort_keys=True)
        parts.append(f"# parameters\n{indent(said, _MARGIN)}")
    for number, cell in enumerate(source.cells):
        tags = f" [{', '.join(spelled(tag, '') for tag in cell.tags)}]" if cell.tags else ""
        parts.append(f"# cell {number}: {cell.kind}{tags}\n{indent(cell.source, _MARGIN)}")
    return spelled("\n\n".join(parts))
