"""Stand-ins: one for one, under a key, and never a number somebody could have."""

from __future__ import annotations

import pytest

from enclave.intake.discover.numbers import judged
from enclave.intake.discover.pack import find
from enclave.intake.kinds import Kind
from enclave.intake.redact.stand_ins import StandIns

SAID = {
    Kind.RESIDENT_ID: "11010519491231002X", Kind.OLD_RESIDENT_ID: "110105491231002", Kind.PHONE: "13812345678",
    Kind.LANDLINE: "010-62345678", Kind.BANK_CARD: "6222 0212 3456 7890 128", Kind.USCC: "91350100M000100Y43",
    Kind.PASSPORT: "E12345678", Kind.PERMIT: "H12345678", Kind.INSURANCE_NO: "YB20230001", Kind.MRN: "MR-0012345",
    Kind.ACCOUNT: "wang_fang88", Kind.EMAIL: "zhang@example.com", Kind.NAME: "王芳",
}  # fmt: skip


def _for(kind: Kind, *, key: bytes = b"k" * 32, person: int = 7, said: str = "", shift: int = 3) -> str | None:
    return StandIns(key).for_(kind, said or SAID.get(kind, ""), person, shift)


@pytest.mark.parametrize("kind", SAID)
def test_the_same_person_and_key_always_give_the_same(kind: Kind) -> None:
    made = _for(kind)
    assert made and made != SAID[kind]
    assert _for(kind) == made
    assert _for(kind, person=8) != made
    assert _for(kind, key=b"q" * 32) != made


@pytest.mark.parametrize("kind", [k for k in SAID if k not in (Kind.NAME, Kind.EMAIL)])
def test_numbers_keep_their_shape(kind: Kind) -> None:
    made = _for(kind) or ""
    assert [(c.isdecimal(), c.isalpha()) for c in made] == [(c.isdecimal(), c.isalpha()) for c in SAID[kind]]


@pytest.mark.parametrize("kind", [Kind.RESIDENT_ID, Kind.OLD_RESIDENT_ID, Kind.PHONE, Kind.LANDLINE, Kind.BANK_CARD])
def test_no_stand_in_is_a_number_somebody_could_have(kind: Kind) -> None:
    for person in range(300):
        assert judged(_for(kind, person=person) or "") is None
    assert judged(SAID[kind]) is not None


def test_a_uscc_and_a_mail_lead_nowhere() -> None:
    assert not any(s.kind is Kind.USCC for n in range(300) for s in find(_for(Kind.USCC, person=n) or ""))
    assert (_for(Kind.EMAIL) or "").endswith(".invalid")


def test_names_keep_their_script_and_length() -> None:
    made = [_for(Kind.NAME, said=said) or "" for said in ("王芳", "王建国", "王", "Wang Fang")]
    assert [len(name) for name in made[:3]] == [2, 3, 1]
    assert made[3].isascii() and len(made[3].split()) == 2


def test_dates_move_by_the_persons_days_and_what_has_no_stand_in_is_marked() -> None:
    assert _for(Kind.DATE, said="2023-05-06") == "2023-05-09"
    assert _for(Kind.DATE, said="2023-02-30") is None
    assert _for(Kind.ADDRESS, said="济南市历下区解放路123号") is None
