"""What does a column's name announce?

A dictionary in English, Chinese, pinyin and its initials (`headers.toml`). A name is taken whole, without separators, and
in parts (`contact_phone` is a second person's phone); a part such as `type` says the column holds no identifier but
something about one. A whole name may say
that somebody who works there is meant (`written_by`): no patient, and no second one. What a name announces is a hint: values
are asked too (`columns`).
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from enclave.intake.kinds import Kind

_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[\u3400-\u9fff]+")
_LONGEST = 3
"""Parts that make up one word of the dictionary: medical_record_no."""
_WHOLE = "name"
"""Announces a person by itself, or beside a word for one: a drug has a name too."""


class Announced(NamedTuple):
    """The kind of identifier a name announces, and whether it is a second person's, or of somebody who works there."""

    kind: Kind | None
    second: bool
    staff: bool = False


@cache
def _dictionary() -> tuple[dict[str, Kind], frozenset[str], frozenset[str]]:
    kinds = {word: Kind(kind) for kind, words in _tree()["names"].items() for word in words}
    return kinds, frozenset(_tree()["second"]["words"]), frozenset(_tree()["about"]["words"])


@cache
def _tree() -> dict[str, Any]:
    return tomllib.loads((files(__package__) / "headers.toml").read_text(encoding="utf-8"))


@cache
def _staff() -> tuple[frozenset[str], tuple[str, ...]]:
    """Words for those who work there, and what may stand behind one: their name or number."""
    return frozenset(_tree()["staff"]["words"]), tuple(_tree()["staff"]["by"])


def announced_by(column: str) -> Announced:
    """What the name of a column announces."""
    kinds, second, about = _dictionary()
    parts = [part.lower() for part in _PART.findall(column)]
    whole = "".join(parts)
    if _of_staff(whole):
        return Announced(kinds.get(whole), False, True)
    if whole in kinds:
        return Announced(kinds[whole], _holds(whole, parts, second))
    words = {"".join(parts[a:b]) for a in range(len(parts)) for b in range(a + 1, min(len(parts), a + _LONGEST) + 1)}
    if words & about or any(whole.endswith(word) for word in about if not word.isascii()):
        return Announced(None, False)
    other = _holds(whole, parts, second)
    found = max(
        (word for word in kinds if (other or word != _WHOLE) and _stands(word, words, whole)), key=len, default=""
    )
    return Announced(kinds.get(found), other)


def _of_staff(whole: str) -> bool:
    """Whether the whole name is a word for somebody who works there, alone or with `name`, `id` … behind it."""
    words, by = _staff()
    return whole in words or any(whole.removesuffix(end) in words for end in by if whole.endswith(end))


def _holds(whole: str, parts: list[str], listed: frozenset[str]) -> bool:
    return whole in listed or any(_stands(word, set(parts), whole) for word in listed)


def _stands(word: str, words: set[str], whole: str) -> bool:
    """A Latin word stands as one or more whole parts; a Chinese one anywhere."""
    return word in words if word.isascii() else word in whole
