"""Attack: count the rows or persons of a table that was not granted, by a question that names none of its columns.

Control: the same question of a table that was granted is answered, and one that names a column was always refused.
"""

from __future__ import annotations

import pytest
from tests.attacks.asked import Door, granted_to

from enclave.errors import Refused

UNGRANTED = {
    "rows": "SELECT COUNT(*) FROM labs",
    "filtered rows": "SELECT COUNT(*) AS n FROM labs WHERE TRUE",
    "a constant key": "SELECT 1 = 1 AS k, COUNT(*) FROM labs GROUP BY k",
    "a constant sum": "SELECT SUM(1) FROM labs",
    "persons": "SELECT COUNT(DISTINCT patient_id) FROM labs",
    "by a joined table's column": "SELECT p.sex, COUNT(*) FROM labs l JOIN patients p USING (patient_id) GROUP BY p.sex",
    "a column (control)": "SELECT COUNT(item) FROM labs",
}


@pytest.mark.parametrize("sql", UNGRANTED.values(), ids=UNGRANTED.keys())
def test_no_question_reaches_a_table_that_was_not_granted(door: Door, sql: str) -> None:
    project = granted_to(door.living, "stranger", tables=("visits", "patients"))
    with pytest.raises(Refused) as refused:
        door.ask(sql, project=project, member="stranger")
    assert refused.value.code == "access.grant_no_table"
    assert door.ask("SELECT COUNT(*) FROM visits", project=project, member="stranger").head.rho_spent > 0


def test_a_grant_on_columns_still_lets_rows_be_counted(door: Door) -> None:
    project = granted_to(door.living, "stranger", tables=("visits",), variables=("visits.dept",))
    assert door.ask("SELECT COUNT(*) FROM visits", project=project, member="stranger").head.rho_spent > 0
    with pytest.raises(Refused) as refused:
        door.ask("SELECT COUNT(*) FROM visits WHERE los_days > 3", project=project, member="stranger")
    assert refused.value.code == "access.grant_no_variable"
