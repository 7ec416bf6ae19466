"""The files of the issue's list, each by its name: what is wrong is named and located, and the shelf is as it was.

A disk that fills while an extract is built is tried in `test_disk_full.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.oracle import clinic

from enclave import catalogue
from enclave.errors import EnclaveError

SECRET = "张三丰"
Rows = clinic.Rows
Change = Callable[[Rows], object]


def many() -> Rows:
    """Thirty persons with a visit each: enough for what is told of a whole column."""
    raw = clinic.rows()
    raw["patients"] = [clinic.patient(n, name=SECRET) for n in range(1, 31)]
    raw["visits"] = [clinic.visit(n, n) for n in range(1, 31)]
    raw["diagnoses"] = [clinic.diagnosis(n, n, n) for n in range(1, 31)]
    return raw


def each(table: str, column: str, value: Callable[[int], str]) -> Change:
    def change(raw: Rows) -> None:
        for n, row in enumerate(raw[table]):
            row[column] = value(n)

    return change


def one(table: str, row: int, column: str, value: str) -> Change:
    return lambda raw: raw[table][row].__setitem__(column, value)


def nothing(_: Rows) -> None:
    """The rows are as they should be: the file is not."""


def edited(name: str, edit: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(edit((folder / name).read_bytes()))


def wide(content: bytes) -> bytes:
    """Three hundred columns that the descriptor does not name."""
    head, *rest = content.decode().splitlines()
    names = ",".join(f"f{n}" for n in range(300))
    return "\n".join([f"{head},{names}", *(line + ",1" * 300 for line in rest)]).encode() + b"\n"


@dataclass(frozen=True)
class Bad:
    code: str
    place: str
    rows: Change = nothing
    file: Callable[[Path], object] = nothing  # type: ignore[assignment]  # any file as it was written


BAD = {
    "a wrong encoding": Bad(
        "intake.wrong_encoding", "patients.csv line 2", file=edited("patients.csv", lambda b: b.decode().encode("gbk"))
    ),
    "ragged lines": Bad(
        "intake.malformed_line", "visits.csv line 3", file=edited("visits.csv", lambda b: b.replace(b"V2,", b"V2,,,", 1))
    ),
    "three hundred columns": Bad("intake.unknown_column", "visits.csv", file=edited("visits.csv", wide)),
    "mixed types": Bad(
        "intake.wrong_value", "visits.csv line 3", rows=each("visits", "los_days", lambda n: "four" if n % 2 else "4")
    ),
    "an empty table": Bad("intake.empty_table", "patients.csv", rows=lambda raw: raw["patients"].clear()),
    "a header twice": Bad(
        "intake.column_twice", "visits.csv", file=edited("visits.csv", lambda b: b.replace(b"ward", b"dept", 1))
    ),
    "an identifier mangled by a spreadsheet": Bad(
        "intake.mangled_number", "visits.csv line 4", rows=one("visits", 2, "patient_id", "4.4052E+17")
    ),
    "dates in three forms": Bad(
        "intake.date_forms", "patients.csv line 2",
        rows=each("patients", "birth_date", lambda n: ("05/05/1960", "19600505", "1960-05-05")[n % 3]),
    ),
    "full-width digits": Bad("intake.full_width", "visits.csv line 6", rows=one("visits", 4, "patient_id", "Ｐ５")),
    "a column of all NULL": Bad("intake.stopped", "visits.dept", rows=each("visits", "dept", lambda _: "")),
    "a person key missing in half the rows": Bad(
        "intake.stopped", "visits.patient_id", rows=each("visits", "patient_id", lambda n: "" if n % 2 else f"P{n + 1}")
    ),
}  # fmt: skip


@dataclass(frozen=True)
class House:
    home: clinic.Home
    descriptor: Path
    first: catalogue.Dataset

    def take(self, source: Path) -> catalogue.Shelved:
        home = self.home
        return catalogue.shelve(home.db, home.place, home.keyring, "steward", self.descriptor, source, demo_home=False)

    def shelf(self) -> tuple[Any, ...]:
        """All there is on it, byte for byte, the report of the last intake apart."""
        folder = self.home.place.extracts / "clinic"
        files = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        files.pop("report.json", None)
        found = catalogue.find(self.home.db, "clinic")
        catalogue.open_key(self.home.place, self.home.keyring, found)
        return found, files


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("bad")
    home = clinic.home(folder / "home")
    path = home.signed(clinic.text())
    source = clinic.write_csv(folder / "good", many())
    first = catalogue.shelve(home.db, home.place, home.keyring, "steward", path, source, demo_home=False)
    yield House(home, path, first.dataset)
    home.db.dispose()


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_bad_input_is_named_and_located_and_the_shelf_is_as_it_was(house: House, tmp_path: Path, bad: Bad) -> None:
    before = house.shelf()
    raw = many()
    bad.rows(raw)
    source = clinic.write_csv(tmp_path / "source", raw)
    bad.file(source)
    with pytest.raises(EnclaveError) as refused:
        house.take(source)
    told = refused.value.words("en") + refused.value.words("zh") + str(refused.value.place)
    assert (refused.value.code, refused.value.place) == (bad.code, bad.place), told
    assert SECRET not in told and "370102" not in told
    assert house.shelf() == before


def test_the_same_rows_unspoilt_are_taken(house: House, tmp_path: Path) -> None:
    """The control."""
    assert house.take(clinic.write_csv(tmp_path / "source", many())).unchanged
