"""Every code raised has its words, in both languages, with the same facts."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from domicile.wire.words import LANGUAGES, catalogue

ROOT = Path(__file__).parents[2]
RAISED = re.compile(r"(?:BadInput|Refused|NotFound|Tampered|Incident|NoWall)\(\s*\"([a-z_]+\.[a-z0-9_]+)\"")
HAN = re.compile(r"[\u4e00-\u9fff]")


def facts(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("code", sorted(catalogue()))
def test_words_exist_in_both_languages_with_the_same_facts(code: str) -> None:
    words = catalogue()[code]
    assert set(words) == set(LANGUAGES)
    assert facts(words["en"]) == facts(words["zh"])
    assert HAN.search(words["zh"]), "the Chinese words hold no Chinese"


def test_every_raised_code_is_in_the_catalogue() -> None:
    raised = {code for path in (ROOT / "src").rglob("*.py") for code in RAISED.findall(path.read_text())}
    assert raised, "the search itself must find something"
    assert raised <= set(catalogue()), raised - set(catalogue())
