"""A small clinic: its descriptor as a tree to edit, its raw rows as dicts, and a home to take them in.

Everything goes through the real verbs; what a test changes, it changes in the text that is signed or in the raw file.
"""

from __future__ import annotations

import copy
import csv
import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from sqlalchemy import Engine

from enclave.intake import descriptor, policy
from enclave.intake.extract import Extract, build
from enclave.intake.package import Descriptor
from enclave.store import Keyring, Place, open_state

Row = dict[str, Any]
Rows = dict[str, list[Row]]
KEY = b"p" * 32
FILE_KEY = "5e" * 32

TREE: dict[str, Any] = yaml.safe_load("""
profile: domicile-data-package
name: clinic
policy_version: 1
title: {en: Clinic, zh: 诊所}
grade: 2
domain: medical application data
demo: false
register: town
unit: {name: person, table: patients, domain: person}
delta: "1e-6"
keys_delta: "1e-9"
size_class: 100000
reference_date: 2025-01-01
shift_days: 20
code_lists:
  sex: {rename: {"1": male, "2": female}}
  dept: {codes: [CARD, NEUR, ENDO]}
  ward: {codes: [CARD-01, CARD-02, NEUR-01, ENDO-01]}
  province: {rename: {"37": Shandong, "11": Beijing}}
  category: {codes: [E11, I10]}
references:
  - name: departments
    key: dept
    list: dept
    columns:
      division: {title: {en: Division, zh: 大科}, values: {medicine: [CARD, ENDO], other: [NEUR]}}
      floor: {values: {2: [CARD], 3: [NEUR, ENDO]}}
resources:
  - name: patients
    path: patients
    unit: patient_id
    key: [patient_id]
    schema:
      fields:
        - {name: patient_id, type: string, treatment: pseudonym, domain: person}
        - {name: name, type: string, treatment: drop}
        - {name: sex, type: string, treatment: keep, list: sex, otherwise: unknown}
        - name: region_code
          type: string
          yields: [{name: province, treatment: prefix, length: 2, list: province, otherwise: Other}]
        - name: birth_date
          type: date
          yields:
            - {name: age, treatment: age, lower: 0, upper: 90, total_clip: 90}
            - {name: age_band, treatment: age_band, edges: [0, 18, 60]}
    derived:
      - {name: diabetes, any_of: {table: diagnoses, column: dx, prefixes: [E10, E11]}}
  - name: visits
    path: visits
    may_be_empty: true
    unit: patient_id
    key: [visit_id]
    row_clip: 8
    facets:
      - {column: dept, clip: 4, distinct_clip: 2}
      - {column: dx_category, clip: 4, distinct_clip: 2}
    keys: [{column: dx_code, per_person: 3, in_all: 100}]
    joins: [{column: patient_id, table: patients, to: patient_id, carries: [age, sex]}]
    rules: [discharged_at >= admitted_at, los_days <= 365]
    schema:
      fields:
        - {name: visit_id, type: string, treatment: pseudonym, domain: visit}
        - {name: patient_id, type: string, treatment: pseudonym, domain: person}
        - name: admitted_at
          type: datetime
          yields:
            - {name: admitted_on, treatment: shift, lower: 2020-01-01, upper: 2025-12-31}
            - {name: admit_year, treatment: year, lower: 2021, upper: 2024}
            - {name: admit_month, treatment: month}
        - name: discharged_at
          type: datetime
          yields: [{name: discharged_on, treatment: shift, lower: 2020-01-01, upper: 2025-12-31}]
        - {name: dept, type: string, treatment: keep, list: dept}
        - {name: ward, type: string, treatment: keep, list: ward}
        - name: main_dx
          type: string
          yields:
            - {name: dx_category, treatment: prefix, length: 3, list: category, otherwise: OTHER}
            - {name: dx_chapter, treatment: icd10_chapter}
            - {name: dx_code, treatment: form, pattern: '[A-Z][0-9]{2}([.][0-9x]{3}([0-9x]{4})?)?', longest: 11}
        - {name: los_days, type: integer, treatment: clamp, lower: 0, upper: 60, total_clip: 100}
        - name: fee
          type: decimal
          yields:
            - {name: fee, treatment: clamp, lower: -10, upper: 1000, scale: 100, total_clip: 2000}
            - {name: fee_band, treatment: band, edges: [100, 500]}
  - name: diagnoses
    path: diagnoses
    may_be_empty: true
    unit: patient_id
    key: [diagnosis_id]
    row_clip: 10
    joins:
      - {column: patient_id, table: patients, to: patient_id, carries: [sex]}
      - {column: visit_id, table: visits, to: visit_id, carries: [dept, los_days]}
    schema:
      fields:
        - {name: diagnosis_id, type: string, treatment: pseudonym, domain: diagnosis}
        - {name: visit_id, type: string, treatment: pseudonym, domain: visit}
        - {name: patient_id, type: string, treatment: pseudonym, domain: person}
        - {name: dx, type: string, yields: [{name: is_diabetes, treatment: flag, prefixes: [E10, E11]}]}
  - {name: notes, treatment: drop}
""")


def tree(edit: Callable[[dict[str, Any]], object] | None = None) -> dict[str, Any]:
    """The descriptor as a tree, edited by `edit` in place."""
    copied = copy.deepcopy(TREE)
    if edit:
        edit(copied)
    return copied


def text(edit: Callable[[dict[str, Any]], object] | None = None) -> bytes:
    return yaml.safe_dump(tree(edit), allow_unicode=True, sort_keys=False).encode()


def parsed(edit: Callable[[dict[str, Any]], object] | None = None) -> Descriptor:
    return descriptor.parse(text(edit))


def resource(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(r for r in found["resources"] if r["name"] == name)


def field(found: dict[str, Any], table: str, name: str) -> dict[str, Any]:
    return next(f for f in resource(found, table)["schema"]["fields"] if f["name"] == name)


def patient(n: int, **changes: Any) -> Row:
    plain = {
        "patient_id": f"P{n}",
        "name": f"Secret-{n}",
        "sex": "1",
        "region_code": "370102",
        "birth_date": "1960-05-05",
    }
    return plain | changes


def visit(n: int, person: int, **changes: Any) -> Row:
    plain = {
        "visit_id": f"V{n}", "patient_id": f"P{person}", "admitted_at": "2022-03-01 08:00:00",
        "discharged_at": "2022-03-05 09:30:00", "dept": "CARD", "ward": "CARD-01", "main_dx": "I10.x00x002",
        "los_days": "4", "fee": "120.50",
    }  # fmt: skip
    return plain | changes


def diagnosis(n: int, of_visit: int, person: int, **changes: Any) -> Row:
    return {"diagnosis_id": f"D{n}", "visit_id": f"V{of_visit}", "patient_id": f"P{person}", "dx": "I10"} | changes


def rows() -> Rows:
    """Three persons: P1 with three visits (two departments), P2 with one, P3 with none."""
    return {
        "patients": [
            patient(1),
            patient(2, sex="2", region_code="110101"),
            patient(3, sex="9", birth_date="1900-01-01"),
        ],
        "visits": [visit(1, 1), visit(2, 1), visit(3, 1, dept="NEUR", ward="NEUR-01"), visit(4, 2, dept="", ward="")],
        "diagnoses": [diagnosis(1, 1, 1), diagnosis(2, 1, 1, dx="E11.900"), diagnosis(3, 4, 2)],
    }


def write_csv(folder: Path, raw: Rows) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, found in raw.items():
        columns = [f["name"] for f in resource(TREE, name)["schema"]["fields"]]
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(found)
    return folder


_ARROW: dict[str, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int32(),
    "decimal": pa.decimal128(12, 2),
    "date": pa.date32(),
    "datetime": pa.timestamp("s"),
}


def write_parquet(folder: Path, raw: Rows) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, found in raw.items():
        columns = {}
        for f in resource(TREE, name)["schema"]["fields"]:
            texts = pa.array([row[f["name"]] or None for row in found], pa.string())
            columns[f["name"]] = texts.cast(_ARROW[f["type"]])
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")
    return folder


@contextmanager
def opened(path: Path, key: str = FILE_KEY, *, writable: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the extract attached as `extract`."""
    from enclave.intake.workshop import openssl_extension

    with duckdb.connect() as con:
        con.execute(f"LOAD '{openssl_extension()}'")
        con.execute(f"ATTACH '{path}' AS extract (ENCRYPTION_KEY '{key}'{'' if writable else ', READ_ONLY'})")
        yield con


def built(folder: Path, raw: Rows, d: Descriptor | None = None, *, key: bytes = KEY) -> Extract:
    """An extract of these rows in `folder`/draft."""
    source, draft = write_csv(folder / "source", raw), folder / "draft"
    draft.mkdir(parents=True)
    return build(d or parsed(), source, draft, pseudonym_key=key, file_key=FILE_KEY)


def stored(extract: Extract, table: str) -> list[Row]:
    """The rows of a table as they rest."""
    with opened(extract.path) as con:
        result = con.execute(f'SELECT * FROM extract.main."{table}"')
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def pseudonym(domain: str, identifier: str, key: bytes = KEY) -> int:
    """What HMAC-SHA256 says, by Python."""
    return int.from_bytes(hmac.digest(key, f"{domain}\x1f{identifier}".encode(), "sha256")[:8], "big") - 2**63


@dataclass(frozen=True)
class Home:
    place: Place
    keyring: Keyring
    db: Engine

    def signed(self, content: bytes) -> Path:
        """`content` as the home's signed descriptor."""
        path = self.place.policies / "datasets" / "clinic" / "datapackage.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        policy.sign(self.db, path, self.keyring, "steward")
        return path


def home(folder: Path) -> Home:
    place = Place(folder)
    place.make()
    keyring = Keyring(place)
    keyring.create()
    return Home(place, keyring, open_state(place))
