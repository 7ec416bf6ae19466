"""What did the laboratory measure?

Table `labs`, none to six rows per visit:

    lab_id       L0000000001
    visit_id     the visit
    patient_id   as on the visit
    item         item code (codes.ITEMS), no item twice in one visit
    value        result in the item's unit, two decimals
    unit         unit of the item, the same on every row of it
    taken_at     within the stay

Planted here: glucose, HbA1c, creatinine and blood fats are higher in diabetics.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from datasets_synthetic.codes import ITEMS
from datasets_synthetic.columns import Flags, Ints, Stream, choose, hundredths, moments, numbered, pick, stream
from datasets_synthetic.dirt import DAY
from datasets_synthetic.people import People
from datasets_synthetic.visits import Visits, visit_ids

HOW_MANY = (40, 15, 15, 12, 9, 5, 4)
STRIDE = 5
"""Shares no divisor with the number of items, so steps of it never meet the same item twice."""
LEAST = 0.01


def _values(rng: np.random.Generator, item: Ints, diabetic: Flags) -> Ints:
    mean, spread, more = (np.array([getattr(i, of) for i in ITEMS]) for of in ("mean", "spread", "diabetic"))
    value = mean[item] + more[item] * diabetic + spread[item] * rng.standard_normal(len(item))
    return np.asarray(np.rint(np.maximum(value, LEAST) * 100), dtype=np.int64)


def draw(seed: int, chunk: int, people: People, visits: Visits, first_number: int) -> pa.Table:
    rng = stream(seed, Stream.LABS, chunk)
    row = np.repeat(np.arange(visits.rows), choose(rng, HOW_MANY, visits.rows))
    nth = np.arange(len(row)) - np.searchsorted(row, row)
    item = (rng.integers(0, len(ITEMS), visits.rows)[row] + nth * STRIDE) % len(ITEMS)
    admitted = visits.admitted[row]
    latest = (admitted // DAY + visits.stay[row] + 1) * DAY
    taken = admitted + (rng.random(len(row)) * (latest - admitted)).astype(np.int64)
    number = np.arange(first_number, first_number + len(row), dtype=np.int64)
    return pa.table(
        {
            "lab_id": numbered("L", number, 10),
            "visit_id": visit_ids(visits.number[row]),
            "patient_id": visits.patient_id.take(row),
            "item": pick([i.code for i in ITEMS], item),
            "value": hundredths(_values(rng, item, people.diabetic[visits.person[row]]), 10),
            "unit": pick([i.unit for i in ITEMS], item),
            "taken_at": moments(taken),
        }
    )
