"""A rebuild makes only what changed, and the content is that of a build of everything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.oracle import clinic

from enclave import audit, catalogue
from enclave.audit.tables import events
from enclave.catalogue import shelving
from enclave.catalogue.manifest import folder_of
from enclave.intake import raw
from enclave.intake.carried import Earlier
from enclave.intake.choices import Choices
from enclave.intake.extract import Extract, build
from enclave.store import reading

Change = Callable[[clinic.Rows], None]


def _rows() -> clinic.Rows:
    found = clinic.rows()
    found["patients"] += [clinic.patient(n) for n in range(4, 30)]
    found["visits"] += [clinic.visit(n, n, dept="NEUR", ward="NEUR-01") for n in range(5, 30)]
    found["diagnoses"] += [clinic.diagnosis(n, n, n, dx="E11" if n % 2 else "I10") for n in range(5, 30)]
    return found


def _built(
    folder: Path, rows: clinic.Rows, earlier: Extract | None = None, *, refused: tuple[str, ...] = ()
) -> Extract:
    source, draft = clinic.write_csv(folder / "source", rows), folder / "draft"
    draft.mkdir(parents=True)
    choices = Choices(refused=frozenset(clinic.pseudonym("person", name) for name in refused))
    was, key = _earlier(earlier), clinic.KEY
    d = clinic.parsed()
    return build(d, source, draft, pseudonym_key=key, file_key=clinic.FILE_KEY, earlier=was, choices=choices)


def _earlier(made: Extract | None) -> Earlier | None:
    if made is None:
        return None
    return Earlier(made.path, clinic.FILE_KEY, made.standing, made.read, made.dropped, made.report)


def _nothing(rows: clinic.Rows) -> None:
    pass


def _a_diagnosis_more(rows: clinic.Rows) -> None:
    rows["diagnoses"].append(clinic.diagnosis(99, 4, 2, dx="E11.900"))  # P2 has diabetes now: the person table tells


def _a_visit_more(rows: clinic.Rows) -> None:
    rows["visits"].append(clinic.visit(99, 3))


def _a_person_more(rows: clinic.Rows) -> None:
    rows["patients"].append(clinic.patient(99))


def _a_person_less(rows: clinic.Rows) -> None:
    rows["patients"] = [row for row in rows["patients"] if row["patient_id"] != "P7"]  # whose visits meet nobody now


def _another_birth_date(rows: clinic.Rows) -> None:
    rows["patients"][5]["birth_date"] = "1999-09-09"


def _another_region(rows: clinic.Rows) -> None:
    rows["patients"][5]["region_code"] = "440106"


def _lost_at_first(rows: clinic.Rows) -> None:
    rows["visits"].append(clinic.visit(77, 77))


CHANGES: list[tuple[Change, tuple[str, ...]]] = [
    (_nothing, ("visits", "diagnoses")),
    (_a_diagnosis_more, ("visits",)),
    (_a_visit_more, ()),  # diagnoses join visits: one may meet a visit that was not there
    (_a_person_more, ("visits", "diagnoses")),
    (_a_person_less, ()),
    (_another_birth_date, ()),  # visits carry the age of their person beside each row
    (_another_region, ("visits", "diagnoses")),
]


@pytest.mark.parametrize(("change", "taken_over"), CHANGES, ids=lambda v: getattr(v, "__name__", "")[1:])
def test_content_and_report_are_those_of_a_build_of_everything(
    tmp_path: Path, change: Change, taken_over: tuple[str, ...]
) -> None:
    (tmp_path / "one").mkdir()
    first, rows = _built(tmp_path / "one", _rows()), _rows()
    change(rows)
    for name in ("again", "whole"):
        (tmp_path / name).mkdir()
    again, whole = _built(tmp_path / "again", rows, first), _built(tmp_path / "whole", rows)
    assert again.taken_over == taken_over and whole.taken_over == ()
    assert again.digest == whole.digest and (again.digest == first.digest) == (change is _nothing)
    assert (again.rows, again.read, again.dropped) == (whole.rows, whole.read, whole.dropped)
    assert again.report == whole.report and again.standing == whole.standing


def test_a_row_whose_person_comes_later_is_found_then(tmp_path: Path) -> None:
    """Attack on correctness: an orphan's file is the same, and yet the row belongs in once its person is known."""
    for name in ("one", "again"):
        (tmp_path / name).mkdir()
    rows = _rows()
    _lost_at_first(rows)
    first = _built(tmp_path / "one", rows)
    rows["patients"].append(clinic.patient(77))
    again = _built(tmp_path / "again", rows, first)
    assert (again.taken_over, again.rows["visits"]) == ((), first.rows["visits"] + 1)


@pytest.mark.parametrize(("before", "after"), [((), ("P7",)), (("P7",), ()), (("P7",), ("P8",))])
def test_who_opts_out_is_gone_and_who_comes_back_is_there(
    tmp_path: Path, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    """Attack: rows of somebody who refused, taken over from the version before."""
    first = _built(tmp_path / "one", _rows(), refused=before)
    again, whole = (
        _built(tmp_path / name, _rows(), earlier, refused=after)
        for name, earlier in (("again", first), ("whole", None))
    )
    assert again.taken_over == () and again.digest == whole.digest != first.digest


def test_a_file_that_was_written_to_while_it_was_read_is_known_by_no_digest(tmp_path: Path) -> None:
    source = clinic.write_csv(tmp_path / "source", _rows())
    table = clinic.parsed().table("visits")
    assert table is not None
    with raw.seen(raw.source_of(source), [table]) as files:
        seen = files["visits"]
        assert seen.holds() and seen.digest == raw.digest_of(source / "visits.csv")
        with (source / "visits.csv").open("a") as file:
            file.write("\n")
        assert not seen.holds()


def test_who_is_refused_does_not_wait_for_the_rest_to_be_hashed(tmp_path: Path) -> None:
    source = clinic.write_csv(tmp_path / "source", _rows())
    table = clinic.parsed().table("visits")
    assert table is not None
    with (source / "visits.csv").open("r+b") as file:
        file.truncate(2**40)  # nothing on the disk; hours to read
    with raw.seen(raw.source_of(source), [table]) as files:
        hashed = files["visits"].hashed
        assert not hashed.done()
    assert hashed.cancelled() or isinstance(hashed.exception(), CancelledError)


class House:
    def __init__(self, folder: Path) -> None:
        self.home, self.source = clinic.home(folder / "home"), folder / "source"
        self.path = self.home.signed(clinic.text())

    def shelve(self, rows: clinic.Rows, *, anew: bool = False) -> catalogue.Shelved:
        clinic.write_csv(self.source, rows)
        home = self.home
        return catalogue.shelve(
            home.db, home.place, home.keyring, "steward", self.path, self.source, demo_home=False, anew=anew
        )

    def taken_over(self) -> str:
        with reading(self.home.db) as connection:
            wanted = select(events.c.detail).where(events.c.kind == "extract.checked").order_by(events.c.seq.desc())
            detail = json.loads(connection.execute(wanted.limit(1)).scalar_one())
        return str(detail.get("taken_over", ""))


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def _more() -> clinic.Rows:
    rows = _rows()
    _a_diagnosis_more(rows)
    return rows


def test_a_refresh_takes_over_what_stands_and_says_so(house: House) -> None:
    first = house.shelve(_rows())
    assert house.taken_over() == ""
    second = house.shelve(_more())
    assert (second.version, house.taken_over()) == (2, "visits")
    catalogue.open_key(house.home.place, house.home.keyring, second.dataset)
    whole = house.shelve(_more(), anew=True)
    assert whole.unchanged and house.taken_over() == "", "the whole build gave the same content"
    assert first.digest != second.digest == whole.digest


@pytest.mark.parametrize("what", ["report.json", "manifest.json", "extract.duckdb"])
def test_what_cannot_be_trusted_is_made_again(house: House, what: str) -> None:
    house.shelve(_rows())
    path = folder_of(house.home.place, "clinic", 1) / what
    path.write_bytes(path.read_bytes().replace(b"clinic", b"klinic", 1) + b" ")
    house.shelve(_more())
    assert house.taken_over() == ""


def test_another_text_key_or_program_makes_everything_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.shelve(_rows())
    house.path = house.home.signed(clinic.text(lambda tree: tree.update(policy_version=2)))
    house.shelve(_rows())
    assert house.taken_over() == ""
    house.shelve(_more())
    assert house.taken_over() == "visits", "the control: the same text twice"
    monkeypatch.setattr(shelving, "made_by", lambda: "another program")
    house.shelve(_rows())
    assert house.taken_over() == ""


CRASH = """
import os, sys
from pathlib import Path
from tests.oracle import clinic
from enclave.catalogue import shelving
from enclave.intake import write
from enclave.store import Keyring, Place, open_state
home, source = Path(sys.argv[1]), Path(sys.argv[2])
copy = write.copy
def dies(*args):
    copy(*args)
    os._exit(9)
write.copy = dies
place = Place(home)
path = place.policies / "datasets" / "clinic" / "datapackage.yaml"
shelving.shelve(open_state(place), place, Keyring(place), "steward", path, source, demo_home=False)
"""


def test_killed_while_it_takes_a_table_over_it_leaves_the_shelf_as_it_was(house: House) -> None:
    first = house.shelve(_rows())
    clinic.write_csv(house.source, _more())
    command = [sys.executable, "-c", CRASH, str(house.home.place.home), str(house.source)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([".", os.environ.get("PYTHONPATH", "")])}
    died = subprocess.run(command, check=False, capture_output=True, cwd=Path(__file__).parents[2], env=env)
    assert died.returncode == 9, died.stderr.decode()
    assert catalogue.find(house.home.db, "clinic") == first.dataset
    catalogue.open_key(house.home.place, house.home.keyring, first.dataset)
    assert (house.shelve(_more()).version, house.taken_over()) == (2, "visits")
    assert not list((house.home.place.extracts / "clinic").glob(".draft-*"))
    audit.verify_events(house.home.db)
