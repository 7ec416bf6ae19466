"""A report counts and locates; it scores by one stated rule, is read back as written, and reads in both languages."""

from __future__ import annotations

import re

import pytest

from enclave.intake.report import Category, Check, Line, Report, Section, from_json, score, to_json
from enclave.intake.report_page import page, share, where


def _report() -> Report:
    checks = (
        Check("left_out", {"rule": "los_days <= 365"}, Category.LEFT_OUT, "visits", of=400, failed=100),
        Check("left_out", {"rule": "<script>"}, Category.CONFORMANCE, "visits", "dept", 400, 30, (2, 9), stops=True),
        Check("left_out", {"rule": "x"}, Category.COMPLETENESS, "visits", "ward", 400, 0),
    )
    return Report("clinic", "ab" * 32, {"visits": 400, "patients": 0}, (Section("left_out", (), checks),))


def test_it_is_read_back_as_it_was_written() -> None:
    assert from_json(to_json(_report())) == _report()


def test_the_score_is_the_share_of_rows_and_scored_checks_that_hold_rounded_down() -> None:
    report = _report()
    assert report.score("visits") == 1000 * (800 - 30) // 800
    assert report.score("patients") is None  # nothing was checked
    assert score([Check("left_out", {}, Category.PLAUSIBILITY, of=100_000, failed=1)]) == 999  # never rounded up to all
    assert [check.column for check in report.stops] == ["dept"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_holds_everything_and_asks_nothing_from_outside(lang: str) -> None:
    shown = page(_report(), lang)
    assert "visits.dept" in shown and "2, 9, …" in shown and 'width="153"' in shown
    assert "<script>" not in shown and "&lt;script&gt;" in shown
    assert not re.search(r"(?:src|href)=|https?:|url\(", shown)


def test_a_share_is_none_only_where_nothing_failed() -> None:
    assert share(Check("left_out", {}, of=10, failed=0)) == "0 %"
    assert share(Check("left_out", {}, of=100_000, failed=1)) == "< 0.1 %"
    assert share(Check("left_out", {}, of=8, failed=1)) == "12.5 %"
    assert where(Check("left_out", {}, of=8, failed=2, rows=(3, 4))) == "3, 4"


def test_a_line_is_a_sentence_of_the_catalogue() -> None:
    assert "x < 1" in Line("left_out", {"rule": "x < 1"}).words("zh")
