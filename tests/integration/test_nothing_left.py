"""Of what the generator plants in notes and tables, nothing is left in any byte that intake writes; no socket is opened."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from datasets_synthetic.make import make
from tests.living import Living, born, shelved

from enclave.catalogue import find, open_key
from enclave.intake.workshop import openssl_extension

ROOT = Path(__file__).parents[2]
PERSONS = 1_200
SEARCHED = frozenset(
    {
        "resident_id", "old_resident_id", "phone", "landline", "bank_card", "uscc", "passport", "permit", "insurance_no",
        "mrn", "address", "email", "account", "plate",
    }
)  # fmt: skip
"""Kinds that are unmistakable anywhere. Names and dates, which also stand in ordinary words, are looked for note by note."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    make(folder, persons=PERSONS, seed=1, form="parquet")
    return folder


@pytest.fixture(scope="module")
def home(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    living = born(tmp_path_factory.mktemp("house"))
    shelved(living, source)
    yield living
    living.close()


def _planted(source: Path) -> list[tuple[str, str, str]]:
    """(note, kind, what stands there) of every planted identifier."""
    sql = (
        f"""SELECT note_id, kind, text[start + 1:"end"] FROM '{source}/truth_notes.parquet' """
        f"JOIN '{source}/notes.parquet' USING (note_id)"
    )
    with duckdb.connect() as con:
        return con.execute(sql).fetchall()


def _columns(source: Path) -> set[str]:
    with duckdb.connect() as con:
        rows = con.execute(f"SELECT resident_id, phone, address FROM '{source}/patients.parquet'").fetchall()
        mrns = con.execute(f"SELECT mrn FROM '{source}/visits.parquet'").fetchall()
    return {str(value) for row in (*rows, *mrns) for value in row}


def _decrypted(living: Living) -> str:
    """Every value of every table of the extract, as text."""
    path, key = open_key(living.place, living.keyring, find(living.db, "hospital"))
    with duckdb.connect() as con:
        con.execute(f"LOAD '{openssl_extension()}'")
        con.execute(f"ATTACH '{path}' AS e (ENCRYPTION_KEY '{key}', READ_ONLY)")
        names = [
            n for (n,) in con.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'e'").fetchall()
        ]
        return "\n".join(str(con.execute(f'SELECT * FROM e.main."{name}"').fetchall()) for name in names)


def _found(words: Path, *places: Path) -> list[str]:
    """Which of the words, one a line, stand in any byte under the places."""
    command = ["grep", "-r", "-a", "-o", "-h", "-F", "-f", str(words), *map(str, places)]
    done = subprocess.run(command, env={**os.environ, "LC_ALL": "C"}, capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.decode().splitlines()


def test_no_planted_identifier_is_left_in_any_byte(source: Path, home: Living, tmp_path: Path) -> None:
    planted = {said for _, kind, said in _planted(source) if kind in SEARCHED} | _columns(source)
    assert len(planted) > 5_000 and not any("\n" in said or not said for said in planted)
    words, decrypted = tmp_path / "words", tmp_path / "decrypted"
    words.write_text("\n".join(planted))
    decrypted.write_text(_decrypted(home))
    assert _found(words, decrypted, home.place.home) == []
    control = next(iter(planted))
    decrypted.write_bytes(b"\xff\0" + control.encode() + b"\0" + decrypted.read_bytes())
    assert _found(words, decrypted) == [control]


def test_no_note_holds_a_name_or_a_date_that_was_planted_in_it(source: Path, home: Living) -> None:
    path, key = open_key(home.place, home.keyring, find(home.db, "hospital"))
    with duckdb.connect() as con:
        con.execute(f"LOAD '{openssl_extension()}'")
        con.execute(f"ATTACH '{path}' AS e (ENCRYPTION_KEY '{key}', READ_ONLY)")
        texts = "\n".join(str(t) for (t,) in con.execute("SELECT text FROM e.main.notes").fetchall())
    dates = {said for _, kind, said in _planted(source) if kind == "date"}
    assert [said for said in dates if said in texts] == []
    names = {said for _, kind, said in _planted(source) if kind == "name" and len(said) > 2}
    assert [said for said in names if said in texts] == []


PROBE = """
import socket, sys
opened = []
sys.addaudithook(lambda event, _: opened.append(event) if event.startswith("socket.") else None)
from pathlib import Path
from enclave.intake import descriptor
from enclave.intake.extract import build
source, draft = Path(sys.argv[1]), Path(sys.argv[2])
if len(sys.argv) > 3:
    socket.socket()
text = Path("policies/datasets/hospital/datapackage.yaml").read_bytes()
build(descriptor.parse(text), source, draft, pseudonym_key=b"k" * 32, file_key="5e" * 32)
import json, os
held = [os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}")]
interfaces = [line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line]
print(json.dumps({"opened": opened, "held": [h for h in held if h.startswith("socket")], "interfaces": interfaces}))
"""


def _probed(source: Path, draft: Path, *more: str) -> dict[str, list[str]]:
    draft.mkdir()
    command = ["unshare", "-rn", sys.executable, "-c", PROBE, str(source), str(draft), *more]
    environment = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-800:]
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.skipif(shutil.which("unshare") is None, reason="util-linux's unshare makes the room without a network")
def test_an_intake_with_notes_needs_no_network_and_opens_no_socket(tmp_path: Path) -> None:
    source = tmp_path / "few"
    make(source, persons=100, seed=1, form="parquet")
    found = _probed(source, tmp_path / "draft")
    assert found["opened"] == [] and found["held"] == []
    assert set(found["interfaces"]) <= {"lo"}
    assert _probed(source, tmp_path / "control", "open one")["opened"]  # control: one that is opened is seen
