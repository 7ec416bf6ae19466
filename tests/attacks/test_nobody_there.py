"""Attack (by mishap): pay for an answer that leaves when the run that asked has ended."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.attacks.asked import Door

from enclave.errors import Refused

ASK = "SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward"


def test_a_reply_that_would_outlast_the_run_is_refused_before_it_is_charged(door: Door) -> None:
    asker, before = door.asker(door.living.project), door.ledger.head()
    short = replace(door.asking, run_seconds=0)
    with pytest.raises(Refused) as refused:
        short.ask(asker, ASK, "0.01")
    assert refused.value.code == "broker.outlasts_run"
    assert door.ledger.head() == before, "nothing was charged"
    assert door.asking.ask(asker, ASK, "0.01").head.rho_spent > 0, "the control: the run is long enough"
