"""A disk that fills while an extract is built: named, with its folder, and the shelf as it was."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.oracle import clinic

ROOT = Path(__file__).parents[2]
TAKE = """
import json, sys
from pathlib import Path
from tests.oracle import clinic
from enclave import audit, catalogue
from enclave.errors import EnclaveError
disk, small, large = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
home = clinic.home(disk / "home")
path = home.signed(clinic.text())
first = catalogue.shelve(home.db, home.place, home.keyring, "steward", path, small, demo_home=False)
try:
    catalogue.shelve(home.db, home.place, home.keyring, "steward", path, large, demo_home=False)
    told = {"code": "none"}
except EnclaveError as refused:
    told = {"code": refused.code, "place": refused.place, "words": refused.words("en") + refused.words("zh")}
kept = catalogue.find(home.db, "clinic")
catalogue.open_key(home.place, home.keyring, kept)
audit.verify_events(home.db)
left = [p.name for p in (home.place.extracts / "clinic").iterdir()]
print(json.dumps({**told, "version": kept.version, "same": kept == first.dataset, "left": sorted(left)}))
"""


def _source(folder: Path, visits: int) -> Path:
    raw = clinic.rows()
    raw["visits"] = [clinic.visit(n, 1 + n % 3) for n in range(1, visits)]
    raw["diagnoses"] = [clinic.diagnosis(n, n, 1 + n % 3) for n in range(1, visits)]
    return clinic.write_csv(folder, raw)


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap makes the small disk")
@pytest.mark.parametrize(("mebibytes", "code"), [(6, "intake.disk_full"), (200, "none")], ids=["full", "control"])
def test_a_disk_that_fills_is_named_and_the_shelf_untouched(tmp_path: Path, mebibytes: int, code: str) -> None:
    small, large = _source(tmp_path / "small", 5), _source(tmp_path / "large", 60_000)
    wall = [
        "bwrap",
        "--bind",
        "/",
        "/",
        "--dev-bind",
        "/dev",
        "/dev",
        "--size",
        str(mebibytes * 2**20),
        "--tmpfs",
        "/mnt",
    ]
    command = [*wall, sys.executable, "-c", TAKE, "/mnt", str(small), str(large)]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": "."}
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["code"] == code, told
    if code == "none":
        assert told["version"] == 2
        return
    assert (told["version"], told["same"]) == (1, True)
    assert told["left"] == [".lock", "report.json", "v1"]
    assert told["place"].startswith("/mnt/home/extracts/clinic") and "/mnt" not in told["words"]
