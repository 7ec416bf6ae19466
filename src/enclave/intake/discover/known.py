"""Is somebody's name of the enclave's own register still standing in a text?

Every name of the persons' table in one automaton. What it finds in texts that were gone through is counted for the steward
and changes nothing in them: were another person's name taken out because the register holds it, a note would depend on
persons other than its own (soundness U6, U7; docs/decisions/0050). A steward who sees many left adds the cues before them.
"""

from __future__ import annotations

from collections.abc import Iterable

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from enclave.intake.discover.lexicon import load

MOST = 2_000_000
"""Distinct names that are looked for; beyond, the check takes longer than it is worth."""
_LEAST, _LONGEST = 2, 12


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
