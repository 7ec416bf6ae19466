"""Which rows are wrong, in the ways a real export is wrong?

    bad_resident_id              the check character of a patient's resident id does not fit
    discharge_before_admission   the visit ends 1 to 20 days before it begins
    orphan_visit                 the visit names a person of whom there is no row
    los_out_of_bounds            the length of stay is negative or over a year; both times are right

No visit is wrong in two ways. Dirt draws from streams of its own: the clean rows are the same without it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from datasets_synthetic.columns import Column, Flags, Ints, Stream, constant, digits, fixed_text, stream

BAD_ID, BACKWARD, ORPHAN, OUT_OF_BOUNDS = (
    "bad_resident_id",
    "discharge_before_admission",
    "orphan_visit",
    "los_out_of_bounds",
)
KINDS = (BAD_ID, BACKWARD, ORPHAN, OUT_OF_BOUNDS)

BAD_ID_SHARE = 0.003
VISIT_SHARE = 0.001
"""Of each kind."""
DAY = 86_400


def bad_ids(seed: int, chunk: int, rows: int) -> Flags:
    return np.asarray(stream(seed, Stream.DIRT, 2 * chunk).random(rows) < BAD_ID_SHARE)


@dataclass(frozen=True)
class Shown:
    """What the table shows of a chunk of visits instead of the truth, and which rows differ, by kind."""

    patient_id: Column
    discharged: Ints
    stay: Ints
    flags: dict[str, Flags]


def spoil(seed: int, chunk: int, person_number: Ints, admitted: Ints, discharged: Ints, stay: Ints) -> Shown:
    rng, rows = stream(seed, Stream.DIRT, 2 * chunk + 1), len(stay)
    mark = np.floor(rng.random(rows) / VISIT_SHARE)
    flags = {kind: mark == n for n, kind in enumerate((ORPHAN, BACKWARD, OUT_OF_BOUNDS))}
    stranger = flags[ORPHAN]
    prefix = np.where(stranger[:, None], constant("X", rows), constant("P", rows))
    number = np.where(stranger, rng.integers(1, 10**8, rows), person_number)
    too_early = admitted - DAY * rng.integers(1, 21, rows)
    absurd = np.where(rng.random(rows) < 0.5, -rng.integers(1, 30, rows), rng.integers(366, 4000, rows))
    return Shown(
        patient_id=fixed_text(prefix, digits(number, 8)),
        discharged=np.where(flags[BACKWARD], too_early, discharged),
        stay=np.where(flags[OUT_OF_BOUNDS], absurd, stay),
        flags=flags,
    )
