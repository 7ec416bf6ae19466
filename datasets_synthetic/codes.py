"""Which codes does the hospital write, how often, and what depends on them?

Departments carry the planted effect on the length of stay and on fees; diagnoses are ICD-10 CN codes by department with
skewed weights; the laboratory list carries unit, mean and spread. All are lists to look up by position.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from datasets_synthetic.columns import Floats, Ints

INSURANCE = ("01", "02", "03", "04", "05", "07", "99")
INSURANCE_CHILD = (0.0, 0.80, 0.06, 0.0, 0.02, 0.11, 0.01)
INSURANCE_ADULT = (0.52, 0.32, 0.03, 0.03, 0.02, 0.07, 0.01)
SELF_PAY = INSURANCE.index("07")


@dataclass(frozen=True)
class Dept:
    code: str
    stay: float
    """Mean length of stay in days of an adult under 65: the planted effect."""
    fee: float
    """Median fee in yuan of a visit without an overnight stay."""
    child: float
    """Share of children's visits; `woman` and `man` likewise for adults."""
    woman: float
    man: float
    dx: str
    """Main diagnoses as `code:weight`."""
    zh: str


DEPTS = (
    Dept("CARD", 7.5, 2600, 1, 10, 13, "I10.x00x002:40 I25.103:25 I48.900:10 I50.900:12 I20.000:8", "心内科"),
    Dept("NEUR", 10.0, 2200, 2, 8, 9, "I63.900:45 G45.900:15 G40.900:12 G20.x00:8 I61.900:6", "神经内科"),
    Dept("ONCO", 9.0, 6800, 1, 7, 7, "C34.900:30 C50.900:20 C18.900:15 C16.900:15 Z51.102:40", "肿瘤科"),
    Dept("PED", 5.5, 900, 70, 0, 0, "J18.000:30 J06.900:35 A09.900:15 R56.000:6 J45.900:5", "儿科"),
    Dept("ENDO", 8.0, 1800, 1, 6, 5, "E04.900:30 E05.900:25 E03.900:20 M81.900:12 E66.900:6", "内分泌科"),
    Dept("RESP", 9.5, 2100, 2, 7, 10, "J44.900:35 J18.900:30 J45.900:12 J20.900:18 J47.x00:5", "呼吸内科"),
    Dept("GAST", 6.5, 1900, 2, 8, 8, "K29.500:35 K21.900:20 K25.900:12 K63.500:18 K85.900:5", "消化内科"),
    Dept("NEPH", 11.0, 2400, 1, 4, 5, "N18.900:45 N04.900:15 N39.000:20 N03.900:10", "肾内科"),
    Dept("HEMA", 12.0, 4200, 1, 2, 2, "D50.900:40 C90.000:10 C91.000:10 D69.300:12", "血液科"),
    Dept("RHEU", 10.5, 2000, 1, 3, 2, "M06.900:40 M32.900:15 M10.900:30", "风湿免疫科"),
    Dept("ORTH", 13.0, 5600, 3, 7, 8, "M51.200:35 S72.000:15 M17.900:25 S52.500:12 M47.800:14", "骨科"),
    Dept("GENS", 7.0, 4800, 2, 7, 9, "K80.200:30 K35.900:20 K40.900:18 E04.100:10 K56.700:6", "普外科"),
    Dept("URO", 6.0, 3300, 1, 2, 6, "N20.000:30 N40.x00:35 N20.100:15 C67.900:6", "泌尿外科"),
    Dept("OBGY", 4.5, 3000, 0, 14, 0, "O80.900:30 O82.900:25 D25.900:20 N76.000:18 O03.900:6", "妇产科"),
    Dept("OPHT", 3.0, 2700, 3, 4, 4, "H25.900:40 H40.900:15 H52.100:20", "眼科"),
    Dept("ENT", 5.0, 2300, 5, 3, 4, "J32.900:30 H81.000:12 J35.000:16 H91.200:10", "耳鼻喉科"),
    Dept("DERM", 2.5, 500, 3, 3, 3, "L20.900:30 B02.900:12 L40.900:10 L50.900:22", "皮肤科"),
    Dept("PSYC", 18.0, 1500, 1, 2, 2, "F32.900:35 F41.900:30 F20.900:10", "精神科"),
    Dept("EMER", 1.0, 700, 6, 6, 7, "R10.400:25 S06.000:12 R50.900:22 T14.900:18", "急诊科"),
    Dept("ICU", 14.0, 16000, 1, 1, 2, "J96.000:30 A41.900:25 R57.200:10", "重症医学科"),
    Dept("REHA", 20.0, 2800, 1, 2, 2, "I69.300:45 G81.900:20 M62.500:8", "康复科"),
    Dept("INFE", 8.5, 1600, 2, 2, 3, "B18.100:35 A15.000:15 K74.600:12 B01.900:6", "感染科"),
)  # fmt: skip
DEPT = tuple(d.code for d in DEPTS)
ENDO, EMER = DEPT.index("ENDO"), DEPT.index("EMER")
WARDS = 4

DIABETES = "E11.900:50 E11.200:12 E11.400:9 E11.300:7 E11.500:5 E10.900:6 E14.900:8"
CHRONIC = (
    "I10.x00x002:30 E78.500:22 I25.103:12 K76.000:11 K29.500:8 M81.900:6 J44.900:5 "
    "N18.900:4 I63.900:4 D64.900:4 E79.000:5 G47.000:4 I70.200:3 K21.900:3"
)


def _weighted(listed: str) -> list[tuple[str, float]]:
    pairs = (entry.split(":") for entry in listed.split())
    return [(code, float(weight)) for code, weight in pairs]


DX = tuple(sorted({code for listed in (*(d.dx for d in DEPTS), DIABETES, CHRONIC) for code, _ in _weighted(listed)}))


def dx_choices(*lists: str) -> tuple[Floats, Ints]:
    """Weights and positions in DX, one line per list, padded with zeros."""
    parsed = [_weighted(listed) for listed in lists]
    width = max(len(entries) for entries in parsed)
    weights, positions = np.zeros((len(lists), width)), np.zeros((len(lists), width), dtype=np.int64)
    for line, entries in enumerate(parsed):
        for n, (code, weight) in enumerate(entries):
            weights[line, n], positions[line, n] = weight, DX.index(code)
    return weights, positions


@dataclass(frozen=True)
class Item:
    code: str
    unit: str
    mean: float
    spread: float
    diabetic: float = 0.0
    """Added to the mean of a diabetic's values: a planted effect."""


ITEMS = (
    Item("GLU", "mmol/L", 5.3, 0.7, 3.2),
    Item("HBA1C", "%", 5.4, 0.4, 2.1),
    Item("CREA", "umol/L", 72, 18, 9),
    Item("BUN", "mmol/L", 5.2, 1.4),
    Item("UA", "umol/L", 320, 75),
    Item("ALT", "U/L", 24, 11),
    Item("AST", "U/L", 23, 9),
    Item("TBIL", "umol/L", 12, 4),
    Item("ALB", "g/L", 43, 4),
    Item("TC", "mmol/L", 4.7, 0.9, 0.3),
    Item("TG", "mmol/L", 1.5, 0.6, 0.5),
    Item("LDL", "mmol/L", 2.8, 0.7),
    Item("K", "mmol/L", 4.1, 0.4),
    Item("NA", "mmol/L", 140, 3),
    Item("WBC", "10^9/L", 6.6, 2.0),
    Item("HGB", "g/L", 135, 16),
    Item("PLT", "10^9/L", 225, 60),
    Item("CRP", "mg/L", 8, 6),
)
