"""What else was found at each visit?

Table `diagnoses`, one to five rows per visit:

    diagnosis_id   D0000000001
    visit_id       the visit
    patient_id     as on the visit
    dx             ICD-10 CN code; no code twice in one visit
    rank           1 is the visit's main diagnosis

A diabetic's later ranks usually name the diabetes again; nobody else ever has a code of E10 to E14.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from datasets_synthetic import codes
from datasets_synthetic.columns import Flags, Ints, Stream, choose, choose_by, numbered, pick, stream
from datasets_synthetic.people import People
from datasets_synthetic.visits import Visits, visit_ids

HOW_MANY = (35, 30, 20, 10, 5)
DIABETES_NOTED = 0.7


def _codes(rng: np.random.Generator, main_dx: Ints, diabetic: Flags) -> Ints:
    """[visit, rank - 1] before repeats are struck out."""
    rows, ranks = len(main_dx), len(HOW_MANY)
    weights, positions = codes.dx_choices(codes.CHRONIC, codes.DIABETES)
    drawn = np.empty((rows, ranks), dtype=np.int64)
    drawn[:, 0] = main_dx
    for rank in range(1, ranks):
        noted = diabetic & (rank == 1) & (rng.random(rows) < DIABETES_NOTED)
        line = noted.astype(np.int64)
        drawn[:, rank] = positions[line, choose_by(rng, weights, line)]
    return drawn


def draw(seed: int, chunk: int, people: People, visits: Visits, first_number: int) -> pa.Table:
    rng = stream(seed, Stream.DIAGNOSES, chunk)
    drawn = _codes(rng, visits.main_dx, people.diabetic[visits.person])
    kept = np.arange(len(HOW_MANY)) <= choose(rng, HOW_MANY, visits.rows)[:, None]
    for rank in range(1, len(HOW_MANY)):
        kept[:, rank] &= (drawn[:, :rank] != drawn[:, rank : rank + 1]).all(axis=1)
    row, place = np.nonzero(kept)
    rank_shown = np.cumsum(kept, axis=1)[row, place]
    number = np.arange(first_number, first_number + len(row), dtype=np.int64)
    return pa.table(
        {
            "diagnosis_id": numbered("D", number, 10),
            "visit_id": visit_ids(visits.number[row]),
            "patient_id": visits.patient_id.take(row),
            "dx": pick(codes.DX, drawn[row, place]),
            "rank": pa.array(rank_shown.astype(np.int32)),
        }
    )
