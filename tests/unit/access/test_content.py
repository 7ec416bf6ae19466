"""What is asked is sound at birth, spelled in one way, and pinned by one digest."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.access.content import Asked, Content, content_of
from enclave.errors import BadInput
from enclave.people import Role

if TYPE_CHECKING:
    from tests.conftest import Cast

DAY = date(2026, 3, 1)
PLAIN = Asked("t", "p", "l", "hospital", "3.0", "1.5", DAY, DAY)


def content(asked: Asked = PLAIN, author: str = "me") -> Content:
    return Content("req_1", author, asked, 3, (Role.STEWARD, Role.OFFICER), "2026-03-01T", "2026-03-02T", "0" * 64)


NO_EPSILON = ("", "0", "0.0", "-1", "1e3", "NaN", "1,5", " 1", "1000", "0.0000001", "٣", "1\n")
BAD: list[tuple[dict[str, Any], str]] = [
    ({"title": " "}, "access.text_length"),
    ({"title": "x" * 201}, "access.text_length"),
    ({"purpose": ""}, "access.text_length"),
    ({"legal_basis": ""}, "access.text_length"),
*[({"epsilon_project": e}, "access.epsilon_malformed") for e in NO_EPSILON],
    ({"epsilon_researcher": "3.1"}, "access.epsilon_order"),
    ({"ends_on": DAY - timedelta(days=1)}, "access.dates_order"),
    ({"pure": "true"}, "access.pure_malformed"),
    ({"people": ("a", "a")}, "access.listed_twice"),
    ({"people": tuple(map(str, range(101)))}, "access.too_many_people"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "code"), BAD)
def test_an_unsound_wish_is_not_born(change: dict[str, Any], code: str) -> None:
    with pytest.raises(BadInput) as no:
        replace(PLAIN, **change)
    assert no.value.code == code and no.value.place in change


UNFIT: list[tuple[dict[str, Any], str]] = [
    ({"dataset": "other"}, "access.other_dataset"),
    ({"version": 2}, "access.other_dataset"),
    ({"lane": "reviewed"}, "access.lane_unknown"),
    ({"ends_on": date.today() + timedelta(days=366)}, "access.too_long"),
    ({"tables": ("labs",)}, "access.no_table"),
    ({"variables": ("visits.name",)}, "access.no_variable"),
    ({"variables": ("visits",)}, "access.no_variable"),
    ({"tables": ("patients",), "variables": ("visits.dept",)}, "access.no_variable"),
]


@pytest.mark.parametrize(("change", "code"), UNFIT)
def test_what_dataset_or_policy_cannot_give_is_refused(cast: Cast, change: dict[str, Any], code: str) -> None:
    with pytest.raises(BadInput) as no:
        cast.draft(**change)
    assert no.value.code == code
    assert not cast.events("request.drafted")


def test_tables_and_variables_that_are_there_can_be_asked_for(cast: Cast) -> None:
    asked = cast.draft(version=1, tables=("visits",), variables=("visits.dept",)).content.asked
    assert (asked.version, asked.tables, asked.variables) == (1, ("visits",), ("visits.dept",))


def test_a_request_of_one_whole_year_fits(cast: Cast) -> None:
    today = date.today()
    assert cast.draft(starts_on=today, ends_on=today + timedelta(days=365))


def test_the_last_day_counts_until_midnight(cast: Cast) -> None:
    today = date.today()
    made = cast.draft(starts_on=today, ends_on=today).content
    assert made.starts_at < made.ends_at and made.ends_at.endswith("+00:00")


CHANGES: list[Content] = [
    content(author="you"),
    content(replace(PLAIN, epsilon_project="3.00")),
    content(replace(PLAIN, people=("you",))),
    content(replace(PLAIN, ends_on=DAY + timedelta(days=1))),
    content(replace(PLAIN, tables=("visits",))),
    content(replace(PLAIN, version=1)),
    replace(content(), grade=1),
    replace(content(), steps=(Role.STEWARD, Role.STEWARD)),
    replace(content(), request="req_2"),
    replace(content(), ends_at="2027"),
]


@pytest.mark.parametrize("other", CHANGES)
def test_any_change_is_another_digest(other: Content) -> None:
    assert other.digest != content().digest


texts = st.text(min_size=1, max_size=40).filter(str.strip)


@given(title=texts, purpose=texts, people=st.lists(st.sampled_from("abcdef"), unique=True).map(tuple))
def test_a_content_is_read_back_as_it_was_written(title: str, purpose: str, people: tuple[str, ...]) -> None:
    made = content(replace(PLAIN, title=title, purpose=purpose, people=people))
    assert content_of(made.text()) == made


@pytest.mark.parametrize("edit", [("{", " {"), ('"grade":3', '"grade":3,"x":1'), ('"3.0"', '"many"'), ("{", "[")])
def test_another_spelling_is_no_content(edit: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="spells"):
        content_of(content().text().replace(*edit, 1))


def test_a_request_from_before_there_was_pure_epsilon_is_spelled_as_it_was_signed() -> None:
    plain, pure = content().text(), content(replace(PLAIN, pure=True)).text()
    assert "pure" not in plain and '"pure":true' in pure
    assert content_of(pure).asked.pure and not content_of(plain).asked.pure
    with pytest.raises(ValueError, match="another way"):
        content_of(pure.replace('"pure":true', '"pure":false'))
