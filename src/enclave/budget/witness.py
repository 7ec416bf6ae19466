"""What do we remember outside the ledger, so that an older copy of it shows?

One line per checkpoint in a file the site keeps on another disk, or mails on. A chain cannot see that all of it was
replaced by an older copy of itself; this file can. Where there is no witness the claim is not made (design §4 Rollback).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from enclave.audit import Checkpoint, Head, canonical
from enclave.errors import Tampered
from enclave.store import Signature

HEADS = "heads.jsonl"
"""The name of the file in `place.witness`."""


def begin(path: Path) -> None:
    """Make the file, if it is not there, before anything is witnessed: from then on its absence says it was taken away."""
    if path.exists():
        return
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def append(path: Path, checkpoint: Checkpoint) -> None:
    """Add one line, on the disk when this returns. A line torn by a crash was never acknowledged, and is cut off first."""
    assert checkpoint.signature is not None
    signed = {"public_key": checkpoint.signature.public_key, "signature": checkpoint.signature.value}
    line = {"at": checkpoint.at, "state": list(checkpoint.state), "ledger": list(checkpoint.ledger), **signed}
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        file.seek(_whole(file.read()))
        file.truncate()
        file.write(canonical(line) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _whole(content: bytes) -> int:
    return content.rfind(b"\n") + 1


def read(path: Path) -> list[Checkpoint]:
    """Every witnessed checkpoint, oldest line first."""
    content = path.read_bytes()
    lines = content[: _whole(content)].splitlines()
    return [_read_line(number, line) for number, line in enumerate(lines, start=1)]


def _read_line(number: int, line: bytes) -> Checkpoint:
    try:
        said: dict[str, Any] = json.loads(line)
        signature = Signature(said["public_key"], said["signature"])
        return Checkpoint(said["at"], Head(*said["state"]), Head(*said["ledger"]), signature)
    except (ValueError, KeyError, TypeError) as broken:
        raise Tampered("budget.witness_unreadable", line=number) from broken
