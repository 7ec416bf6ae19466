"""A date moves by days and stays in the form it was written in."""

from __future__ import annotations

import pytest

from enclave.intake.redact.moved import moved


@pytest.mark.parametrize(
    ("said", "days", "expected"),
    [
        ("2023年5月6日", 30, "2023年6月5日"), ("2023-05-06", -6, "2023-04-30"), ("2023/12/28", 9, "2024/01/06"),
        ("2023.5.6", 5, "2023.5.11"), ("20231230", 3, "20240102"), ("5月6日", -10, "4月26日"), ("12月31日", 1, "1月1日"),
        ("2023年5月", 20, "2023年6月"), ("6/5/2023", 1, "07/05/2023"), ("May 6, 2023", 30, "June 5, 2023"),
        ("6 May 2023", -7, "29 April 2023"), ("Jan. 31", 1, "Feb. 1"),
        ("二〇二三年十二月三十一日", 2, "二〇二四年一月二日"),
        ("二○二三年五月六日", 15, "二〇二三年五月二十一日"),
        ("2024-02-28", 1, "2024-02-29"), ("2023-05-06", 0, "2023-05-06"),
    ],
)  # fmt: skip
def test_it_moves_in_its_form(said: str, days: int, expected: str) -> None:
    assert moved(said, days) == expected


@pytest.mark.parametrize("said", ["2023-02-30", "2023年13月1日", "2月30日", "yesterday", ""])
def test_what_is_no_day_cannot_move(said: str) -> None:
    assert moved(said, 3) is None


def test_intervals_hold_across_forms() -> None:
    first, last = moved("2023年5月1日", -13), moved("2023-05-20", -13)
    assert (first, last) == ("2023年4月18日", "2023-05-07")
