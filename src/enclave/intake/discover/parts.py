"""What are names made of? The lists of `names.toml`, read once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Parts:
    """Surnames and given names, in Chinese characters and in pinyin."""

    surnames: str
    """Of one character, the commonest first."""
    compound: tuple[str, ...]
    given: str
    """Characters of given names, the commonest first."""
    pinyin: tuple[str, ...]
    """Surnames in Latin letters."""
    syllables: tuple[str, ...]
    """Of Mandarin in pinyin, the longest first."""
    no_given: frozenset[str]
    no_name: frozenset[str]


@cache
def parts() -> Parts:
    tree = tomllib.loads((files(__package__) / "names.toml").read_text(encoding="utf-8"))
    syllables = {initial + final for initial, finals in tree["finals"].items() for final in finals.split()}
    return Parts(
        surnames=tree["surnames"],
        compound=tuple(tree["compound"]),
        given="".join(dict.fromkeys(tree["given"])),
        pinyin=tuple(tree["pinyin"].split()),
        syllables=tuple(sorted(syllables, key=lambda s: (-len(s), s))),
        no_given=frozenset(tree["no_given"]),
        no_name=frozenset(tree["no_name"].split()),
    )
