"""The title of an output is a command to the terminal of whoever decides on it. Each attack has its control."""

from __future__ import annotations

import json

import pytest
from rich.console import Console
from rich.markup import escape

from domicile.wire.terminal import as_json, table, tell, tell_refusal

UP, ERASE = "\x1b[1A", "\x1b[2K"
TITLE = f"{ERASE}{UP}{ERASE}Stay\x07\x9b2K\r\u202e[bold]\nout_2  pass"
COMMANDS = set("\x1b\x07\x9b\r\u202e")


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    said = capsys.readouterr()
    return said.out + said.err


def test_control_what_escapes_markup_passes_commands_on(capsys: pytest.CaptureFixture[str]) -> None:
    Console(width=140).print(escape(TITLE))
    assert UP in shown(capsys)


def test_a_title_gives_a_reviewers_terminal_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    table("", ("output", "findings", "title"), [{"output": "out_1", "findings": "fail: identifier", "title": TITLE}])
    said = shown(capsys)
    assert not COMMANDS & set(said)
    assert "fail: identifier" in said and "\\u{1b}" in said, "what was tried is spelled out"
    rows = [line for line in said.splitlines() if "out_" in line]
    assert rows[0].split()[1] == "out_1", "the row itself"
    assert not any(line.lstrip("│ ").startswith("out_2") for line in said.splitlines()), "and no other that is made up"


@pytest.mark.parametrize("say", [tell, tell_refusal])
def test_words_give_no_command(say: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert callable(say)
    say(f"refused: {TITLE}")
    assert not COMMANDS & set(shown(capsys))


def test_what_programs_read_is_the_same_value_without_commands(capsys: pytest.CaptureFixture[str]) -> None:
    as_json({"title": TITLE, "words": "住院 é"})
    said = shown(capsys)
    assert not COMMANDS & set(said)
    assert json.loads(said) == {"title": TITLE, "words": "住院 é"} and "住院 é" in said


def test_plain_words_stay_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    tell("住院时间 [bold] α\nsecond line")
    assert shown(capsys) == "住院时间 [bold] α\nsecond line\n"
