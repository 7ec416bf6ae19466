"""An OMOP CDM folder: drafted, settled, the same content from CSV and Parquet, and asked a private question."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml
from datasets_synthetic import omop
from tests.oracle import clinic
from tests.oracle.door import opened

from enclave import catalogue
from enclave.catalogue.dictionary import dataset_of
from enclave.intake import descriptor
from enclave.intake.draft import Draft, draft
from enclave.intake.extract import Extract, build
from enclave.intake.package import Descriptor
from enclave.query.engine import Engine
from enclave.twin import make

PERSONS = 400
STANDARD = [
    "person", "observation_period", "visit_occurrence", "condition_occurrence", "drug_exposure", "measurement", "death",
    "note",
]  # fmt: skip


def drafted(source: Path, demo: bool = False) -> Draft:
    scratch = Path(os.environ.get("TMPDIR", "/tmp"))
    return draft(source, scratch, name="clinic", demo=demo, lang="en", today=date(2026, 3, 1))


def settled(text: str) -> bytes:
    return "\n".join(line for line in text.splitlines() if "SETTLE:" not in line).encode()


@dataclass(frozen=True)
class Folders:
    csv: Path
    parquet: Path
    tables: dict[str, Any]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    folder = tmp_path_factory.mktemp("omop")
    for form in ("csv", "parquet"):
        omop.make(folder / form, persons=PERSONS, seed=4, form=form)
    return Folders(folder / "csv", folder / "parquet", omop.tables_of(PERSONS, 4))


@pytest.fixture(scope="module")
def d(folders: Folders) -> Descriptor:
    return descriptor.parse(settled(drafted(folders.csv).text))


@pytest.fixture(scope="module")
def extract(folders: Folders, d: Descriptor, tmp_path_factory: pytest.TempPathFactory) -> Extract:
    return _built(folders.csv, d, tmp_path_factory.mktemp("draft"))


def _built(source: Path, d: Descriptor, folder: Path) -> Extract:
    return build(d, source, folder, pseudonym_key=clinic.KEY, file_key=clinic.FILE_KEY)


def test_the_generator_gives_the_same_bytes_and_no_unknown_concept(folders: Folders, tmp_path: Path) -> None:
    omop.make(tmp_path, persons=PERSONS, seed=4)
    for path in folders.csv.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name
    named = set(folders.tables["concept"]["concept_id"].to_pylist())
    for table in folders.tables.values():
        for column in table.column_names:
            if column.endswith("concept_id"):
                assert set(table[column].to_pylist()) <= named, column


def test_columns_that_the_cdm_fixes_bear_no_mark_and_the_site_s_own_do(folders: Folders) -> None:
    text = drafted(folders.csv).text
    assert [r["name"] for r in yaml.safe_load(text)["resources"]] == [*STANDARD, "concept"]
    lines = text.splitlines()
    marked = {lines[n + 1].strip() for n, line in enumerate(lines) if "SETTLE:" in line}
    columns = {line.split(",")[0].removeprefix("- {name: ") for line in marked if line.startswith("- {name")}
    assert columns == {"quantity", "days_supply", "value_as_number", "note_text"}
    lists = {line.split(":")[0] for line in text.splitlines() if line.startswith("  omop_")}
    assert {"omop_gender", "omop_condition"} <= {name.strip() for name in lists}


def test_csv_and_parquet_give_the_same_draft_and_the_same_content(
    folders: Folders, d: Descriptor, extract: Extract, tmp_path: Path
) -> None:
    assert drafted(folders.parquet).text == drafted(folders.csv).text
    assert _built(folders.parquet, d, tmp_path).digest == extract.digest
    assert extract.rows["person"] == PERSONS and extract.rows["death"] > 0
    assert extract.rows["measurement"] == folders.tables["measurement"].num_rows  # those without a visit too


def test_no_planted_identifier_and_no_second_person_is_left(folders: Folders, extract: Extract) -> None:
    """Source values are dropped, notes are gone through; the control finds them in the raw tables."""
    resident = folders.tables["person"]["person_source_value"].to_pylist()
    notes = folders.tables["note"]["note_text"].to_pylist()
    said = [note.split("：")[n].split("，")[0].split("。")[0] for note in notes for n in (1, 2, 3)]
    planted = {*resident, *said}
    raw = str([table.to_pylist() for table in folders.tables.values()])
    assert len(planted) > PERSONS and all(value in raw for value in planted)
    kept = str([clinic.stored(extract, name) for name in STANDARD])
    assert "[姓名]" in kept
    assert [value for value in planted if value in kept] == []


def test_a_cause_of_death_is_held_against_causes(extract: Extract) -> None:
    """Not against conditions, among which few causes are."""
    causes = {row["cause_concept_id"] for row in clinic.stored(extract, "death")}
    assert causes == {"4329847"}, "otherwise 0: no cause that the list knows"


def test_tables_of_several_persons_and_of_none_are_left_where_they_are(folders: Folders, tmp_path: Path) -> None:
    for path in folders.csv.glob("*.csv"):
        (tmp_path / path.name.upper().replace(".CSV", ".csv")).write_bytes(path.read_bytes())
    (tmp_path / "FACT_RELATIONSHIP.csv").write_text("domain_concept_id_1,fact_id_1\n56,1\n")
    (tmp_path / "SITE_TABLE.csv").write_text("person_id,score\n1,7\n")
    text = drafted(tmp_path).text
    left = {r["name"] for r in yaml.safe_load(text)["resources"] if r.get("treatment") == "drop"}
    assert left == {"concept", "fact_relationship", "site_table"}
    assert text.count("no standard table") == 1


def test_a_column_the_cdm_does_not_know_is_guessed(folders: Folders, tmp_path: Path) -> None:
    for path in folders.csv.glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    first, *rest = (tmp_path / "person.csv").read_text().splitlines()
    lines = [f'{first},"patient_phone"', *(f"{line},13800138{n % 1000:03d}" for n, line in enumerate(rest))]
    (tmp_path / "person.csv").write_text("\n".join(lines) + "\n")
    text = drafted(tmp_path).text
    line = next(n for n, said in enumerate(text.splitlines()) if "patient_phone" in said)
    assert "treatment: drop" in text.splitlines()[line] and "mobile numbers" in text.splitlines()[line - 1]


@pytest.fixture
def shelved(folders: Folders, tmp_path: Path) -> Iterator[tuple[catalogue.Dataset, Engine]]:
    home = clinic.home(tmp_path / "home")
    bounded = settled(drafted(folders.parquet).text).replace(b"upper: 1000, scale: 100}", b"upper: 200, scale: 100}")
    path = home.signed(bounded)
    catalogue.shelve(home.db, home.place, home.keyring, "steward", path, folders.parquet, demo_home=False)
    dataset = catalogue.find(home.db, "clinic")
    engine = Engine(*catalogue.open_key(home.place, home.keyring, dataset))
    yield dataset, engine
    engine.close()
    home.db.dispose()


def test_a_private_question_is_answered_as_the_folder_says(
    shelved: tuple[catalogue.Dataset, Engine], folders: Folders
) -> None:
    """Conditions by concept, and the mean HbA1c of whom metformin was given, at a price where noise is little."""
    hospital, door = opened(*shelved)
    asked = hospital.sql("SELECT condition, COUNT(*) AS n FROM condition_occurrence GROUP BY condition", epsilon=400)
    found = {row["condition"]: row for row in asked.frame().to_dict("records")}
    conditions = folders.tables["condition_occurrence"]["condition_concept_id"].to_pylist()
    for concept in (201826, 320128, 255848):
        row = found[str(concept)]
        assert abs(row["n"] - conditions.count(concept)) <= 6 * row["n_se"] + 1, concept
        assert row["n_se"] < 5
    question = "SELECT AVG(value_as_number) AS hba1c FROM measurement WHERE item = '3004410'"
    (mean,) = hospital.sql(question, epsilon=400).frame().to_dict("records")
    rows = folders.tables["measurement"].to_pylist()
    truth = [float(row["value_as_number"]) for row in rows if row["measurement_concept_id"] == omop.HBA1C]
    assert abs(mean["hba1c"] - sum(truth) / len(truth)) <= 6 * mean["hba1c_se"]
    assert mean["hba1c_se"] < 0.5
    assert len(door.asked) == 2


def test_its_twin_is_made_though_some_rows_belong_to_no_visit(d: Descriptor, tmp_path: Path) -> None:
    """A pseudonym that joins nothing is a number like any other."""
    make(d, tmp_path / "twin.duckdb", persons=200)
    engine = Engine(tmp_path / "twin.duckdb", None)
    dataset = dataset_of(d, version=1, digest="0" * 64, policy_digest="0" * 64)
    hospital, _ = opened(dataset, engine)
    found = hospital.sql("SELECT item, COUNT(*) AS n FROM measurement GROUP BY item", epsilon=100).frame()
    assert found["n"].sum() > 200
    engine.close()


def test_days_of_cdm_6_are_read_from_its_moments(folders: Folders, d: Descriptor, tmp_path: Path) -> None:
    """CDM 6 lets days be empty beside moments, or leaves them out; death stands in `person`."""
    source = tmp_path / "six"
    source.mkdir()
    died = dict(zip(*(folders.tables["death"][c].to_pylist() for c in ("person_id", "death_date")), strict=True))
    for name, table in folders.tables.items():
        if name == "death":
            continue
        for column in [c for c in table.column_names if c.endswith("_date")]:
            moment = pc.cast(table[column], pa.timestamp("us"))
            at = table.column_names.index(column)
            if name == "visit_occurrence":  # empty beside the moment
                table = table.set_column(at, column, pa.nulls(table.num_rows, pa.date32()))
                table = table.append_column(f"{column}time", moment)
            elif name != "observation_period":  # which has days alone in CDM 6 too
                table = table.set_column(at, f"{column}time", moment)
        if name == "person":
            dead = [died.get(person) for person in table["person_id"].to_pylist()]
            table = table.append_column("death_datetime", pc.cast(pa.array(dead, pa.date32()), pa.timestamp("us")))
        pq.write_table(table, source / f"{name}.parquet")
    six = descriptor.parse(settled(drafted(source).text))
    (tmp_path / "draft").mkdir()
    extract = _built(source, six, tmp_path / "draft")
    ours, theirs = ({t.name: {o.name for _, o in t.outputs()} for t in one.tables} for one in (six, d))
    assert ours["person"] == theirs["person"] | {"death_date"}
    assert all(ours[name] == theirs[name] for name in ours if name != "person")
    assert six.table("visit_occurrence").rules == ("visit_end_datetime >= visit_start_datetime",)  # type: ignore[union-attr]
    days = [row["death_date"] for row in clinic.stored(extract, "person")]
    assert sum(day is not None for day in days) == len(died) > 0
    assert all(row["visit_start_date"] for row in clinic.stored(extract, "visit_occurrence"))


def _later_tables(people: list[int], visits: list[int]) -> dict[str, dict[str, Any]]:
    """Tables that CDM 5.4 and 6.0 have beside those of the generator, one row a person, in their own columns."""
    n, first, last = len(people), date(2022, 3, 1), date(2022, 3, 4)
    ids, concept = list(range(1, n + 1)), [2000000001] * n

    def days(prefix: str) -> dict[str, Any]:
        return {f"{prefix}_start_date": [first] * n, f"{prefix}_end_date": [last] * n}

    whose = {"person_id": people}
    return {
        "survey_conduct": {
            "survey_conduct_id": ids, **whose, "survey_concept_id": concept, **days("survey"),
            "provider_id": ids, "survey_source_value": ["13800138000"] * n, "visit_occurrence_id": visits,
        },
        "visit_detail": {
            "visit_detail_id": ids, **whose, "visit_detail_concept_id": concept, **days("visit_detail"),
            "visit_occurrence_id": visits,
        },
        "device_exposure": {
            "device_exposure_id": ids, **whose, "device_concept_id": concept, **days("device_exposure"),
            "unique_device_id": ["13800138000"] * n,
        },
        "specimen": {"specimen_id": ids, **whose, "specimen_concept_id": concept, "specimen_date": [first] * n},
        "condition_era": {"condition_era_id": ids, **whose, "condition_concept_id": [201826] * n, **days("condition_era")},
        "drug_era": {"drug_era_id": ids, **whose, "drug_concept_id": concept, **days("drug_era"), "gap_days": [0] * n},
        "dose_era": {"dose_era_id": ids, **whose, "drug_concept_id": concept, "dose_value": [1.5] * n, **days("dose_era")},
        "payer_plan_period": {
            "payer_plan_period_id": ids, **whose, "contract_person_id": people[::-1], "payer_concept_id": concept,
            **days("payer_plan_period"),
        },
        "episode": {"episode_id": ids, **whose, "episode_concept_id": concept, **days("episode")},
        "location_history": {"location_id": ids, "entity_id": people, "domain_id": ["Person"] * n},
    }  # fmt: skip


def test_tables_that_later_versions_of_the_cdm_have_are_known_by_name(folders: Folders, tmp_path: Path) -> None:
    """CDM 6's survey_conduct and location_history among them: kept as the CDM says, or left without a question."""
    source = tmp_path / "later"
    source.mkdir()
    for name in ("person", "visit_occurrence"):
        pq.write_table(folders.tables[name], source / f"{name}.parquet")
    seen = folders.tables["visit_occurrence"].slice(0, 60)
    later = _later_tables(*(seen[c].to_pylist() for c in ("person_id", "visit_occurrence_id")))
    for name, columns in later.items():
        pq.write_table(pa.table(columns), source / f"{name}.parquet")
    text = drafted(source).text
    assert "no standard table" not in text and "contract_person_id, type: string, treatment: drop" in text
    later_d = descriptor.parse(settled(text))
    assert {r.name for r in later_d.resources if not r.kept} == {"location_history"}
    (tmp_path / "draft").mkdir()
    made = _built(source, later_d, tmp_path / "draft")
    assert {name: made.rows[name] for name in later if name != "location_history"} == dict.fromkeys(
        [name for name in later if name != "location_history"], 60
    )
    kept = str([clinic.stored(made, name) for name in made.rows])
    assert "13800138000" not in kept and "2000000001" in kept


def test_authors_whom_the_source_names_are_taken_out_of_every_note(folders: Folders, tmp_path: Path) -> None:
    """An author's bare name stands in a note; `provider` names those who work there, and is no person's rows."""
    for name, table in folders.tables.items():
        if name == "note":
            table = table.append_column("provider_id", pa.array([7] * table.num_rows, pa.int64()))
            said = pa.array([f"{text} {AUTHOR}已阅。" for text in table["note_text"].to_pylist()])
            table = table.set_column(table.column_names.index("note_text"), "note_text", said)
        pq.write_table(table, tmp_path / f"{name}.parquet")
    without = drafted(tmp_path).text
    pq.write_table(pa.table({"provider_id": [7], "provider_name": [AUTHOR]}), tmp_path / "provider.parquet")
    text = drafted(tmp_path).text
    lines = text.splitlines()
    line = lines.index("staff:")
    assert lines[line + 1] == "  - {path: provider, column: provider_name}" and "SETTLE" in lines[line - 1]
    assert "staff:" not in without and AUTHOR not in text
    kept = []
    for n, settling in enumerate((text, without)):
        (tmp_path / f"draft{n}").mkdir()
        made = _built(tmp_path, descriptor.parse(settled(settling)), tmp_path / f"draft{n}")
        kept.append([row["note_text"] for row in clinic.stored(made, "note")])
    assert kept[0] and all("[姓名]已阅。" in text or "[NAME]已阅。" in text for text in kept[0])
    assert any(AUTHOR in text for text in kept[1]), "the control: nobody looked for them"


AUTHOR = "沙明远"
