"""The rules of the ledger, one by one."""

from dataclasses import replace

import pytest

from enclave.budget.accounts import Account, population, project, raise_message, researcher, thaw_message
from enclave.budget.acts import Act, Frozen, Lost, Opened, Raised, Reserved, Settled, Thawed
from enclave.budget.amount import Amount, pure
from enclave.budget.charge import Charge, Share
from enclave.budget.standing import ENTRIES, MOVES, OWNERS, ReservationState, Standing
from enclave.errors import NotFound, Refused, Tampered
from enclave.store.keyring import new_signing_key, sign_with

CN, P, M = population("cn"), project("p"), researcher("p", "m")
PRIVATE, _ = new_signing_key()


class Told(Standing):
    """A standing that is told acts in order."""

    def __init__(self, *acts: Act) -> None:
        super().__init__()
        self.seq = 0
        for act in acts:
            self.tell(act)

    def tell(self, act: Act) -> None:
        effect = self.effect(self.seq + 1, act)
        self.seq += 1
        self.take(self.seq, effect)


@pytest.fixture
def told() -> Told:
    return Told(*(Opened(a, Amount(10, 10), "o", "") for a in (CN, P, M)))


def charge(*parts: tuple[Account, int, int]) -> Reserved:
    return Reserved(Charge(tuple(Share(a, Amount(rho, delta)) for a, rho, delta in parts)))


def test_a_charge_is_spent_in_every_account_each_its_own_amount(told: Told) -> None:
    told.tell(charge((CN, 0, 0), (P, 4, 1), (M, 5, 2)))
    assert [told.balance(a).spent for a in (CN, P, M)] == [Amount(0), Amount(4, 1), Amount(5, 2)]


@pytest.mark.parametrize("short", [CN, P, M])
@pytest.mark.parametrize("part", ["rho", "delta"])
def test_one_account_that_cannot_pay_means_none_pays(told: Told, short: Account, part: str) -> None:
    over = (11, 0) if part == "rho" else (0, 11)
    before = dict(told.balances)
    with pytest.raises(Refused) as refused:
        told.tell(charge(*((a, *(over if a == short else (1, 1))) for a in (CN, P, M))))
    assert refused.value.facts["name"] == short.name
    assert told.balances == before


def test_the_last_unit_can_be_spent_and_not_one_more(told: Told) -> None:
    told.tell(charge((P, 9, 0)))
    told.tell(charge((P, 1, 0)))
    with pytest.raises(Refused):
        told.tell(charge((P, 1, 0)))


def test_a_refusal_says_requested_remaining_and_which_cap_and_takes_other_words(told: Told) -> None:
    told.tell(charge((P, 7, 0)))
    with pytest.raises(Refused) as refused:
        told.tell(charge((CN, 4, 0), (P, 4, 0)))
    assert refused.value.code == "budget.exhausted"
    facts = refused.value.facts
    assert (facts["requested_rho"], facts["left_rho"], facts["cap_rho"]) == (4, 3, 10)
    assert "project budget p" in refused.value.words()
    assert "Requested: 4 nano-rho. Remaining: 3 nano-rho of 10 nano-rho" in refused.value.words()
    facts.update(requested="ε 0.3", left="ε 0.2", cap="ε 1")
    assert "请求：ε 0.3。剩余：ε 0.2（上限 ε 1）" in refused.value.words("zh")


def test_a_refusal_for_delta_speaks_of_delta(told: Told) -> None:
    with pytest.raises(Refused, match="11 atto-delta requested") as refused:
        told.tell(charge((P, 1, 11)))
    assert refused.value.code == "budget.keys_exhausted"


def test_an_account_never_opened_pays_nothing(told: Told) -> None:
    with pytest.raises(NotFound, match="no project account q"):
        told.tell(charge((project("q"), 0, 0)))


def test_a_frozen_account_pays_nothing_not_even_nothing(told: Told) -> None:
    told.tell(Frozen(P, "officer", "look"))
    with pytest.raises(Refused, match="frozen"):
        told.tell(charge((P, 0, 0), (M, 1, 0)))


def test_an_account_is_opened_once(told: Told) -> None:
    with pytest.raises(Refused, match="open already"):
        told.tell(Opened(P, Amount(10, 10), "o", ""))


def raised(old: Amount, new: Amount, signed_for: tuple[Amount, Amount] | None = None) -> Raised:
    message = raise_message(P, *(signed_for or (old, new)))
    return Raised(P, old, new, "officer", sign_with(PRIVATE, message))


def test_a_cap_goes_up_by_a_signature_over_old_and_new(told: Told) -> None:
    told.tell(raised(Amount(10, 10), Amount(20, 10)))
    assert told.balance(P).cap == Amount(20, 10)


@pytest.mark.parametrize("new", [Amount(9, 10), Amount(10, 9), Amount(10, 10), Amount(20, 9)])
def test_a_cap_never_goes_down_in_any_part(told: Told, new: Amount) -> None:
    with pytest.raises(Refused, match="only goes up"):
        told.tell(raised(Amount(10, 10), new))


def test_a_raise_signed_for_another_cap_is_refused(told: Told) -> None:
    with pytest.raises(Tampered):
        told.tell(raised(Amount(10, 10), Amount(30, 10), (Amount(10, 10), Amount(20, 10))))
    told.tell(raised(Amount(10, 10), Amount(20, 10)))
    with pytest.raises(Refused, match="no longer in force"):
        told.tell(raised(Amount(10, 10), Amount(20, 10)))


def test_a_thaw_is_signed_for_the_freeze_that_stands(told: Told) -> None:
    told.tell(Frozen(P, "officer", "one"))
    first = told.seq
    signed = Thawed(P, first, "officer", sign_with(PRIVATE, thaw_message(P, first)))
    told.tell(Frozen(P, "officer", "two"))
    with pytest.raises(Refused, match="not frozen by the entry"):
        told.tell(signed)
    second = replace(signed, lifts=told.seq)
    with pytest.raises(Tampered):
        told.tell(second)
    told.tell(replace(second, signature=sign_with(PRIVATE, thaw_message(P, told.seq))))
    assert not told.balance(P).frozen
    with pytest.raises(Refused):
        told.tell(second)


def test_a_reservation_ends_once_and_returns_nothing(told: Told) -> None:
    told.tell(charge((P, 4, 0)))
    seq = told.seq
    told.tell(Settled(seq, "key", "", False, {}))
    assert told.balance(P).spent == Amount(4)
    ends: tuple[Act, ...] = (Settled(seq, "key", "", False, {}), Lost(seq), Lost(1), Lost(99))
    for end in ends:
        with pytest.raises(Refused, match="no open reservation"):
            told.tell(end)


def test_an_incident_is_counted_in_every_account_charged(told: Told) -> None:
    told.tell(charge((CN, 1, 0), (P, 1, 0)))
    told.tell(Settled(told.seq, "key", "", True, {}))
    assert [told.balance(a).incidents for a in (CN, P, M)] == [1, 1, 0]


def test_every_state_has_moves_owner_and_entry_and_none_leads_back() -> None:
    for table in (MOVES, OWNERS, ENTRIES):
        assert set(table) == set(ReservationState)
    assert not any(ReservationState.RESERVED in goes for goes in MOVES.values()), "an edge back would be a refund"


# An account is counted in one measure for good

PURE = population("pure")


@pytest.fixture
def both() -> Told:
    return Told(Opened(CN, Amount(10, 10), "o", ""), Opened(PURE, pure(10), "o", ""))


@pytest.mark.parametrize(
    ("account", "amount"), [(CN, pure(1)), (PURE, Amount(1)), (PURE, Amount(0, 1))], ids=["ε on ρ", "ρ on ε", "δ on ε"]
)
def test_a_charge_in_the_other_measure_is_refused_in_words(both: Told, account: Account, amount: Amount) -> None:
    with pytest.raises(Refused, match="two measures"):
        both.tell(Reserved(Charge((Share(account, amount),))))


def test_pure_epsilon_is_spent_to_the_last_unit_and_no_further(both: Told) -> None:
    both.tell(Reserved(Charge((Share(PURE, pure(9)),))))
    both.tell(Reserved(Charge((Share(PURE, pure(1)),))))
    assert both.balance(PURE).spent == pure(10)
    with pytest.raises(Refused) as refused:
        both.tell(Reserved(Charge((Share(PURE, pure(1)),))))
    assert refused.value.code == "budget.population_exhausted"
    assert "1 nano-epsilon" in refused.value.words("en")


@pytest.mark.parametrize(
    ("account", "old", "new"),
    [(CN, Amount(10, 10), pure(50)), (PURE, pure(10), Amount(50, 50))],
    ids=["to pure", "from pure"],
)
def test_no_raise_changes_the_measure_of_an_account(both: Told, account: Account, old: Amount, new: Amount) -> None:
    with pytest.raises(Refused, match="no raise"):
        both.tell(Raised(account, old, new, "o", sign_with(PRIVATE, raise_message(account, old, new))))


def test_a_pure_cap_is_raised_by_signature(both: Told) -> None:
    both.tell(Raised(PURE, pure(10), pure(12), "o", sign_with(PRIVATE, raise_message(PURE, pure(10), pure(12)))))
    assert both.balance(PURE).left == pure(12)
