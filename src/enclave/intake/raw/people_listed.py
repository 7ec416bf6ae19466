"""Which persons does a list file name?

One identifier a line, as the person table spells it (or, with `keys`, a pseudonym). A line that a spreadsheet mangled, or
that holds more than one value, is refused by its number and never repeated: who it named would stay in.
"""

from __future__ import annotations

import re
from pathlib import Path

from enclave.errors import BadInput
from enclave.intake.choices import pseudonym_of

_LARGEST = 256 * 2**20
_MANGLED = re.compile(r"\d(?:\.\d+)?[Ee]\+?\d{1,3}")
_WIDE = re.compile("[０-９Ａ-Ｚａ-ｚ]")
_KEY = re.compile(r"-?\d{1,19}")
_SEPARATED = re.compile(r"[,;\t|\"]")


def people_listed(path: Path, key: bytes, domain: str, *, keys: bool = False) -> frozenset[int]:
    """The pseudonyms of the persons in the file; BadInput with the line of the first that cannot be meant."""
    persons = frozenset(
        _key(path, n, line) if keys else pseudonym_of(key, domain, _identifier(path, n, line))
        for n, line in enumerate(_text(path).splitlines(), 1)
        if line.strip()
    )
    if not persons:
        raise BadInput("choices.empty", place=path.name)
    return persons


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise BadInput("choices.too_large", place=path.name, limit=_LARGEST)
        return path.read_text(encoding="utf-8-sig")
    except OSError as missing:
        raise BadInput("choices.unreadable", place=str(path), why=missing.strerror or "unreadable") from None
    except UnicodeDecodeError:
        raise BadInput("choices.not_utf8", place=path.name) from None


def _identifier(path: Path, n: int, line: str) -> str:
    found = line.strip()
    if _MANGLED.fullmatch(found) or _WIDE.search(found) or _SEPARATED.search(found):
        raise BadInput("choices.malformed_line", place=f"{path.name} line {n}")
    return found


def _key(path: Path, n: int, line: str) -> int:
    found = line.strip()
    if not _KEY.fullmatch(found) or not -(2**63) <= int(found) < 2**63:
        raise BadInput("choices.no_key", place=f"{path.name} line {n}")
    return int(found)
