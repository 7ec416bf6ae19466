"""Free text is asked about: searched, compared, counted or grouped by, a note is read out word by word.

A note tells of one person in a thousand ways that no list bounds. So no question may name the column at all.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.oracle.extracts import DATASET

from enclave.catalogue.dataset import Column, Dataset, Kind
from enclave.errors import EnclaveError, Refused
from enclave.query import prepare


def _with(kind: Kind) -> Dataset:
    tables = [
        replace(t, columns=(*t.columns, Column("note", kind))) if t.name in ("visits", "patients") else t
        for t in DATASET.tables
    ]
    return replace(DATASET, tables=tuple(tables))


ASKED = [
    "SELECT COUNT(*) FROM visits WHERE note LIKE '%HIV%'",
    "SELECT COUNT(*) FROM visits WHERE note = 'x'",
    "SELECT COUNT(*) FROM visits WHERE note IS NULL",
    "SELECT COUNT(note) FROM visits",
    "SELECT COUNT(DISTINCT note) FROM visits",
    "SELECT note, COUNT(*) FROM visits GROUP BY note",
    "SELECT dept, COUNT(*) FROM visits GROUP BY dept HAVING COUNT(note) > 3",
    "SELECT COUNT(*) FROM visits WHERE LENGTH(note) > 100",
    "SELECT SUM(CASE WHEN note IS NULL THEN 1 ELSE 0 END) FROM visits",
    "SELECT AVG(n) FROM (SELECT patient_id, COUNT(note) AS n FROM visits GROUP BY patient_id)",
    "WITH w AS (SELECT patient_id, COUNT(*) AS n FROM visits WHERE note IS NOT NULL GROUP BY patient_id) "
    "SELECT COUNT(*) FROM w",
    "SELECT COUNT(*) FROM visits v JOIN patients p USING (patient_id) WHERE p.note IS NULL",
    'SELECT COUNT("NOTE") FROM visits',
]


@pytest.mark.parametrize("sql", ASKED)
def test_no_question_names_free_text(sql: str) -> None:
    with pytest.raises(EnclaveError) as refused:
        prepare(sql, _with(Kind.PROSE), "1")
    assert refused.value.code == "query.prose" or "note" not in str(refused.value.facts)


def test_counting_it_is_refused_for_what_it_is() -> None:
    for sql in ("SELECT COUNT(note) FROM visits", "SELECT COUNT(*) FROM visits WHERE note IS NULL"):
        with pytest.raises(Refused) as refused:
            prepare(sql, _with(Kind.PROSE), "1")
        assert refused.value.code == "query.prose" and refused.value.place


def test_control_a_pseudonym_in_its_place_may_be_counted() -> None:
    for sql in ("SELECT COUNT(note) FROM visits", "SELECT COUNT(*) FROM visits WHERE note IS NULL"):
        assert prepare(sql, _with(Kind.TEXT), "1")
