"""Which words announce an identifier, and of what kind?

A cue stands right before its value (`电话：`, `MRN`). One automaton looks for all cues of `cues.toml` at once; what may
follow a cue of a kind is a pattern of `numbers` or `names`.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick, MatchKind


class Cue(NamedTuple):
    """What is announced, and where the cue stands."""

    about: str
    """A Kind, or how a name is announced: form, person, particle, latin."""
    start: int
    end: int


@cache
def _automaton() -> tuple[AhoCorasick, tuple[str, ...], tuple[bool, ...]]:
    """The automaton; per cue what it announces and whether it is in Latin letters."""
    tree = tomllib.loads((files(__package__) / "cues.toml").read_text(encoding="utf-8"))
    about = {word: kind for group in tree.values() for kind, words in group.items() for word in words}
    latin = tuple(word[0].isascii() for word in about)
    return AhoCorasick(list(about), matchkind=MatchKind.LeftmostLongest), tuple(about.values()), latin


def lowered(text: str) -> str:
    """Small letters, as many characters as before (a few letters of other scripts would become two)."""
    small = text.lower()
    return small if len(small) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def cues(text: str) -> list[Cue]:
    """Every cue in `text`, none of them part of a longer Latin word."""
    automaton, about, latin = _automaton()
    small = lowered(text)
    return [
        Cue(about[which], start, end)
        for which, start, end in automaton.find_matches_as_indexes(small)
        if not latin[which] or not (_letter(small, start - 1) or (_letter(small, end) and small[end - 1] != "."))
    ]


def _letter(text: str, at: int) -> bool:
    return 0 <= at < len(text) and text[at].isascii() and text[at].isalpha()
