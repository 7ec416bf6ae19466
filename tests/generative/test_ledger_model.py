"""Whatever is opened, raised, frozen, charged, settled and restarted, in any order: the ledger says what plain sums say."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from enclave.budget import (
    Account,
    Amount,
    Charge,
    Ledger,
    Share,
    population,
    project,
    raise_message,
    researcher,
    thaw_message,
    verify,
)
from enclave.errors import EnclaveError
from enclave.store import Place
from enclave.store.keyring import new_signing_key, sign_with

PRIVATE, _ = new_signing_key()
ACCOUNTS = [population("cn"), population("us"), project("p"), researcher("p", "m"), researcher("p", "n")]
accounts = st.sampled_from(ACCOUNTS)
amounts = st.tuples(st.integers(0, 12), st.integers(0, 3))
charges = st.dictionaries(accounts, amounts, min_size=1)
Pair = tuple[int, int]


class LedgerAgainstSums(RuleBasedStateMachine):
    """The model: caps, sums and a set of frozen names, in dictionaries."""

    @initialize()
    def begin(self) -> None:
        self.home = Place(Path(tempfile.mkdtemp()))
        self.home.make()
        self.ledger = Ledger.of(self.home)
        self.caps: dict[Account, Pair] = {}
        self.first_caps: dict[Account, Pair] = {}
        self.spent: dict[Account, Pair] = {}
        self.frozen: set[Account] = set()
        self.open: list[int] = []

    def does(self, verb: object) -> bool:
        """Whether calling `verb` is granted."""
        assert callable(verb)
        try:
            verb()
        except EnclaveError:
            return False
        return True

    @rule(account=accounts, cap=st.tuples(st.integers(0, 40), st.integers(0, 10)))
    def open_account(self, account: Account, cap: Pair) -> None:
        expected = account not in self.caps or cap in (self.caps[account], self.first_caps[account])
        assert self.does(lambda: self.ledger.open_account(account, Amount(*cap), actor="o")) is expected
        if account not in self.caps:
            self.caps[account] = self.first_caps[account] = cap
            self.spent[account] = (0, 0)

    @rule(account=accounts, by=st.tuples(st.integers(-2, 20), st.integers(-1, 3)))
    def raise_cap(self, account: Account, by: Pair) -> None:
        old = self.caps.get(account, (5, 5))
        new = (max(0, old[0] + by[0]), max(0, old[1] + by[1]))
        expected = account in self.caps and new != old and new[0] >= old[0] and new[1] >= old[1]
        before, after = Amount(*old), Amount(*new)
        signature = sign_with(PRIVATE, raise_message(account, before, after))
        granted = self.does(lambda: self.ledger.raise_cap(account, before, after, officer="o", signature=signature))
        assert granted is expected
        if granted:
            self.caps[account] = new

    @rule(account=accounts)
    def freeze(self, account: Account) -> None:
        expected = account in self.caps
        assert self.does(lambda: self.ledger.freeze(account, actor="o", why="")) is expected
        if expected:
            self.frozen.add(account)

    @rule(account=accounts)
    def thaw(self, account: Account) -> None:
        at = self.ledger.balance(account).frozen_at if account in self.caps else 1
        signature = sign_with(PRIVATE, thaw_message(account, at))
        granted = self.does(lambda: self.ledger.thaw(account, at, officer="o", signature=signature))
        assert granted is (account in self.frozen)
        self.frozen.discard(account)

    @rule(wanted=charges)
    def reserve(self, wanted: dict[Account, Pair]) -> None:
        totals = {a: (self.spent[a][0] + w[0], self.spent[a][1] + w[1]) for a, w in wanted.items() if a in self.caps}
        expected = len(totals) == len(wanted) and all(
            a not in self.frozen and t[0] <= self.caps[a][0] and t[1] <= self.caps[a][1] for a, t in totals.items()
        )
        charge = Charge(tuple(Share(a, Amount(*w)) for a, w in wanted.items()))
        granted = self.does(lambda: self.open.append(self.ledger.reserve(charge).seq))
        assert granted is expected
        if granted:
            self.spent |= totals

    @rule(which=st.integers(0, 30), answer=st.none() | st.binary(max_size=3))
    def settle(self, which: int, answer: bytes | None) -> None:
        if self.open:
            seq = self.open.pop(which % len(self.open))
            head = self.ledger.settle(seq, answer_key=f"k{seq}", answer=answer)
            assert self.ledger.settle(seq, answer_key=f"k{seq}", answer=answer) == head
            found = self.ledger.find_answer(f"k{seq}")
            assert (found.answer if found else None) == answer

    @rule()
    def restart(self) -> None:
        self.ledger.close()
        self.ledger = Ledger.of(self.home)
        for seq in self.open:
            assert not self.does(lambda seq=seq: self.ledger.settle(seq, answer_key="late", answer=b""))
        self.open.clear()

    @invariant()
    def balances_are_the_sums(self) -> None:
        for account, cap in self.caps.items():
            balance = self.ledger.balance(account)
            assert (balance.cap, balance.spent) == (Amount(*cap), Amount(*self.spent[account]))
            assert balance.frozen is (account in self.frozen)
            assert balance.spent.fits(balance.cap)

    def teardown(self) -> None:
        self.ledger.close()
        verify(self.home.ledger)
        shutil.rmtree(self.home.home)


LedgerAgainstSums.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
test_the_ledger_says_what_plain_sums_say = LedgerAgainstSums.TestCase
