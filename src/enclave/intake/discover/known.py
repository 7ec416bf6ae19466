"""Is a name that the house itself knows standing in a text?

Every name of a list in one automaton. What a *register* finds in texts that were gone through is counted for the steward and
changes nothing in them: were another person's name taken out because the register holds it, a note would depend on
persons other than its own (soundness U6, U7; docs/decisions/0050). A steward who sees many left adds the cues before them.

*Staff* are nobody's rows: their list is the same for two extracts that differ in one person, so their names are taken out.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from enclave.intake.discover.cues import lowered
from enclave.intake.discover.lexicon import load
from enclave.intake.discover.pack import narrow

MOST = 2_000_000
"""Distinct names that are looked for; beyond, the check takes longer than it is worth."""
_LEAST, _LONGEST = 2, 12
_LEAST_LATIN, _LONGEST_OF_STAFF = 4, 60
_RARE = math.log(6)
"""A word met three times in the dictionary's corpus, beside a character met in no word: names that parents make of words."""


class Register:
    """The names of a register. A name that is a word too (高明) would be found wherever the word stands: it is left out."""

    def __init__(self, names: Iterable[str]) -> None:
        words = load().words
        fit = {n for name in names if _LEAST <= len(n := name.strip()) <= _LONGEST and n not in words}
        self._automaton = AhoCorasick(
            sorted(fit), matchkind=MatchKind.LeftmostLongest, implementation=Implementation.ContiguousNFA
        )

    def standing(self, text: str) -> int:
        """How many names of the register stand in `text`."""
        return len(self._automaton.find_matches_as_indexes(text))


class Staff:
    """Those who work there, by their names. One that is a common word too (高明) would take that word out of every note: it
    is left out, and known only where it stands in the note's own row."""

    def __init__(self, names: Iterable[str]) -> None:
        plain = {n for name in names if _fits(n := lowered(narrow(name.strip())))}
        self.names = frozenset(name for name in plain if not _common(name))
        self._automaton = AhoCorasick(
            sorted(self.names), matchkind=MatchKind.LeftmostLongest, implementation=Implementation.ContiguousNFA
        )

    @property
    def digest(self) -> str:
        """Of the names; "" of nobody's."""
        return hashlib.sha256("\n".join(sorted(self.names)).encode()).hexdigest() if self.names else ""

    def standing(self, plain: str) -> Iterator[tuple[int, int]]:
        """Where in a text, in small and narrow letters, one of them stands; in Latin letters as whole words."""
        for _, start, end in self._automaton.find_matches_as_indexes(plain) if self.names else ():
            if not (_joins(plain, start - 1, start) or _joins(plain, end - 1, end)):
                yield start, end


def _common(name: str) -> bool:
    rare = load().unknown + _RARE
    return load().words.get(name, rare) > rare


def _fits(name: str) -> bool:
    least = _LEAST_LATIN if name.isascii() else _LEAST
    return least <= len(name) <= _LONGEST_OF_STAFF and not name.isdecimal()


def _joins(text: str, left: int, right: int) -> bool:
    """Whether two characters stand in one Latin word."""
    return left >= 0 and right < len(text) and all(text[at].isascii() and text[at].isalnum() for at in (left, right))


NOBODY = Staff(())
