"""What do names of columns and tables say, beyond announcing identifiers?

A dictionary in English, Chinese, pinyin initials and codes of the front page (`known.toml`), with what a first descriptor
proposes for each and how the values must look for the name to be believed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[\u3400-\u9fff]+")
_STORED = re.compile(r"[a-z][a-z0-9_]{0,47}")


@dataclass(frozen=True)
class Known:
    """One entry of the dictionary; `fits` is how its values look."""

    name: str
    fits: str
    yields: tuple[dict[str, Any], ...]

    @property
    def list(self) -> str:
        """The public list its values are words of; "" when it has none."""
        return next((str(output["list"]) for output in self.yields if "list" in output), "")


@cache
def _tree() -> dict[str, Any]:
    return tomllib.loads((files(__package__) / "known.toml").read_text(encoding="utf-8"))


@cache
def _columns() -> dict[str, Known]:
    return {
        word: Known(name, entry["fits"], tuple(entry["yields"]))
        for name, entry in _tree()["columns"].items()
        for word in entry["words"]
    }


def lists() -> dict[str, dict[str, str]]:
    """The public code lists: name → raw code → stored word."""
    return {name: dict(entry["rename"]) for name, entry in _tree()["lists"].items()}


def known_by(column: str) -> Known | None:
    """The entry for the whole name of a column, else for its longest ending (`patient_sex`)."""
    return next((found for end in _endings(column) if (found := _columns().get(end))), None)


def person_rank(column: str) -> int | None:
    """How likely a column of this name names the person: the smaller, the likelier; None: it says nothing."""
    words: Sequence[str] = _tree()["persons"]["words"]
    whole = "".join(_parts(column))
    return words.index(whole) if whole in words else None


def numbers_rows(column: str) -> bool:
    """Whether the name is that of an identifier of rows."""
    words = tuple(_tree()["ids"]["words"])
    parts = _parts(column)
    return bool(parts) and (parts[-1] in words or (not parts[-1].isascii() and parts[-1].endswith(words)))


def stored_table(path: str, n: int) -> str:
    """The name a table is stored under: its own in small letters, else of the dictionary, else `table_N`."""
    own = path.rpartition(".")[2]
    for name, words in _tree()["tables"].items():
        if "".join(_parts(own)) in words:
            return str(name)
    return own.lower() if _STORED.fullmatch(own.lower()) else f"table_{n}"


def stored_column(column: str, n: int) -> str:
    """The name a column is stored under: its own in small letters, else of the dictionary, else `column_N`."""
    if _STORED.fullmatch(column.lower()):
        return column.lower()
    if known := known_by(column):
        return known.name
    whole = "".join(_parts(column))
    return next((str(name) for name, words in _tree()["names"].items() if whole in words), f"column_{n}")


def _parts(name: str) -> list[str]:
    return [part.lower() for part in _PART.findall(name)]


def _endings(name: str) -> list[str]:
    parts = _parts(name)
    return ["".join(parts[n:]) for n in range(len(parts))]
