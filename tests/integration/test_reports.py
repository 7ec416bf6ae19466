"""An intake's report: kept with the version and of the last try, for steward and auditor alone, each reading on record."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import Cast
from tests.oracle import clinic

from enclave import catalogue
from enclave.catalogue.manifest import folder_of
from enclave.errors import NotFound, Refused, Tampered
from enclave.intake.report import Category, Report


@pytest.fixture
def home(cast: Cast) -> clinic.Home:
    made = clinic.Home(cast.place, cast.keyring, cast.db)
    made.signed(clinic.text())
    return made


def _shelve(home: clinic.Home, folder: Path) -> catalogue.Shelved:
    path = home.place.policies / "datasets" / "clinic" / "datapackage.yaml"
    raw = clinic.rows()
    raw["visits"].append(clinic.visit(9, 1, los_days="999"))
    source = clinic.write_csv(folder / "source", raw)
    return catalogue.shelve(home.db, home.place, home.keyring, "steward", path, source, demo_home=False)


def _read(cast: Cast, who: str, version: int | None = None, name: str = "clinic") -> Report:
    member = cast.member(who)
    return catalogue.read_report(cast.db, cast.place, cast.keyring, cast.permissions, member, name, version)


@pytest.mark.parametrize("who", ["steward", "auditor"])
def test_steward_and_auditor_read_it_and_that_is_on_record(
    cast: Cast, home: clinic.Home, tmp_path: Path, who: str
) -> None:
    _shelve(home, tmp_path)
    found = _read(cast, who, 1)
    assert found == _read(cast, who)
    (left,) = [c for c in found.checks if c.table == "visits" and c.failed and c.category is Category.LEFT_OUT]
    assert (left.facts["rule"], left.failed, left.of) == ("los_days <= 365", 1, 5)
    read = cast.events("report.read")
    assert [(e["actor"], e["detail"]["version"]) for e in read] == [(who, 1), (who, None)]


@pytest.mark.parametrize("who", ["researcher", "officer", "checker", "operator"])
def test_nobody_else_reads_exact_figures(cast: Cast, home: clinic.Home, tmp_path: Path, who: str) -> None:
    _shelve(home, tmp_path)
    with pytest.raises(Refused) as refused:
        _read(cast, who, 1)
    assert refused.value.code == "people.not_allowed"
    assert [e["detail"]["attempt"] for e in cast.events("access.refused")] == ["report.read"]
    assert cast.events("report.read") == []


def test_it_is_the_owners_alone_and_cannot_be_changed_unseen(cast: Cast, home: clinic.Home, tmp_path: Path) -> None:
    _shelve(home, tmp_path)
    for folder in (folder_of(home.place, "clinic", 1), home.place.extracts / "clinic"):
        assert (folder / "report.json").stat().st_mode & 0o777 == 0o600
    path = folder_of(home.place, "clinic", 1) / "report.json"
    path.write_bytes(path.read_bytes().replace(b'"failed": 1', b'"failed": 0'))
    with pytest.raises(Tampered):
        _read(cast, "steward", 1)


@pytest.mark.parametrize("name", ["clinic", "nowhere", "../clinic"])
def test_what_was_never_taken_in_has_no_report(cast: Cast, name: str) -> None:
    with pytest.raises(NotFound):
        _read(cast, "steward", name=name)
    with pytest.raises(NotFound):
        _read(cast, "steward", 1, name)
