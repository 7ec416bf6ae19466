"""Sixty-four sessions spend at once: the sum stays under every cap, to the unit."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from enclave.budget import Amount, Charge, Ledger, Share, balances, population, project, researcher, verify
from enclave.errors import Refused
from enclave.store import Place

SPENDERS, PRICE = 64, 7


@pytest.mark.parametrize("cap", [PRICE * 300, PRICE * 300 + 1, PRICE * 300 - 1])
def test_sixty_four_spenders_are_granted_exactly_what_fits(tmp_path: Path, cap: int) -> None:
    place = Place(tmp_path)
    place.make()
    granted: list[int] = []
    refused: list[str] = []
    together = threading.Barrier(SPENDERS)

    def session(number: int) -> None:
        shares = (population("cn"), project("p"), researcher("p", f"m{number}"))
        charge = Charge(tuple(Share(account, Amount(PRICE, 1)) for account in shares), {"member": f"m{number}"})
        together.wait()
        try:
            while True:
                granted.append(ledger.reserve(charge).seq)
        except Refused as enough:
            refused.append(enough.code)

    with Ledger.of(place) as ledger:
        ledger.open_account(population("cn"), Amount(cap, 10**6), actor="officer")
        ledger.open_account(project("p"), Amount(cap * 2, 10**6), actor="officer")
        for number in range(SPENDERS):
            ledger.open_account(researcher("p", f"m{number}"), Amount(cap, 10**6), actor="officer")
        threads = [threading.Thread(target=session, args=(n,)) for n in range(SPENDERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert refused == ["budget.population_exhausted"] * SPENDERS
    assert len(granted) == len(set(granted)) == cap // PRICE
    spent = {balance.account: balance.spent for balance in balances(place)}
    total = Amount(cap // PRICE * PRICE, cap // PRICE)
    assert spent[population("cn")] == spent[project("p")] == total
    assert sum(amount.nano_rho for account, amount in spent.items() if account.kind == "researcher") == total.nano_rho
    verify(place.ledger)
