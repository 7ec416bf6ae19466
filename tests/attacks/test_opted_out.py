"""An opted-out person in a new extract, its twin, its report, a trace or a new grant: tried, each with its control."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError
from tests.oracle import clinic

from enclave import access, catalogue
from enclave.audit.tables import events
from enclave.catalogue import Shelved
from enclave.catalogue.choices import Act, check_grantable, record
from enclave.catalogue.manifest import folder_of
from enclave.catalogue.reports import REPORT
from enclave.catalogue.tables import bars, choices, extracts
from enclave.errors import Refused
from enclave.intake import descriptor
from enclave.intake.choices import BY_CHOICE, pseudonym_of
from enclave.intake.package import Descriptor
from enclave.intake.report import from_json
from enclave.store import reading
from enclave.twin import described, make, path_of

if TYPE_CHECKING:
    from tests.conftest import Cast

GONE = "PATIENT-7731-QXZ"
"""Who opts out; the others are as in the clinic."""


def _raw() -> clinic.Rows:
    raw = clinic.rows()
    for rows in raw.values():
        for row in rows:
            row["patient_id"] = GONE if row["patient_id"] == "P1" else row["patient_id"]
    return raw


@dataclass(frozen=True)
class House:
    home: clinic.Home
    descriptor_path: Path
    source: Path

    @property
    def d(self) -> Descriptor:
        return descriptor.parse(self.descriptor_path.read_bytes())

    @property
    def key(self) -> bytes:
        return self.home.keyring.pseudonym_key("town")

    @property
    def person(self) -> int:
        return pseudonym_of(self.key, "person", GONE)

    def shelve(self, **also: Any) -> Shelved:
        home = self.home
        return catalogue.shelve(
            home.db, home.place, home.keyring, "steward", self.descriptor_path, self.source, demo_home=False, **also
        )

    def choose(self, act: Act, *persons: str) -> tuple[tuple[str, int], ...]:
        pseudonyms = frozenset(pseudonym_of(self.key, "person", person) for person in persons)
        return record(self.home.db, "steward", self.d, act, pseudonyms).barred

    def stored(self, version: int) -> str:
        """Everything that rests in a version, as text."""
        dataset = catalogue.find(self.home.db, "clinic", version)
        path, key = catalogue.open_key(self.home.place, self.home.keyring, dataset)
        with clinic.opened(path, key) as con:
            return str([con.execute(f'SELECT * FROM extract.main."{t.name}"').fetchall() for t in dataset.tables])

    def kinds(self) -> list[str]:
        with reading(self.home.db) as connection:
            return list(connection.execute(select(events.c.kind).order_by(events.c.seq)).scalars())


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    home = clinic.home(tmp_path / "home")
    found = House(home, home.signed(clinic.text()), clinic.write_csv(tmp_path / "raw", _raw()))
    found.shelve()
    yield found
    home.db.dispose()


def test_attack_a_late_opt_out_is_in_no_new_version_nor_in_what_is_said_of_it(house: House, tmp_path: Path) -> None:
    assert str(house.person) in house.stored(1)  # the control
    house.choose(Act.REFUSE, GONE)
    made = house.shelve()
    assert (made.version, made.unchanged) == (2, False)
    assert str(house.person) not in house.stored(2)
    assert made.rows == {"patients": 2, "visits": 1, "diagnoses": 1}
    twin = path_of(house.home.place, made.dataset)
    make(described(house.home.place, house.home.keyring, made.dataset), twin)
    report = from_json((folder_of(house.home.place, "clinic", 2) / REPORT).read_bytes())
    counted = {c.table: c.failed for c in report.checks if c.facts.get("rule") == BY_CHOICE}
    assert counted == {"patients": 1, "visits": 3, "diagnoses": 2}  # the steward's report counts, and names nobody
    for path in house.home.place.home.rglob("*"):
        if path.is_file():
            found = path.read_bytes()
            assert GONE.encode() not in found, path
            if path.name != "state.db" and not path.name.startswith("state.db-"):
                assert str(house.person).encode() not in found, path
    assert GONE.encode() in (house.source / "patients.csv").read_bytes()  # the control: it is there to be found


def test_attack_the_trace_or_the_manifest_tells_how_many_opted_out(house: House) -> None:
    house.choose(Act.REFUSE, GONE)
    made = house.shelve()
    manifest = json.loads((folder_of(house.home.place, "clinic", made.version) / "manifest.json").read_bytes())
    assert BY_CHOICE not in json.dumps(manifest)
    with reading(house.home.db) as connection:
        told = connection.execute(select(events.c.detail).where(events.c.kind == "choices.refused")).scalar()
    assert set(json.loads(told or "{}")) == {"register", "list"}


def test_attack_an_old_version_is_granted_before_the_next_is_built(cast: Cast, tmp_path: Path) -> None:
    home = clinic.Home(cast.place, cast.keyring, cast.db)
    house = House(home, home.signed(clinic.text()), clinic.write_csv(tmp_path / "raw", _raw()))
    house.shelve()

    def drafted(version: int | None = None) -> access.Request:
        asked = cast.asked(dataset="clinic", version=version)
        dataset = catalogue.find(cast.db, "clinic", version)
        who = cast.member("researcher")
        return access.draft(cast.db, cast.keyring, cast.permissions, cast.policy, who, asked, dataset)

    under_way = cast.approve(cast.submit(drafted()), "steward")  # asked for before anybody opted out
    cast.approve(cast.approve(cast.submit(drafted()), "steward"), "officer")  # the control: a grant
    assert house.choose(Act.REFUSE, GONE) == (("clinic", 1),)
    for version in (None, 1):
        with pytest.raises(Refused) as refused:
            drafted(version)
        assert refused.value.code == "choices.version_barred"
    with pytest.raises(Refused) as refused:
        cast.approve(under_way, "officer")
    assert refused.value.code == "choices.version_barred"
    house.shelve()
    assert cast.approve(under_way, "officer").state is access.State.GRANTED  # whichever is current: the next
    drafted()
    with pytest.raises(Refused):
        drafted(1)


def test_attack_somebody_opts_out_while_the_build_runs(house: House) -> None:
    """The build read the list before; what it made holds them, and must not come to the shelf."""
    said: list[str] = []

    def progress(stage: str, done: int, total: int | None) -> None:
        if stage.startswith("write") and not said:
            said.append(stage)
            house.choose(Act.REFUSE, GONE)

    (house.source / "patients.csv").write_text((house.source / "patients.csv").read_text().replace("1960", "1961"))
    with pytest.raises(Refused) as refused:
        house.shelve(progress=progress)
    assert refused.value.code == "choices.changed"
    assert catalogue.find(house.home.db, "clinic").version == 1
    assert str(house.person) not in house.stored(house.shelve().version)


INSURED = clinic.parsed(lambda tree: tree.update(register="insured"))
"""A dataset of another register: it stands for the list that is taken in there."""


def drawing(tree: dict[str, Any]) -> None:
    """Visits come from the insurer's records."""
    next(t for t in tree["resources"] if t["name"] == "visits")["registers"] = ["insured"]


def refuse_at_the_insurer(house: House, *persons: str, act: Act = Act.REFUSE) -> tuple[tuple[str, int], ...]:
    key = house.home.keyring.pseudonym_key("insured", create=True)
    listed = frozenset(pseudonym_of(key, "person", person) for person in persons)
    return record(house.home.db, "steward", INSURED, act, listed).barred


def test_attack_who_opted_out_of_one_register_is_used_through_a_table_that_draws_on_it(house: House) -> None:
    refuse_at_the_insurer(house, GONE)
    assert str(house.person) in house.stored(house.shelve().version), "the control: nothing here draws on the insurer"
    house.home.signed(clinic.text(drawing))
    made = house.shelve()
    assert str(house.person) not in house.stored(made.version)
    assert made.rows == {"patients": 2, "visits": 1, "diagnoses": 1}, "out of every table, and nobody else"
    refuse_at_the_insurer(house, GONE, act=Act.LIFT)
    assert str(house.person) in house.stored(house.shelve().version)


def test_attack_they_are_named_there_by_another_identifier_than_here(house: House) -> None:
    """The insurer's list spells the name; here that is a key of the identity rule, not the unit's own column."""

    def by_name(tree: dict[str, Any]) -> None:
        drawing(tree)
        next(t for t in tree["resources"] if t["name"] == "patients")["identity"] = {"key": ["name"]}

    house.home.signed(clinic.text(by_name))
    before = house.shelve()
    (name,) = {row["name"] for row in _raw()["patients"] if row["patient_id"] == GONE}
    refuse_at_the_insurer(house, name)
    after = house.shelve()
    assert (before.rows["patients"], after.rows["patients"]) == (3, 2)


@pytest.mark.parametrize(("column", "left"), [("insurance_no", 2), ("bed", 3), ("contact_id_no", 3)])
def test_attack_they_are_named_there_by_a_number_that_is_dropped_here(house: House, column: str, left: int) -> None:
    """The insurer's list spells its own number; here that is a column of which nothing is kept. The controls hold the same
    words under a name that announces no number of the person's."""

    def with_number(tree: dict[str, Any]) -> None:
        drawing(tree)
        fields = next(t for t in tree["resources"] if t["name"] == "patients")["schema"]["fields"]
        fields.append({"name": column, "type": "string", "treatment": "drop"})

    path = house.source / "patients.csv"
    first, *rows = path.read_text().splitlines()
    path.write_text("\n".join([f"{first},{column}", *(f"{row},Y{n}7" for n, row in enumerate(rows))]) + "\n")
    house.home.signed(clinic.text(with_number))
    refuse_at_the_insurer(house, "Y07", "Y97")
    assert house.shelve().rows["patients"] == left


def test_attack_a_version_that_draws_on_their_register_is_granted_after_they_opted_out(house: House) -> None:
    assert refuse_at_the_insurer(house, "somebody") == (), "the control: nothing here draws on the insurer"
    house.home.signed(clinic.text(drawing))
    made = house.shelve()
    check_grantable(house.home.db, "clinic", made.version)
    assert refuse_at_the_insurer(house, GONE) == (("clinic", made.version),), "the first version draws on nobody else"
    with pytest.raises(Refused):
        check_grantable(house.home.db, "clinic", made.version)
    check_grantable(house.home.db, "clinic", house.shelve().version)


def test_attack_they_opt_out_of_the_other_register_while_the_build_runs(house: House) -> None:
    house.home.signed(clinic.text(drawing))
    said: list[str] = []

    def progress(stage: str, done: int, total: int | None) -> None:
        if stage.startswith("write") and not said:
            said.append(stage)
            refuse_at_the_insurer(house, GONE)

    with pytest.raises(Refused) as refused:
        house.shelve(progress=progress)
    assert refused.value.code == "choices.changed"
    assert str(house.person) not in house.stored(house.shelve().version)


def test_attack_a_key_of_the_other_register_rests_in_what_is_built(house: House) -> None:
    refuse_at_the_insurer(house, GONE)
    house.home.signed(clinic.text(drawing))
    made = house.shelve()
    key = house.home.keyring.pseudonym_key("insured")
    theirs = str(pseudonym_of(key, "person", GONE))
    assert theirs not in house.stored(made.version)
    for path in folder_of(house.home.place, "clinic", made.version).rglob("*"):
        found = path.read_bytes() if path.is_file() else b""
        assert key not in found and key.hex().encode() not in found and theirs.encode() not in found, path


def test_attack_a_choice_is_kept_without_its_event_or_its_bar(house: House) -> None:
    """The database refuses the bar: the choice and both events go with it."""
    before = house.kinds()
    with house.home.db.begin() as connection:
        connection.execute(text("CREATE TRIGGER no_bars BEFORE INSERT ON bars BEGIN SELECT RAISE(ABORT, 'full'); END"))
    with pytest.raises(DatabaseError):
        house.choose(Act.REFUSE, GONE)
    with reading(house.home.db) as connection:
        assert connection.execute(select(choices)).all() == []
    assert house.kinds() == before
    with house.home.db.begin() as connection:
        connection.execute(text("DROP TRIGGER no_bars"))
    house.choose(Act.REFUSE, GONE)  # the control
    assert house.kinds()[len(before) :] == ["choices.refused", "extract.barred"]


def test_a_bar_tells_nothing_of_who_is_in_a_dataset_and_falls_with_the_next_build(house: House) -> None:
    assert house.choose(Act.REFUSE, "somebody who never came") == (("clinic", 1),)
    with pytest.raises(Refused):
        check_grantable(house.home.db, "clinic", None)
    same = house.shelve()
    assert (same.unchanged, same.version) == (True, 1)
    check_grantable(house.home.db, "clinic", None)
    assert house.kinds()[-2:] == ["extract.unchanged", "extract.cleared"]
    assert house.choose(Act.REFUSE, "somebody who never came") == ()  # known already


def test_a_choice_taken_back_counts_from_the_next_build_on(house: House) -> None:
    house.choose(Act.REFUSE, GONE)
    assert str(house.person) not in house.stored(house.shelve().version)
    assert house.choose(Act.LIFT, GONE) == ()
    assert str(house.person) in house.stored(house.shelve().version)


def test_where_consent_is_the_basis_only_who_consented_is_in(house: House) -> None:
    house.home.signed(clinic.text(lambda tree: tree.update(consent="required")))
    house.choose(Act.CONSENT, GONE, "P2")
    made = house.shelve()
    assert made.rows["patients"] == 2 and str(house.person) in house.stored(made.version)
    house.choose(Act.REFUSE, "P2")
    assert house.choose(Act.WITHDRAW, GONE) == ()  # barred already
    with reading(house.home.db) as connection:
        standing = connection.execute(select(extracts.c.version).order_by(extracts.c.version)).scalars().all()
        assert connection.execute(select(bars.c.version).order_by(bars.c.version)).scalars().all() == standing
    assert house.shelve().rows["patients"] == 0
