"""The page of attacks names all of them, and every test it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "privacy" / "attacks.md").read_text(encoding="utf-8")
KNOWN = 53

Line = tuple[int, str, str, list[str]]


def lines() -> list[Line]:
    found: list[Line] = []
    for line in PAGE.splitlines():
        cells = [c.strip() for c in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0].isdigit():
            found.append((int(cells[0]), cells[1], cells[2], re.findall(r"`(tests/[^`]+)`", cells[3])))
    return found


def test_every_attack_of_the_table_has_its_row() -> None:
    assert [number for number, *_ in lines()] == list(range(1, KNOWN + 1))


@pytest.mark.parametrize("line", lines(), ids=lambda line: f"row {line[0]:02}")
def test_a_row_names_a_test_that_exists_or_says_why_not(line: Line) -> None:
    _, _, done, tests = line
    assert tests or done.startswith("*not yet*"), "a row without a test says why"
    for cited in tests:
        path, _, name = cited.partition("::")
        assert (ROOT / path).is_file(), cited
        assert not name or f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), cited


def test_the_other_tests_named_on_the_page_exist() -> None:
    for path in set(re.findall(r"`(tests/[\w/]+\.py)", PAGE)):
        assert (ROOT / path).is_file(), path


def test_every_attack_test_of_a_row_is_on_the_page() -> None:
    for path in (ROOT / "tests" / "attacks").glob("test_row*.py"):
        assert path.name in PAGE, f"{path.name} is not on the page"
