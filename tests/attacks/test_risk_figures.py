"""Attack: read from the catalogue, the trace or the price whether somebody stands alone in a hospital.

k, l, t and uniqueness are exact figures over all persons. Two hospitals of one policy differ in one person, who is unique
in one of them: everything a researcher may see of them is the same to the byte; the steward's report is the control.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.conftest import Cast
from tests.oracle import clinic

from enclave import catalogue
from enclave.audit.tables import events
from enclave.catalogue.dcat import catalog
from enclave.catalogue.dictionary import to_json
from enclave.errors import Refused
from enclave.intake.report import Stopped
from enclave.store import reading

SET = {
    "name": "street",
    "table": "patients",
    "columns": ["sex", "province"],
    "sensitive": ["diabetes"],
    "at_fault": 100,
}
DIGESTS = {"content", "digest", "norms", "policy"}


def _text(**asked: Any) -> bytes:
    risk = {"most": "1", "small_places": {"province": 5}, "sets": [SET | asked]}
    return clinic.text(lambda tree: tree.update(risk=risk))


def _rows(*, lone: bool) -> clinic.Rows:
    raw = clinic.rows()
    raw["patients"] = [clinic.patient(n, sex="1") for n in range(1, 12)]
    raw["patients"].append(clinic.patient(12, sex="2" if lone else "1"))
    raw["visits"] = [clinic.visit(n, n) for n in range(1, 13)]
    raw["diagnoses"] = [clinic.diagnosis(n, n, n) for n in range(1, 13)]
    return raw


def _home(folder: Path, text: bytes) -> tuple[clinic.Home, Path]:
    home = clinic.home(folder / "home")
    return home, home.signed(text)


def _shelved(folder: Path, *, lone: bool) -> tuple[clinic.Home, catalogue.Shelved]:
    home, path = _home(folder, _text())
    source = clinic.write_csv(folder / "source", _rows(lone=lone))
    return home, catalogue.shelve(home.db, home.place, home.keyring, "steward", path, source, demo_home=False)


def _seen(home: clinic.Home, made: catalogue.Shelved) -> str:
    """The dictionary, the card, the export, and the trace without its digests and moments."""
    dataset = replace(made.dataset, digest="", policy_digest="")
    with reading(home.db) as connection:
        rows = connection.execute(select(events.c.kind, events.c.actor, events.c.detail).order_by(events.c.seq)).all()
    trace = [(kind, actor, _plain(detail)) for kind, actor, detail in rows]
    return to_json(dataset) + catalogue.card(dataset).model_dump_json() + json.dumps([catalog([dataset], "x"), trace])


def _plain(detail: Any) -> Any:
    tree = json.loads(detail) if isinstance(detail, str) else detail
    return {name: value for name, value in tree.items() if name not in DIGESTS} if isinstance(tree, dict) else tree


def test_what_is_seen_of_a_hospital_does_not_tell_whether_somebody_is_unique(tmp_path: Path) -> None:
    seen, reports = [], []
    for lone in (True, False):
        home, made = _shelved(tmp_path / str(lone), lone=lone)
        seen.append(_seen(home, made))
        reports.append((home.place.extracts / "clinic" / "report.json").read_text())
    assert seen[0] == seen[1]
    assert '"unique": 1' in reports[0] and '"unique": 0' in reports[1], "the control: the steward's report tells"
    assert "unique" not in seen[0] and "street" not in seen[0]


@pytest.mark.parametrize("who", ["researcher", "officer", "checker", "operator"])
def test_nobody_but_steward_and_regulator_reads_the_figures(cast: Cast, tmp_path: Path, who: str) -> None:
    home = clinic.Home(cast.place, cast.keyring, cast.db)
    source = clinic.write_csv(tmp_path / "source", _rows(lone=True))
    catalogue.shelve(home.db, home.place, home.keyring, "steward", home.signed(_text()), source, demo_home=False)
    reader = (cast.db, cast.place, cast.keyring, cast.permissions)
    with pytest.raises(Refused):
        catalogue.read_report(*reader, cast.member(who), "clinic", 1)
    allowed = catalogue.read_report(*reader, cast.member("auditor"), "clinic", 1)
    assert any(line.facts.get("unique") == 1 for section in allowed.sections for line in section.lines)


def test_a_stop_leaves_the_shelf_and_tells_only_that_there_was_one(tmp_path: Path) -> None:
    home, made = _shelved(tmp_path / "one", lone=True)
    path = home.signed(_text(k=3, at_fault=0))
    source = clinic.write_csv(tmp_path / "two", _rows(lone=True))
    with pytest.raises(Stopped):
        catalogue.shelve(home.db, home.place, home.keyring, "steward", path, source, demo_home=False)
    assert catalogue.find(home.db, "clinic") == made.dataset
    assert [p.name for p in sorted((home.place.extracts / "clinic").iterdir())] == [".lock", "report.json", "v1"]
    with reading(home.db) as connection:
        last = connection.execute(select(events.c.kind, events.c.detail).order_by(events.c.seq.desc()).limit(1)).one()
    assert last.kind == "intake.refused" and _plain(last.detail) == {"code": "intake.stopped", "place": "patients"}
