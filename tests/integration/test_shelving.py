"""From raw tables to a version that can be opened: atomic, repeatable, and closed to whoever alters it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.oracle import clinic

from enclave import audit, catalogue
from enclave.audit.tables import events
from enclave.catalogue.manifest import MANIFEST, folder_of
from enclave.catalogue.tables import extracts
from enclave.errors import BadInput, NotFound, Refused, Tampered
from enclave.store import reading, write_atomically

CRASHED = 9
CRASH = """
import os, sys
from pathlib import Path
from tests.oracle import clinic
from enclave.catalogue import shelf, shelving
from enclave.store import Keyring, Place, open_state
home, source, where = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
setattr(shelf, where, lambda *args, **kwargs: os._exit(9))
place = Place(home)
path = place.policies / "datasets" / "clinic" / "datapackage.yaml"
shelving.shelve(open_state(place), place, Keyring(place), "steward", path, source, demo_home=False)
"""


@pytest.fixture
def home(tmp_path: Path) -> clinic.Home:
    made = clinic.home(tmp_path / "home")
    made.signed(clinic.text())
    return made


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return clinic.write_csv(tmp_path / "source", clinic.rows())


def _shelve(home: clinic.Home, source: Path) -> catalogue.Shelved:
    path = home.place.policies / "datasets" / "clinic" / "datapackage.yaml"
    return catalogue.shelve(home.db, home.place, home.keyring, "steward", path, source, demo_home=False)


def _kinds(home: clinic.Home) -> list[str]:
    with reading(home.db) as connection:
        return [str(kind) for kind in connection.execute(select(events.c.kind).order_by(events.c.seq)).scalars()]


def _states(home: clinic.Home) -> dict[int, str]:
    with reading(home.db) as connection:
        return {row.version: row.state for row in connection.execute(select(extracts))}


def test_a_shelved_extract_opens_and_holds_the_rows(home: clinic.Home, source: Path) -> None:
    made = _shelve(home, source)
    assert catalogue.find(home.db, "clinic") == made.dataset
    assert catalogue.listing(home.db) == (made.dataset,)
    path, key = catalogue.open_key(home.place, home.keyring, made.dataset)
    with clinic.opened(path, key) as con:
        assert con.execute("SELECT count(*) FROM extract.main.visits").fetchall() == [(4,)]
    assert [p.name for p in sorted(path.parent.iterdir())] == ["extract.duckdb", "manifest.json", "report.json"]
    assert _kinds(home)[-3:] == ["extract.building", "extract.checked", "extract.shelved"]


def test_the_same_input_key_and_policy_is_the_same_version(home: clinic.Home, source: Path) -> None:
    first, again = _shelve(home, source), _shelve(home, source)
    assert (again.dataset, first.unchanged, again.unchanged) == (first.dataset, False, True)
    assert _states(home) == {1: "shelved"}
    assert _kinds(home)[-1] == "extract.unchanged"


def test_new_rows_make_a_new_version_and_the_old_one_still_opens(home: clinic.Home, source: Path) -> None:
    old = _shelve(home, source).dataset
    raw = clinic.rows()
    raw["visits"].append(clinic.visit(9, 2))
    clinic.write_csv(source, raw)
    new = _shelve(home, source).dataset
    assert (new.version, new.digest != old.digest) == (2, True)
    assert _states(home) == {1: "superseded", 2: "shelved"}
    assert catalogue.find(home.db, "clinic", 1) == old
    catalogue.open_key(home.place, home.keyring, old)


def test_a_changed_policy_makes_a_new_version(home: clinic.Home, source: Path) -> None:
    _shelve(home, source)
    home.signed(clinic.text(lambda tree: tree.update(policy_version=2)))
    assert _shelve(home, source).version == 2


@pytest.mark.parametrize("where", ["_place", "_commit"])
def test_a_crash_before_or_after_the_rename_leaves_no_version_and_the_next_build_takes_its_place(
    home: clinic.Home, source: Path, where: str
) -> None:
    command = [sys.executable, "-c", CRASH, str(home.place.home), str(source), where]
    died = subprocess.run(
        command, check=False, capture_output=True, cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONPATH": "."}
    )
    assert died.returncode == CRASHED, died.stderr.decode()
    folder = folder_of(home.place, "clinic", 1)
    assert folder.exists() == (where == "_commit")
    assert catalogue.listing(home.db) == ()
    left = (folder / MANIFEST).read_bytes() if folder.exists() else b""
    made = _shelve(home, source).dataset
    assert made.version == 1
    assert (folder / MANIFEST).read_bytes() != left
    catalogue.open_key(home.place, home.keyring, made)
    assert not list(folder.parent.glob(".draft-*"))
    audit.verify_events(home.db)


def test_a_refused_build_changes_nothing_and_is_an_event(home: clinic.Home, source: Path) -> None:
    raw = clinic.rows()
    raw["patients"].append(clinic.patient(1))
    clinic.write_csv(source, raw)
    with pytest.raises(BadInput):
        _shelve(home, source)
    assert catalogue.listing(home.db) == ()
    assert [p.name for p in (home.place.extracts / "clinic").iterdir()] == [".lock"]
    assert _kinds(home)[-1] == "intake.refused"


def test_an_unsigned_or_altered_descriptor_builds_nothing(home: clinic.Home, source: Path) -> None:
    path = home.place.policies / "datasets" / "clinic" / "datapackage.yaml"
    path.write_bytes(path.read_bytes() + b"# a remark\n")
    with pytest.raises(Tampered):
        _shelve(home, source)
    assert catalogue.listing(home.db) == ()


def test_one_build_of_a_dataset_at_a_time(home: clinic.Home, source: Path) -> None:
    from enclave.catalogue.drafts import drafted

    with drafted(home.place, "clinic"), pytest.raises(Refused) as refused:
        _shelve(home, source)
    assert refused.value.code == "catalogue.busy"


def test_a_tampered_file_does_not_open(home: clinic.Home, source: Path) -> None:
    made = _shelve(home, source).dataset
    path, _ = catalogue.open_key(home.place, home.keyring, made)  # the control: untouched it opens
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(Tampered) as altered:
        catalogue.open_key(home.place, home.keyring, made)
    assert (altered.value.code, altered.value.facts["what"]) == ("catalogue.tampered", "file")


@pytest.mark.parametrize(
    ("part", "value"), [("digest", "0" * 64), ("file_digest", "0" * 64), ("version", 2), ("demo", True), ("rows", {})]
)
def test_a_tampered_manifest_does_not_open(home: clinic.Home, source: Path, part: str, value: object) -> None:
    made = _shelve(home, source).dataset
    path = folder_of(home.place, "clinic", 1) / MANIFEST
    tree = json.loads(path.read_text())
    tree["manifest"][part] = value
    path.write_text(json.dumps(tree))
    with pytest.raises(Tampered) as altered:
        catalogue.open_key(home.place, home.keyring, made)
    assert (altered.value.code, altered.value.facts["what"]) == ("catalogue.tampered", "manifest")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null"])
def test_a_malformed_or_missing_manifest_does_not_open(home: clinic.Home, source: Path, content: bytes) -> None:
    made = _shelve(home, source).dataset
    (folder_of(home.place, "clinic", 1) / MANIFEST).write_bytes(content)
    with pytest.raises(Tampered):
        catalogue.open_key(home.place, home.keyring, made)


def test_an_older_versions_files_in_a_newer_ones_place_do_not_open(home: clinic.Home, source: Path) -> None:
    _shelve(home, source)
    home.signed(clinic.text(lambda tree: tree.update(policy_version=2)))
    new = _shelve(home, source).dataset
    for name in ("extract.duckdb", MANIFEST):
        old = folder_of(home.place, "clinic", 1) / name
        (folder_of(home.place, "clinic", 2) / name).write_bytes(old.read_bytes())
    with pytest.raises(Tampered):
        catalogue.open_key(home.place, home.keyring, new)


def test_another_dataset_key_is_named_as_such(home: clinic.Home, source: Path) -> None:
    made = _shelve(home, source).dataset
    (home.place.keys / "dataset.clinic.sealed").unlink()
    with pytest.raises(NotFound):
        catalogue.open_key(home.place, home.keyring, made)
    home.keyring.dataset_key("clinic", create=True)
    with pytest.raises(Tampered) as wrong:
        catalogue.open_key(home.place, home.keyring, made)
    assert wrong.value.code == "catalogue.wrong_key"


def test_what_is_not_there_is_not_found(home: clinic.Home, source: Path) -> None:
    with pytest.raises(NotFound):
        catalogue.find(home.db, "clinic")
    _shelve(home, source)
    with pytest.raises(NotFound):
        catalogue.find(home.db, "clinic", 7)


def test_a_rehearsal_writes_nothing(home: clinic.Home, source: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in home.place.home.rglob("*") if p.is_file()}
    path = home.place.policies / "datasets" / "clinic" / "datapackage.yaml"
    found = catalogue.rehearse(home.db, home.place, home.keyring, path, source, demo_home=False)
    assert found.refusals == () and found.read["visits"] == 4
    assert {p: p.stat().st_mtime_ns for p in home.place.home.rglob("*") if p.is_file()} == before


def test_a_demo_takes_only_what_its_generator_wrote(tmp_path: Path, source: Path) -> None:
    home = clinic.home(tmp_path / "demo")
    path = home.signed(clinic.text(lambda tree: tree.update(demo=True)))
    digests = {p.name: _sha256(p) for p in source.iterdir()}
    write_atomically(source / "generator.json", json.dumps({"sha256": digests}).encode())
    made = catalogue.shelve(home.db, home.place, home.keyring, "steward", path, source, demo_home=True)
    assert made.dataset.demo
    with (source / "visits.csv").open("a") as file:
        file.write("V99,P1,,,,,,,\n")
    with pytest.raises(Tampered) as altered:
        catalogue.shelve(home.db, home.place, home.keyring, "steward", path, source, demo_home=True)
    assert altered.value.code == "intake.generated_altered"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
