"""What a receipt says of run, data and budget is read from the home, and from a manifest whose signature holds."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from sqlalchemy import insert

from enclave.audit import Event, record
from enclave.broker.session import ASKED
from enclave.budget import Amount, Charge, Ledger, Share, project
from enclave.catalogue import Dataset
from enclave.catalogue.dictionary import to_json
from enclave.catalogue.manifest import Manifest, folder_of, write_manifest
from enclave.catalogue.tables import extracts
from enclave.errors import Tampered
from enclave.release import gather
from enclave.release.send import SENT
from enclave.run import Limits, SandboxFiles, Submission, submit


def shelved(cast: Any, dataset: Dataset) -> None:
    """A shelf entry as intake leaves it: the row and the signed manifest."""
    row = {
        "name": dataset.name, "version": dataset.version, "state": "shelved", "digest": dataset.digest,
        "policy_digest": dataset.policy_digest, "norm_digest": "", "file_digest": "f" * 64,
        "dictionary": to_json(dataset), "shelved_at": "", "shelved_by": "steward",
    }  # fmt: skip
    with record(cast.db, Event(SENT, "steward", "hospital")) as tx:
        tx.execute(insert(extracts), row)
    folder = folder_of(cast.place, dataset.name, dataset.version)
    folder.mkdir(parents=True)
    manifest = Manifest(
        name=dataset.name, version=1, register="city", demo=True, digest=dataset.digest, file_digest="f" * 64,
        policy_digest=dataset.policy_digest, policy_signer="", norm_digest="", pseudonym_key="", sealed_key="", rows={},
        read={}, dropped={}, lineage={}, made_at="",
    )  # fmt: skip
    write_manifest(folder, manifest, cast.keyring)


def test_the_origin_of_a_release_is_read_from_the_home(cast: Any) -> None:
    shelved(cast, cast.dataset())
    notebook = json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": "1"}]}).encode()
    submission = Submission(
        "prj_1", "grt_1", "researcher", "hospital", 1, notebook, {"epsilon": 0.5}, name="stay.ipynb"
    )
    run = submit(cast.db, submission, Limits.default(SandboxFiles.find())).run
    payer, other = project("prj_1"), project("prj_2")
    with Ledger.of(cast.place) as ledger:
        for account in (payer, other):
            ledger.open_account(account, Amount(10**9), actor="broker")
        ledger.reserve(Charge((Share(payer, Amount(5_000_000)),), {"run": run}))  # a crash may have ended this one
        ledger.reserve(Charge((Share(other, Amount(7_000_000)),), {"run": "run_of_another"}))
    for answer, rho, head in (("a" * 64, 5_000_000, "1" * 64), ("b" * 64, 0, "2" * 64), ("a" * 64, 0, "3" * 64)):
        detail = {"answer": answer, "rho": rho, "ledger_head": head}
        with record(cast.db, Event(ASKED, "researcher", run, detail)):
            pass
    found = gather(cast.db, cast.place, run)
    assert found.budget.answers == ("a" * 64, "b" * 64)
    assert (found.budget.rho_spent, found.budget.ledger_head) == (5_000_000, "3" * 64)
    assert 0 < float(found.budget.epsilon_spent) < 1
    assert (found.dataset.file_digest, found.dataset.demo, found.run.parameters) == ("f" * 64, True, {"epsilon": 0.5})
    assert found.run.notebook_sha256 == hashlib.sha256(notebook).hexdigest()
    manifest = folder_of(cast.place, "hospital", 1) / "manifest.json"
    manifest.write_text(manifest.read_text().replace("f" * 64, "e" * 64))
    with pytest.raises(Tampered):
        gather(cast.db, cast.place, run)
