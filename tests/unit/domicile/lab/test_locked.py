"""The environment at home: made of the enclave's lock, by its digest, whole or not there."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest

from domicile.client import ProblemError
from domicile.lab.locked import KERNEL, built
from domicile.lab.start import first_notebook, write_first
from domicile.wire.shapes import EnvironmentCard
from enclave.run.environment import lock_of
from enclave.run.limits import Limits
from enclave.run.notebook import Source
from enclave.run.sandbox import SandboxFiles

SANDBOX = SandboxFiles.find()
SMALL = "idna"


def card(text: str) -> EnvironmentCard:
    return EnvironmentCard(requirements=text, digest=hashlib.sha256(text.encode()).hexdigest())


@pytest.fixture(scope="module")
def lock() -> str:
    """One small package of the jail's own lock."""
    found = re.search(rf"^{SMALL}==(?:.*\\\n)+.*\n", lock_of(SANDBOX)[0], re.MULTILINE)
    assert found is not None
    return found.group()


def test_it_is_made_once_of_what_is_locked_and_of_domicile_alone(lock: str, tmp_path: Path) -> None:
    builds: list[str] = []
    for _ in range(2):
        locked = built(card(lock), tmp_path, lambda: builds.append("x"))
    assert builds == ["x"]
    ask = "import importlib.metadata as m, importlib.util as u; print([sorted(d.name for d in m.distributions()),"
    ask += " u.find_spec('enclave') is None, u.find_spec('domicile') is not None])"
    done = subprocess.run(
        [locked.python, "-c", ask], env={"PYTHONPATH": str(locked.product)}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"[['domicile', '{SMALL}'], True, True]"
    spec = json.loads((locked.kernel() / "kernels" / KERNEL / "kernel.json").read_text())
    assert spec["argv"][0] == str(locked.python) and spec["env"]["PYTHONPATH"] == str(locked.product)


def test_another_lock_is_another_environment(lock: str, tmp_path: Path) -> None:
    assert built(card(lock), tmp_path).packages != built(card(lock + "# changed\n"), tmp_path).packages


def test_a_lock_that_is_not_what_its_digest_names_is_refused(lock: str, tmp_path: Path) -> None:
    with pytest.raises(ProblemError) as refused:
        built(EnvironmentCard(requirements=lock, digest="0" * 64), tmp_path)
    assert refused.value.code == "client.environment_altered" and list(tmp_path.iterdir()) == []


def test_a_package_that_is_not_what_was_locked_is_not_installed(lock: str, tmp_path: Path) -> None:
    altered = re.sub(r"sha256:[0-9a-f]{64}", "sha256:" + "0" * 64, lock)
    with pytest.raises(ProblemError) as refused:
        built(card(altered), tmp_path)
    assert refused.value.code == "client.environment_failed"
    assert [path.name for path in tmp_path.iterdir()] == [".lock"], "nothing half-done"


def test_a_first_notebook_is_one_the_enclave_runs_and_never_writes_over_another(tmp_path: Path) -> None:
    path = write_first(tmp_path, "hospital")
    assert path is not None and path.read_text() == first_notebook("hospital")
    source = Source.read(path.read_bytes(), Limits.default(SANDBOX))
    assert 'domicile.open("hospital")' in source.cells[0].source
    assert write_first(tmp_path, "other") is None and path.read_text() == first_notebook("hospital")
