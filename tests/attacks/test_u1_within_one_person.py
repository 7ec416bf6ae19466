"""U1: levels within one person over a real extract: answered whole, and never a way around a grant."""

from __future__ import annotations

import pytest
from tests.attacks.asked import Door, granted_to, numbers

from enclave.errors import Refused

LEVELS = {
    "two levels": "SELECT AVG(n) AS x FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id)",
    "with, joined to persons": "WITH per AS (SELECT patient_id, COUNT(*) AS n, MAX(admitted_on) AS last "
    "FROM visits GROUP BY 1 HAVING COUNT(*) > 1) "
    "SELECT sex, SUM(n) / COUNT(*) AS x FROM per JOIN patients USING (patient_id) GROUP BY sex",
    "stacked": "SELECT c, COUNT(*) AS x FROM (SELECT patient_id, dx_category AS c FROM visits UNION ALL "
    "SELECT patient_id, dx_category FROM diagnoses) GROUP BY c",
    "many to many": "SELECT v.dept, COUNT(*) AS x FROM visits v JOIN labs l USING (patient_id) "
    "WHERE l.item = 'GLU' GROUP BY 1",
    "a person's departments": "SELECT dept, AVG(n) AS x FROM (SELECT patient_id, dept, COUNT(*) AS n "
    "FROM visits GROUP BY 1, 2) GROUP BY dept HAVING x > 0",
}


@pytest.mark.parametrize("sql", LEVELS.values(), ids=LEVELS.keys())
def test_it_is_answered_from_a_real_extract_without_incident(door: Door, sql: str) -> None:
    found = numbers(door.ask(sql, epsilon="20"))
    assert any(x is not None and x != 0 for x in found["x"])
    assert numbers(door.ask(sql, epsilon="20")) == found  # an incident would not be given again


def test_what_is_read_inside_is_held_against_the_grant(door: Door) -> None:
    project = granted_to(door.living, "researcher", tables=("visits",), variables=("visits.dept",))
    allowed = (
        "SELECT AVG(n) AS x FROM (SELECT patient_id, COUNT(*) AS n FROM visits WHERE dept = 'CARD' GROUP BY patient_id)"
    )
    assert numbers(door.ask(allowed, project=project))["x"]
    for sql in (
        allowed.replace("dept = 'CARD'", "los_days > 3"),
        allowed.replace("COUNT(*)", "SUM(los_days)"),
        allowed.replace("COUNT(*)", "COUNT(*) FILTER (WHERE los_days > 3)"),
        allowed.replace("GROUP BY patient_id)", "GROUP BY patient_id HAVING SUM(los_days) > 3)"),
        allowed.replace("FROM visits WHERE dept = 'CARD'", "FROM diagnoses"),
        "SELECT COUNT(*) AS x FROM (SELECT patient_id FROM visits UNION ALL SELECT patient_id FROM labs)",
        "SELECT COUNT(*) AS x FROM visits v JOIN labs l USING (patient_id)",
    ):
        with pytest.raises(Refused) as refused:
            door.ask(sql, project=project)
        assert refused.value.code.startswith("access.grant_no_")
