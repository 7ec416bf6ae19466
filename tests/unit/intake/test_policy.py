"""Only what this home signed, as it was signed, is a policy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.oracle import clinic

from enclave.audit import verify_events
from enclave.errors import BadInput, Refused, Tampered
from enclave.intake import policy


@pytest.fixture
def home(tmp_path: Path) -> clinic.Home:
    return clinic.home(tmp_path / "home")


def test_a_signed_policy_gives_its_bytes_digest_and_signer(home: clinic.Home) -> None:
    path = home.signed(clinic.text())
    signed = policy.check_signed(path, home.keyring)
    assert (signed.text, signed.signer) == (clinic.text(), "steward")
    assert verify_events(home.db) >= 1


def test_an_unsigned_policy_is_refused(home: clinic.Home) -> None:
    path = home.signed(clinic.text())
    policy.signature_path(path).unlink()
    with pytest.raises(Refused) as refused:
        policy.check_signed(path, home.keyring)
    assert refused.value.code == "policy.unsigned"


def test_one_altered_byte_is_seen(home: clinic.Home) -> None:
    path = home.signed(clinic.text())
    path.write_bytes(path.read_bytes().replace(b"grade: 2", b"grade: 1"))
    with pytest.raises(Tampered) as altered:
        policy.check_signed(path, home.keyring)
    assert altered.value.code == "policy.altered"


def test_a_signature_with_another_signer_or_digest_does_not_hold(home: clinic.Home) -> None:
    path = home.signed(clinic.text())
    sheet = json.loads(policy.signature_path(path).read_text())
    policy.signature_path(path).write_text(json.dumps(sheet | {"signer": "somebody else"}))
    with pytest.raises(Tampered) as forged:
        policy.check_signed(path, home.keyring)
    assert forged.value.code == "store.signature_broken"


def test_another_homes_signature_does_not_count(home: clinic.Home, tmp_path: Path) -> None:
    path = home.signed(clinic.text())
    with pytest.raises(Tampered) as foreign:
        policy.check_signed(path, clinic.home(tmp_path / "other").keyring)
    assert foreign.value.code == "store.signature_foreign"


@pytest.mark.parametrize("sheet", [b"", b"[]", b"{}", b"\xff"])
def test_a_malformed_signature_file_is_refused(home: clinic.Home, sheet: bytes) -> None:
    path = home.signed(clinic.text())
    policy.signature_path(path).write_bytes(sheet)
    with pytest.raises(Tampered) as malformed:
        policy.check_signed(path, home.keyring)
    assert malformed.value.code == "policy.signature_malformed"


def test_nobody_signs_a_descriptor_that_intake_would_refuse(home: clinic.Home) -> None:
    with pytest.raises(BadInput):
        home.signed(clinic.text(lambda tree: tree.update(surprise=1)))
    path = home.place.policies / "datasets" / "clinic" / "datapackage.yaml"
    assert not policy.signature_path(path).exists()
