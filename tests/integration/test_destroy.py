"""A dataset is destroyed by its key: nobody opens it again, not even from a copy of its files, and a certificate says so."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
from tests.integration.channels import Channel, broker, leased, spent
from tests.living import Living, as_json

from enclave import audit
from enclave.catalogue import find, open_key
from enclave.catalogue.life import Destroyed, retire_versions
from enclave.custody.destroy import Certificate, destroy
from enclave.errors import BadInput, EnclaveError, NotFound, Refused
from enclave.store import Signature, verify_signature

REASON = "the study ended"


def test_what_was_copied_before_opens_for_nobody_after(house: Living, tmp_path: Path) -> None:
    dataset = find(house.db, "hospital")
    shutil.copytree(house.place.extracts / "hospital", tmp_path / "copy")
    open_key(house.place, house.keyring, dataset)  # the control: until now it opens
    destroy(house.db, house.place, house.keyring, "steward", "hospital", REASON)
    with pytest.raises(NotFound):
        find(house.db, "hospital")
    shutil.copytree(tmp_path / "copy", house.place.extracts / "hospital")  # somebody puts the files back
    with pytest.raises(EnclaveError) as refused:
        open_key(house.place, house.keyring, dataset)
    assert refused.value.code == "store.no_key"


def test_the_certificate_names_every_version_and_verifies(house: Living) -> None:
    dataset = find(house.db, "hospital")
    path = destroy(house.db, house.place, house.keyring, "steward", "hospital", REASON)
    tree = json.loads(path.read_text())
    kept = tree["certificate"]
    assert [v["version"] for v in kept["versions"]] == [dataset.version] and kept["key"] and kept["reason"] == REASON
    made = Certificate(**{**kept, "versions": tuple(Destroyed(**v) for v in kept["versions"])})
    verify_signature(made.message(), Signature(**tree["signature"]))
    altered = Certificate(**{**asdict(made), "versions": made.versions, "reason": "another"})
    with pytest.raises(EnclaveError):
        verify_signature(altered.message(), Signature(**tree["signature"]))
    kinds = [event["kind"] for event in audit.search(house.db, subject="dataset hospital", limit=50)]
    assert {"dataset.destruction", "extract.destroyed", "extract.destruction_certified"} <= set(kinds)


def test_what_a_crash_left_is_finished_by_the_next_call(house: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(type(house.keyring), "destroy_dataset_key", crash)
        destroy(house.db, house.place, house.keyring, "steward", "hospital", REASON)
    with pytest.raises(NotFound):
        find(house.db, "hospital")
    path = destroy(house.db, house.place, house.keyring, "steward", "hospital", REASON)
    assert json.loads(path.read_text())["certificate"]["key"]
    assert not (house.place.extracts / "hospital").exists()
    events = audit.search(house.db, kind="extract.destroyed", limit=50)
    assert len(events) == 1, "it was destroyed once"


def test_a_run_that_was_asking_gets_no_answer_any_more(house: Living) -> None:
    with broker(house), Channel(house, leased(house)) as channel:
        assert channel.ask("SELECT COUNT(*) AS n FROM visits").head["ok"], "the control"
        before = spent(house)
        destroy(house.db, house.place, house.keyring, "steward", "hospital", REASON)
        assert channel.ask("SELECT COUNT(*) AS n FROM patients").code == "catalogue.destroyed"
        assert spent(house) == before, "refused in words, before anything was charged"


def test_it_is_asked_twice_and_with_a_reason(house: Living) -> None:
    with pytest.raises(BadInput):
        destroy(house.db, house.place, house.keyring, "steward", "hospital", "  ")
    with pytest.raises(NotFound):
        destroy(house.db, house.place, house.keyring, "steward", "nowhere", REASON)
    assert find(house.db, "hospital")
    done = house.cli("steward", "enclave", "destroy", "hospital", "--reason", REASON)
    assert done.returncode != 0 and "--yes" in done.stderr
    done = house.cli("officer", "enclave", "destroy", "hospital", "--reason", REASON, "--yes")
    assert done.returncode != 0, "only the steward"
    assert as_json(house.typed("steward", "enclave", "datasets", "--json"))
    done = house.cli("steward", "enclave", "destroy", "hospital", "--reason", REASON, "--yes")
    assert done.returncode == 0, done.stderr
    assert as_json(house.typed("steward", "enclave", "datasets", "--json")) == []


def test_what_is_retired_is_given_to_nobody_and_destroyed_later(house: Living) -> None:
    path = house.place.extracts / "hospital"
    with broker(house), Channel(house, leased(house)) as channel:
        assert channel.ask("SELECT COUNT(*) AS n FROM visits").head["ok"], "the control"
        before = spent(house)
        done = house.typed("officer", "enclave", "retire", "hospital", "--reason", REASON)
        assert done.returncode != 0, "only the steward"
        assert house.typed("steward", "enclave", "retire", "hospital", "--reason", "  ").returncode != 0
        done = house.typed("steward", "enclave", "retire", "hospital", "--reason", REASON)
        assert done.returncode == 0 and "1" in done.stdout, done.stderr
        assert channel.ask("SELECT COUNT(*) AS n FROM patients").code == "catalogue.retired"
        assert spent(house) == before, "refused in words, before anything was charged"
    assert as_json(house.typed("steward", "enclave", "datasets", "--json")) == [] and path.exists()
    for version in (None, 1):
        with pytest.raises(NotFound) as gone:
            find(house.db, "hospital", version)
        assert gone.value.code == "catalogue.retired"
    with pytest.raises(Refused):
        retire_versions(house.db, "steward", "hospital", REASON)
    kinds = [event["kind"] for event in audit.search(house.db, subject="dataset hospital", limit=50)]
    assert kinds.count("extract.retired") == kinds.count("dataset.retirement") == 1
    destroy(house.db, house.place, house.keyring, "steward", "hospital", REASON)
    assert not path.exists()
