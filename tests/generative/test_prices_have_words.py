"""Whatever is asked has a price or a refusal in words, in both measures and whatever a paid profile says.

A failure of pricing is neither: nothing was charged, and yet the channel of the run ends.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from tests.oracle.extracts import DATASET
from tests.oracle.questions import ANSWERED

from enclave.catalogue.profile import PERSON, Histogram, Profile
from enclave.errors import BadInput, Refused
from enclave.profile import Thing, things
from enclave.query.price import prepare

FURTHER = (
    "SELECT MEDIAN(los_days) AS m FROM visits",
    "SELECT finding, AVG(los_days) AS los FROM visits GROUP BY finding",
    "SELECT SUM(fee * fee) AS s FROM visits",
    "SELECT sex, QUANTILE_CONT(age, 0.9) AS q, MEDIAN(age) AS m FROM patients GROUP BY sex",
)
ASKED: tuple[tuple[str | None, str | None], ...] = (("1", None), (None, "1"), (None, "100000"))
NOISE = PERSON // 2


def counts(temper: str, thing: Thing, draw: random.Random) -> list[int]:
    """What was bought of one norm or variable, its last number that of the missing."""
    noise = [round(draw.gauss(0, NOISE)) for _ in range(thing.bins)]
    if temper == "many":
        return [1_000 * PERSON + n for n in noise]
    if temper == "all missing":
        return [-abs(n) for n in noise[:-1]] + [5_000 * PERSON]
    return noise


@pytest.mark.parametrize("temper", ["many", "all missing", "nobody"])
def test_every_question_has_a_price_or_a_word(temper: str) -> None:
    draw = random.Random(temper)
    bought = (
        Histogram(t.table.name, t.column, t.of, t.edges, tuple(counts(temper, t, draw)), NOISE) for t in things(DATASET)
    )
    dataset, found = replace(DATASET, profile=Profile("1", 1, tuple(bought))), Counter[str]()
    for sql in (*ANSWERED[::2], *FURTHER):
        for epsilon, accuracy in ASKED:
            for pure in (False, True):
                try:
                    prepare(sql, dataset, epsilon, accuracy, pure=pure)
                    found["priced"] += 1
                except (BadInput, Refused) as no:
                    found[no.code] += 1
    assert found["priced"] > 100, "the control: most have a price"
    assert found["query.too_wide"] and found["query.pure_unlisted"] and found["query.accuracy_of_others"], (
        "and some words"
    )
