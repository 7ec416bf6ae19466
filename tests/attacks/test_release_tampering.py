"""Somebody alters a release after it left, or passes off another one."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import domicile
from domicile.client import ProblemError
from domicile.client.fetch import unpack
from domicile.verified import canonical
from enclave.store.keyring import new_signing_key, sign_with

PRIVATE, PUBLIC = new_signing_key()


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write_receipt(folder: Path, receipt: dict[str, Any], private: bytes = PRIVATE) -> None:
    signature = sign_with(private, canonical(receipt))
    proof = {"algorithm": "Ed25519", "public_key": signature.public_key, "value": signature.value}
    (folder / "receipt.json").write_text(json.dumps({"receipt": receipt, "signature": proof}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "rel_1"
    made.mkdir()
    (made / "01-table.csv").write_bytes(b"dept,los\nCARD,5\n")
    (made / "notebook.ipynb").write_bytes(b"{}")
    outputs = [{"id": "out_1", "files": {"01-table.csv": _sha(b"dept,los\nCARD,5\n")}}]
    receipt = {"format": 1, "release": "rel_1", "outputs": outputs, "files": {"notebook.ipynb": _sha(b"{}")}}
    _write_receipt(made, receipt)
    return made


def _edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    signed = json.loads((folder / "receipt.json").read_text())
    change(signed)
    (folder / "receipt.json").write_text(json.dumps(signed))


def test_the_control_verifies_and_says_whether_the_key_was_known(folder: Path) -> None:
    assert domicile.verify(folder, PUBLIC).key_known
    unknown = domicile.verify(folder)
    assert unknown.ok and not unknown.key_known


def _resign(folder: Path) -> None:
    signed = json.loads((folder / "receipt.json").read_text())
    _write_receipt(folder, signed["receipt"], new_signing_key()[0])


def _double_format(folder: Path) -> None:
    _edit(folder, lambda s: s["receipt"].__setitem__("format", 2))


def _change_number_and_digest(folder: Path) -> None:
    (folder / "01-table.csv").write_bytes(b"y")
    _edit(folder, lambda s: s["receipt"]["outputs"][0]["files"].update({"01-table.csv": _sha(b"y")}))


def _point_elsewhere(folder: Path) -> None:
    (folder / "01-table.csv").unlink()
    (folder / "01-table.csv").symlink_to("/etc/hostname")


def _swap_key(folder: Path) -> None:
    _edit(folder, lambda s: s["signature"].update(public_key="00" * 32))


TAMPERINGS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a number changed": (lambda f: (f / "01-table.csv").write_bytes(b"dept,los\nCARD,6\n"), "release.file_altered"),
    "a file removed": (lambda f: (f / "01-table.csv").unlink(), "release.file_missing"),
    "a file added": (lambda f: (f / "02-table.csv").write_bytes(b"x"), "release.file_foreign"),
    "a hidden file added": (lambda f: (f / ".note").write_bytes(b"x"), "release.file_foreign"),
    "the receipt edited": (
        lambda f: _edit(f, lambda s: s["receipt"].__setitem__("release", "rel_2")),
        "release.signature_broken",
    ),
    "a digest edited with its file": (_change_number_and_digest, "release.signature_broken"),
    "signed by somebody else": (_resign, "release.key_foreign"),
    "the key swapped": (_swap_key, "release.signature_broken"),
    "another algorithm named": (
        lambda f: _edit(f, lambda s: s["signature"].update(algorithm="none")),
        "release.signature_broken",
    ),
    "the signature emptied": (
        lambda f: _edit(f, lambda s: s["signature"].update(value="")),
        "release.signature_broken",
    ),
    "the signature gone": (lambda f: _edit(f, lambda s: s.pop("signature")), "release.receipt_unknown"),
    "something beside the receipt": (lambda f: _edit(f, lambda s: s.update(note="x")), "release.receipt_unknown"),
    "another format": (_double_format, "release.receipt_unknown"),
    "no receipt": (lambda f: (f / "receipt.json").unlink(), "release.receipt_unknown"),
    "a receipt that is no JSON": (lambda f: (f / "receipt.json").write_bytes(b"{"), "release.receipt_unknown"),
    "a file that points elsewhere": (_point_elsewhere, "release.unreadable"),
}


@pytest.mark.parametrize("name", sorted(TAMPERINGS))
def test_it_is_seen(folder: Path, name: str) -> None:
    tamper, code = TAMPERINGS[name]
    tamper(folder)
    report = domicile.verify(folder, PUBLIC)
    assert not report.ok and not report.key_known
    assert code in {trouble.code for trouble in report.troubles}
    assert all(t.words("en") and t.words("zh") for t in report.troubles)


def _zip(path: Path, entries: list[tuple[str, bytes]]) -> bytes:
    with zipfile.ZipFile(path, "w") as files:
        for name, content in entries:
            files.writestr(zipfile.ZipInfo(name), content)
    return path.read_bytes()


def test_a_second_file_of_the_same_name_in_a_package_is_seen(folder: Path, tmp_path: Path) -> None:
    entries = [(p.name, p.read_bytes()) for p in folder.iterdir()]
    path = tmp_path / "rel.zip"
    _zip(path, entries)
    assert domicile.verify(path, PUBLIC).ok
    with pytest.warns(UserWarning, match="Duplicate name"):
        _zip(path, [("01-table.csv", b"first"), *entries])
    assert [t.code for t in domicile.verify(path, PUBLIC).troubles] == ["release.unreadable"]


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out", "..\\out", "C:out", "folder/"])
def test_a_package_never_writes_outside_its_folder(tmp_path: Path, name: str) -> None:
    package = _zip(tmp_path / "p.zip", [("fine.txt", b"x"), (name, b"")])
    before = set(tmp_path.rglob("*"))
    with pytest.raises(ProblemError) as refused:
        unpack(package, tmp_path / "release")
    assert refused.value.code == "client.release_unsafe"
    assert set(tmp_path.rglob("*")) == before
