"""Check digits: numbers printed in the standards and their neighbours."""

from __future__ import annotations

import pytest

from domicile.rules.checksums import is_bank_card, is_old_resident_id, is_resident_id


@pytest.mark.parametrize(
    "number", ["11010519491231002X", "11010519491231002x", "440524188001010014", "110105 19491231 002X"]
)
def test_numbers_of_the_standard_hold(number: str) -> None:
    assert is_resident_id(number)


@pytest.mark.parametrize("place", range(18))
def test_one_changed_digit_never_holds(place: int) -> None:
    number = "440524188001010014"
    changed = number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :]
    assert not is_resident_id(changed)


@pytest.mark.parametrize(
    "number",
    ["11010519490231002X", "990105194912310029", "1101051949123100", "１１０１０５19491231002X", "", "X" * 18],
)
def test_no_such_date_region_or_length_holds(number: str) -> None:
    assert not is_resident_id(number)


def test_the_old_form_needs_a_region_and_a_date() -> None:
    assert is_old_resident_id("110105491231002")
    assert not is_old_resident_id("110105491331002")
    assert not is_old_resident_id("990105491231002")


def test_a_card_passes_luhn_and_is_no_resident_number() -> None:
    assert is_bank_card("6222021234567890128")
    assert not is_bank_card("6222021234567890127")
    assert not is_bank_card("0000000000000000")
    both = "620102194912310" + "0"  # a Gansu number is searched for that passes Luhn as well
    found = next(
        n
        for n in (f"{both[:14]}{s:03d}{c}" for s in range(1000) for c in "0123456789X")
        if is_resident_id(n) and n.isdigit() and sum(map(int, _luhn(n))) % 10 == 0
    )
    assert not is_bank_card(found)


def _luhn(number: str) -> list[int]:
    digits = [int(d) * 2 if i % 2 else int(d) for i, d in enumerate(reversed(number))]
    return [d - 9 if d > 9 else d for d in digits]
