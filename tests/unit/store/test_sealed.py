"""What is sealed opens with its key and purpose alone; what is written is whole."""

from pathlib import Path

import pytest

from enclave.errors import Tampered
from enclave.store import open_sealed, seal, write_atomically

KEY = bytes(range(32))


def test_what_is_sealed_opens_with_the_same_key_and_purpose() -> None:
    assert open_sealed(KEY, seal(KEY, b"secret", "a"), "a") == b"secret"


@pytest.mark.parametrize("change", ["key", "purpose", "bit", "cut"])
def test_any_difference_keeps_it_shut(change: str) -> None:
    sealed = seal(KEY, b"secret", "a")
    key, purpose = KEY, "a"
    match change:
        case "key":
            key = bytes(32)
        case "purpose":
            purpose = "b"
        case "bit":
            sealed = sealed[:-1] + bytes([sealed[-1] ^ 1])
        case _:
            sealed = sealed[:5]
    with pytest.raises(Tampered):
        open_sealed(key, sealed, purpose)


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    target = tmp_path / "f"
    write_atomically(target, b"old")
    with pytest.raises(TypeError):
        write_atomically(target, "not bytes")  # type: ignore[arg-type]  # the failure under test
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]
    assert target.stat().st_mode & 0o777 == 0o600
