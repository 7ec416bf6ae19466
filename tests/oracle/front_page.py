"""Inpatient front pages (病案首页), one row a stay: a descriptor that maps them to data elements, and honest rows."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import yaml

from enclave.intake import descriptor
from enclave.intake.package import Descriptor

TEXT = """
profile: domicile-data-package
name: front_pages
policy_version: 1
grade: 3
domain: medical application data
demo: false
register: town
unit: {name: person, table: people, domain: person}
delta: "1e-6"
size_class: 100000
reference_date: 2025-01-01
code_lists:
  sex: {rename: {"1": male, "2": female}}
resources:
  - name: people
    path: people
    unit: patient_id
    key: [patient_id]
    schema:
      fields:
        - {name: patient_id, type: string, element: person_id, treatment: pseudonym, domain: person}
        - {name: id_no, type: string, element: P13, treatment: drop}
        - {name: sex, type: string, element: DE02.01.040.00, system: gbt2261_1, treatment: keep, list: sex}
        - {name: born, type: date, element: birth_date, yields: [{name: age, treatment: age, lower: 0, upper: 90}]}
  - name: stays
    path: stays
    unit: patient_id
    key: [stay]
    row_clip: 10
    joins: [{column: patient_id, table: people, to: patient_id}]
    checks: [deposit >= 0, {that: bed is present, most: 50}]
    schema:
      fields:
        - {name: stay, type: string, treatment: pseudonym, domain: stay}
        - {name: patient_id, type: string, treatment: pseudonym, domain: person}
        - {name: age, type: integer, element: P7, treatment: drop}
        - {name: came, type: datetime, element: P22, treatment: drop}
        - {name: left, type: datetime, element: P25, treatment: drop}
        - {name: days, type: integer, element: P27, treatment: clamp, lower: 0, upper: 60, plausible: [0, 400]}
        - {name: dx, type: string, element: P321, treatment: drop}
        - {name: op, type: string, element: P490, treatment: drop}
        - {name: op_at, type: datetime, element: P491, treatment: drop}
        - {name: way, type: string, element: P741, treatment: drop}
        - {name: autopsy, type: string, element: P57, treatment: drop}
        - {name: weight, type: integer, element: P681, treatment: drop}
        - {name: total, type: decimal, element: P782, treatment: drop}
        - {name: bed, type: decimal, element: fee_item, treatment: drop}
        - {name: drugs, type: decimal, element: fee_item, treatment: drop}
        - {name: deposit, type: decimal, treatment: drop}
"""

MAN = {"patient_id": "M", "id_no": "440524188001010014", "sex": "1", "born": "1880-01-01"}
WOMAN = {"patient_id": "W", "id_no": "11010519491231002X", "sex": "2", "born": "1949-12-31"}
CHILD = {"patient_id": "C", "id_no": "", "sex": "1", "born": "2024-03-01"}
STAY = {
    "patient_id": "W", "age": "74", "came": "2024-03-01 09:00:00", "left": "2024-03-05 10:00:00", "days": "4",
    "dx": "I21.001", "op": "00.6600", "op_at": "2024-03-02 08:00:00", "way": "1", "autopsy": "", "weight": "",
    "total": "30.50",
    "bed": "10.00", "drugs": "20.50", "deposit": "0",
}  # fmt: skip


def parsed(**changes: Any) -> Descriptor:
    return descriptor.parse(yaml.safe_dump(yaml.safe_load(TEXT) | changes, allow_unicode=True).encode())


def write(folder: Path, people: list[dict[str, str]], stays: list[dict[str, str]]) -> Path:
    folder.mkdir(parents=True)
    numbered = [{"stay": f"S{n}", **row} for n, row in enumerate(stays)]
    for name, rows in (("people", people), ("stays", numbered)):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return folder
