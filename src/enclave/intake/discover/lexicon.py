"""How likely is it that these characters are a word, and how likely a person's name?

Both come from jieba's files, read as they lie in the package: its dictionary (word and frequency) and the emissions of
its part-of-speech model for the tag *nr*, person. jieba's own loader would keep a cache in the shared temporary folder,
and its tagger walks every character of a text; names need neither. Words of the ward (`clinical.txt`) are added.

A name is scored as in the role model of Zhang and Liu (2002): P(surname) · P(given | middle, end), in natural logarithms,
beside words under one unigram model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from enclave.intake.discover.parts import parts

LONGEST = 5
"""Characters of the longest word that is looked up."""

_FLOOR = 0.5
"""The frequency of a character that is no word of its own."""
_FAMOUS = 300
"""Below this, a word of two characters that is tagged a person is somebody's name rather than a word."""
_CLINICAL = 2000
"""The frequency, at least, of a word of the ward."""
_COMMON, _COMMON_GIVEN, _RARER_GIVEN = 100, -5.8, -7.2
"""So likely, at least, is one of the first hundred listed characters in a given name, and any other of them."""


@dataclass(frozen=True)
class Lexicon:
    """Natural logarithms of probabilities, by word and by character of a name."""

    words: dict[str, float]
    surname: dict[str, float]
    middle: dict[str, float]
    end: dict[str, float]
    unknown: float
    """Of a character that is in no list."""


def _dictionary() -> dict[str, int]:
    """Frequencies of words; jieba's names of three characters and more are left out, of two they hardly count."""
    found: dict[str, int] = {}
    with (files("jieba") / "dict.txt").open(encoding="utf-8") as lines:
        for line in lines:
            word, frequency, tag = line.split()
            named = tag.startswith("nr")
            if len(word) <= LONGEST and not (named and len(word) > 2):
                found[word] = 1 if named and len(word) == 2 and int(frequency) < _FAMOUS else int(frequency)
    clinical = (files(__package__) / "clinical.txt").read_text(encoding="utf-8")
    for line in clinical.splitlines():
        for word in () if line.startswith("#") else line.split():
            if len(word) <= LONGEST:
                found[word] = max(found.get(word, 0), _CLINICAL)
    return found


def _given(emitted: dict[str, float]) -> dict[str, float]:
    """The model's emissions, raised for the characters listed as those of given names: it was trained on news."""
    least = {c: _COMMON_GIVEN if n < _COMMON else _RARER_GIVEN for n, c in enumerate(parts().given)}
    return emitted | {c: max(floor, emitted.get(c, floor)) for c, floor in least.items()}


@cache
def load() -> Lexicon:
    """Read once per process: about a second."""
    from jieba.posseg.prob_emit import P as emitted

    frequency = _dictionary()
    total = math.log(sum(frequency.values()))
    return Lexicon(
        words={word: math.log(max(count, _FLOOR)) - total for word, count in frequency.items()},
        surname=dict(emitted["B", "nr"]),
        middle=_given(emitted["M", "nr"]),
        end=_given(emitted["E", "nr"]),
        unknown=math.log(_FLOOR) - total,
    )
