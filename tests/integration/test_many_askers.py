"""Sixty-four sessions spend at once: the cap is reached to the unit, and nothing is paid for twice."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.integration.channels import Channel, account, broker, leased, spent
from tests.living import Living, granted

from enclave.bootstrap import up
from enclave.custody.proof import verify_house
from enclave.query.processors import ASKERS, ENGINES, THERE

SESSIONS = 64
EACH = 3


def question(number: int) -> str:
    return f"SELECT COUNT(*) AS n FROM visits WHERE total_fee > {number}"


def test_sixty_four_sessions_never_pass_the_cap_and_leave_nothing_grantable(house: Living) -> None:
    _, house.project = granted(house, epsilon_project="12", epsilon_researcher="12")

    def spend(at: int, channel: Channel) -> list[str]:
        heard = [channel.ask(question(at * EACH + n)) for n in range(EACH)]
        return ["granted" if h.head["ok"] else h.code for h in heard]

    with broker(house), ExitStack() as channels:
        sessions = [channels.enter_context(Channel(house, leased(house))) for _ in range(SESSIONS)]
        price = int(sessions[0].quote(question(0)).value["rho"])
        with ThreadPoolExecutor(SESSIONS) as pool:
            told = Counter(word for words in pool.map(spend, range(SESSIONS), sessions) for word in words)
    balance = account(house)
    fitting = balance.cap.nano_rho // price
    assert balance.cap.nano_rho % price and 0 < fitting < SESSIONS * EACH, "the control: the cap binds, and not evenly"
    assert told == {"granted": fitting, "budget.exhausted": SESSIONS * EACH - fitting}
    assert balance.spent.nano_rho == fitting * price
    assert (balance.frozen, balance.incidents) == (False, 0), "a crowd is no incident"
    verify_house(house.place, house.db, house.keyring)


def test_one_question_asked_by_all_at_once_is_paid_for_once(house: Living) -> None:
    with broker(house), ExitStack() as channels:
        sessions = [channels.enter_context(Channel(house, leased(house))) for _ in range(16)]
        with ThreadPoolExecutor(len(sessions)) as pool:
            heard = list(pool.map(lambda channel: channel.ask(question(1)), sessions))
    assert len({reply.body for reply in heard}) == 1
    paid = [int(reply.value["rho_spent"]) for reply in heard]
    assert spent(house) == sum(paid) == max(paid) > 0


@pytest.mark.skipif(len(THERE) < 2, reason="one processor has no halves")
def test_a_brokers_interpreter_has_one_processor_and_its_engines_theirs(house: Living) -> None:
    """By the process itself: threads that wait for each other elsewhere answer two thirds as many (0125)."""
    with broker(house), Channel(house, leased(house)) as channel:
        assert channel.ask(question(1)).head["ok"]
        threads = Path(f"/proc/{up.seen(house.place, 'broker').pid}/task").iterdir()
        stand = {frozenset(os.sched_getaffinity(int(thread.name))) for thread in threads}
    assert stand == {frozenset({max(ASKERS)}), ENGINES}
