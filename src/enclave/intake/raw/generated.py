"""Is what a demo is given the generator's own?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from enclave.errors import Refused, Tampered
from enclave.intake.raw.files import find
from enclave.intake.raw.source import Folder, Source
from enclave.intake.resource import Resource


def check_generated(source: Source, tables: Iterable[Resource]) -> None:
    """A demo takes only what the generator made: its `generator.json` must name every file with its digest."""
    if not isinstance(source, Folder):
        raise Refused("intake.not_generated", place=source.shown)
    files = [find(source.path, table) for table in tables]
    try:
        stated = json.loads((source.path / "generator.json").read_bytes())["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        raise Refused("intake.not_generated", place=str(source.path)) from None
    for path in files:
        if stated.get(path.name) != digest_of(path):
            raise Tampered("intake.generated_altered", place=path.name)


def digest_of(path: Path) -> str:
    """SHA-256 of a raw file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
