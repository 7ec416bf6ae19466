"""Reading characters as words: the likeliest of all ways to cut them, without trying those that no word begins with."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import pytest

from enclave.intake.discover.lexicon import LONGEST, load
from enclave.intake.discover.reading import Reader

TEXT = "患者因反复胸闷气促三天入院既往有高血压病史十年余予以阿司匹林肠溶片口服治疗王主任查房后建议完善冠状动脉造影检查"


def likeliest(text: str) -> float:
    """Of every way to cut the text."""
    words, unknown = load().words, load().unknown
    best = -math.inf
    for count in range(len(text)):
        for cuts in combinations(range(1, len(text)), count):
            pieces = [text[a:b] for a, b in pairwise((0, *cuts, len(text)))]
            if all(len(p) == 1 or (len(p) <= LONGEST and p in words) for p in pieces):
                best = max(best, sum(words.get(p, unknown) for p in pieces))
    return best


@pytest.mark.parametrize("place", range(0, len(TEXT) - 9, 7))
def test_nothing_likelier_is_passed_over(place: int) -> None:
    found = Reader(load())._as_words(f"。{TEXT}", place + 1, place + 10)
    assert len(found) == 10 and found[-1] == 0.0
    for k in range(9):
        assert found[k] == pytest.approx(likeliest(TEXT[place + k : place + 9])), TEXT[place + k : place + 9]
