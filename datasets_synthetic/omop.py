"""Make an invented hospital as an OMOP CDM folder: what does each command-line choice give?

    python datasets_synthetic/omop.py OUT [--persons N] [--seed S] [--format csv|parquet]

Writes the CDM tables person, observation_period, visit_occurrence, condition_occurrence, drug_exposure, measurement, death
and note, the vocabulary's `concept` for the ids in use, and generator.json with the SHA-256 of each; the same arguments give
the same bytes, and both formats the same rows. The people are those of `people`: their resident numbers stand in
person_source_value, their names in the notes. Some measurements belong to no visit.

Planted here: who has type 2 diabetes (201826) gets metformin (1503297), and their HbA1c (3004410) is higher.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

if __package__ in (None, ""):  # started as a script: the package is this folder
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from datasets_synthetic import files, people
from datasets_synthetic.columns import Column, Flags, Ints, Stream, choose, dates, day, hundredths, joined, stream
from datasets_synthetic.make import whole_number
from datasets_synthetic.resident import Register

MOST_PERSONS = 100_000
"""All persons are drawn at once."""

DIABETES, METFORMIN, HBA1C = 201826, 1503297, 3004410
CONCEPTS = {
    8507: ("MALE", "Gender"), 8532: ("FEMALE", "Gender"), 8515: ("Asian", "Race"),
    38003564: ("Not Hispanic or Latino", "Ethnicity"), 32817: ("EHR", "Type Concept"),
    9201: ("Inpatient Visit", "Visit"), 9202: ("Outpatient Visit", "Visit"), 9203: ("Emergency Room Visit", "Visit"),
    DIABETES: ("Type 2 diabetes mellitus", "Condition"), 320128: ("Essential hypertension", "Condition"),
    317009: ("Asthma", "Condition"), 255848: ("Pneumonia", "Condition"), 4329847: ("Myocardial infarction", "Condition"),
    METFORMIN: ("metformin", "Drug"), 1308216: ("lisinopril", "Drug"), 1332418: ("amlodipine", "Drug"),
    1112807: ("aspirin", "Drug"), HBA1C: ("Hemoglobin A1c", "Measurement"), 3016723: ("Creatinine", "Measurement"),
    3004249: ("Systolic blood pressure", "Measurement"),
}  # fmt: skip
EHR = 32817
VISITS = ((9201, 0.2), (9202, 0.7), (9203, 0.1))
CONDITIONS = ((320128, 0.45), (317009, 0.2), (255848, 0.25), (4329847, 0.1))
DRUGS = ((1308216, 0.4), (1332418, 0.4), (1112807, 0.2))
ITEMS = ((HBA1C, 560, 40), (3016723, 7600, 1500), (3004249, 12600, 1400))
"""Concept, mean and spread in hundredths."""
FIRST, LAST = day("2021-01-01"), day("2024-12-31")
TABLES = (
    "person", "observation_period", "visit_occurrence", "condition_occurrence", "drug_exposure", "measurement", "death",
    "note", "concept",
)  # fmt: skip


@dataclass(frozen=True)
class Visits:
    person: Ints
    number: Ints
    start: Ints
    end: Ints


def _ids(numbers: Ints) -> Column:
    return pa.array(numbers.astype(np.int64))


def _concepts(rng: np.random.Generator, weighed: Sequence[tuple[int, float]], rows: int) -> Ints:
    return np.array([concept for concept, _ in weighed])[choose(rng, [weight for _, weight in weighed], rows)]


def _same(value: int, rows: int) -> Column:
    return _ids(np.full(rows, value))


def _whole(crowd: people.People, column: str) -> Column:
    return crowd.table[column].combine_chunks()


def _person(crowd: people.People) -> pa.Table:
    born = crowd.birth.astype("datetime64[D]")
    year = born.astype("datetime64[Y]").astype(np.int64) + 1970
    month = born.astype("datetime64[M]").astype(np.int64) % 12 + 1
    return pa.table(
        {
            "person_id": _ids(crowd.number),
            "gender_concept_id": _ids(np.where(crowd.male, 8507, 8532)),
            "year_of_birth": _ids(year),
            "month_of_birth": _ids(month),
            "birth_datetime": dates(crowd.birth).cast(pa.timestamp("s")),
            "race_concept_id": _same(8515, crowd.rows),
            "ethnicity_concept_id": _same(38003564, crowd.rows),
            "person_source_value": _whole(crowd, "resident_id"),
            "gender_source_value": _whole(crowd, "sex"),
        }
    )


def _visits(rng: np.random.Generator, crowd: people.People) -> tuple[Visits, pa.Table]:
    person = np.repeat(crowd.number, rng.poisson(3, crowd.rows))
    start = rng.integers(FIRST, LAST - 30, len(person))
    concept = _concepts(rng, VISITS, len(person))
    end = start + np.where(concept == 9201, rng.integers(1, 20, len(person)), 0)
    seen = Visits(person, np.arange(1, len(person) + 1), start, end)
    table = {
        "visit_occurrence_id": _ids(seen.number),
        "person_id": _ids(person),
        "visit_concept_id": _ids(concept),
        "visit_start_date": dates(start),
        "visit_end_date": dates(end),
        "visit_type_concept_id": _same(EHR, len(person)),
    }
    return seen, pa.table(table)


def _period(seen: Visits) -> pa.Table:
    who, first = np.unique(seen.person, return_index=True)
    start = np.minimum.reduceat(seen.start, first)
    end = np.maximum.reduceat(seen.end, first)
    return pa.table(
        {
            "observation_period_id": _ids(np.arange(1, len(who) + 1)),
            "person_id": _ids(who),
            "observation_period_start_date": dates(start),
            "observation_period_end_date": dates(end),
            "period_type_concept_id": _same(EHR, len(who)),
        }
    )


def _event(prefix: str, start: str, seen: Visits, of: Ints, concept: Ints) -> dict[str, Column]:
    """What every event table of the CDM begins with."""
    return {
        f"{prefix}_id": _ids(np.arange(1, len(of) + 1)),
        "person_id": _ids(seen.person[of]),
        f"{prefix.removesuffix('_occurrence').removesuffix('_exposure')}_concept_id": _ids(concept),
        start: dates(seen.start[of]),
        "visit_occurrence_id": _ids(seen.number[of]),
    }


def _conditions(rng: np.random.Generator, seen: Visits, diabetic: Flags) -> pa.Table:
    of = np.arange(len(seen.person))
    concept = np.where(diabetic & (rng.random(len(of)) < 0.6), DIABETES, _concepts(rng, CONDITIONS, len(of)))
    return pa.table(_event("condition_occurrence", "condition_start_date", seen, of, concept))


def _drugs(rng: np.random.Generator, seen: Visits, diabetic: Flags) -> pa.Table:
    of = np.flatnonzero(rng.random(len(seen.person)) < 0.7)
    concept = np.where(diabetic[of] & (rng.random(len(of)) < 0.7), METFORMIN, _concepts(rng, DRUGS, len(of)))
    days = rng.integers(3, 90, len(of))
    table = _event("drug_exposure", "drug_exposure_start_date", seen, of, concept)
    table |= {
        "drug_exposure_end_date": dates(seen.start[of] + days),
        "quantity": hundredths(days * 100, 12),
        "days_supply": _ids(days),
    }
    return pa.table(table)


def _measurements(rng: np.random.Generator, seen: Visits, diabetic: Flags) -> pa.Table:
    of = np.repeat(np.arange(len(seen.person)), 2)
    which = rng.integers(0, len(ITEMS), len(of))
    mean, spread = (np.array([item[n] for item in ITEMS])[which] for n in (1, 2))
    value = mean + spread * rng.standard_normal(len(of)) + 180 * diabetic[of] * (which == 0)
    table = _event("measurement", "measurement_date", seen, of, np.array([item[0] for item in ITEMS])[which])
    table["visit_occurrence_id"] = pa.array(seen.number[of].astype(np.int64), mask=rng.random(len(of)) < 0.1)
    table["value_as_number"] = hundredths(np.rint(np.maximum(value, 1)).astype(np.int64), 12)
    return pa.table(table)


def _death(rng: np.random.Generator, crowd: people.People) -> pa.Table:
    who = np.flatnonzero(rng.random(crowd.rows) < 0.03)
    return pa.table(
        {
            "person_id": _ids(crowd.number[who]),
            "death_date": dates(np.full(len(who), LAST)),
            "cause_concept_id": _same(4329847, len(who)),
        }
    )


def _notes(seen: Visits, crowd: people.People) -> pa.Table:
    of = np.arange(0, len(seen.person), 4)
    row = seen.person[of] - 1
    said = joined(
        "患者姓名：", crowd.names.of(row).zh(), "，身份证号：", _whole(crowd, "resident_id").take(_ids(row)),
        "，联系电话：", _whole(crowd, "phone").take(_ids(row)), "。一般情况可，继续目前治疗，定期复查。",
    )  # fmt: skip
    return pa.table(
        {
            "note_id": _ids(np.arange(1, len(of) + 1)),
            "person_id": _ids(seen.person[of]),
            "note_date": dates(seen.start[of]),
            "note_text": said,
            "visit_occurrence_id": _ids(seen.number[of]),
        }
    )


def _vocabulary() -> pa.Table:
    numbers, named = list(CONCEPTS), list(CONCEPTS.values())
    columns = {"concept_name": [name for name, _ in named], "domain_id": [domain for _, domain in named]}
    return pa.table({"concept_id": pa.array(numbers, pa.int64()), **columns})


def tables_of(persons: int, seed: int) -> dict[str, pa.Table]:
    """Every table, by name."""
    crowd = people.draw(seed, 0, 1, persons, Register())
    rng = stream(seed, Stream.OMOP, 0)
    seen, visits = _visits(rng, crowd)
    diabetic = crowd.diabetic[seen.person - 1]
    made = (
        _person(crowd), _period(seen), visits, _conditions(rng, seen, diabetic), _drugs(rng, seen, diabetic),
        _measurements(rng, seen, diabetic), _death(rng, crowd), _notes(seen, crowd), _vocabulary(),
    )  # fmt: skip
    return dict(zip(TABLES, made, strict=True))


def make(out: Path, *, persons: int = 2_000, seed: int = 1, form: str = "csv") -> None:
    """Write the folder to `out`."""
    out.mkdir(parents=True, exist_ok=True)
    for name in ("generator.json", *(f"{table}.{ending}" for table in TABLES for ending in files.FORMATS)):
        (out / name).unlink(missing_ok=True)
    with files.TableFiles(out, form) as writers:
        for name, table in tables_of(persons, seed).items():
            writers.add(name, table)
    seal = {"generator": "domicile-synthetic-omop", "version": 1, "seed": seed, "persons": persons, "format": form}
    digests = {path.name: files.sha256(path) for path in sorted(writers.paths.values())}
    files.write_json(out / "generator.json", {**seal, "tables": list(TABLES), "sha256": digests})


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="omop.py", description="Make an invented hospital as an OMOP CDM folder.")
    parser.add_argument("out", type=Path, help="folder to write; files of an earlier run in it are replaced")
    parser.add_argument("--persons", type=whole_number(1, MOST_PERSONS), default=2_000)
    parser.add_argument("--seed", type=whole_number(0, 2**32 - 1), default=1)
    parser.add_argument("--format", choices=files.FORMATS, default="csv")
    asked = parser.parse_args(argv)
    make(asked.out, persons=asked.persons, seed=asked.seed, form=asked.format)


if __name__ == "__main__":
    main()
