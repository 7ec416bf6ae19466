"""The witness file is appended whole lines, and remembers."""

from pathlib import Path

import pytest

from enclave.audit import Checkpoint, Head
from enclave.budget.witness import append, read
from enclave.errors import Tampered
from enclave.store import Signature


def checkpoint(seq: int) -> Checkpoint:
    return Checkpoint("now", Head(1, "a" * 64), Head(seq, "b" * 64), Signature("cc", "dd"))


def test_what_is_appended_is_read_back_in_order(tmp_path: Path) -> None:
    file = tmp_path / "heads.jsonl"
    for seq in (1, 2):
        append(file, checkpoint(seq))
    assert read(file) == [checkpoint(1), checkpoint(2)]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_line_torn_by_a_crash_is_not_read_and_is_cut_off_by_the_next(tmp_path: Path) -> None:
    file = tmp_path / "heads.jsonl"
    append(file, checkpoint(1))
    with file.open("ab") as torn:
        torn.write(b'{"at": "no')
    assert read(file) == [checkpoint(1)]
    append(file, checkpoint(2))
    assert read(file) == [checkpoint(1), checkpoint(2)]


@pytest.mark.parametrize("line", ["{}", "x", "[]", '{"at":"x","state":[1],"ledger":[1,"x"]}'])
def test_a_whole_line_that_says_nothing_is_tampering(tmp_path: Path, line: str) -> None:
    file = tmp_path / "heads.jsonl"
    append(file, checkpoint(1))
    with file.open("a") as more:
        more.write(line + "\n")
    with pytest.raises(Tampered, match="Line 2"):
        read(file)
