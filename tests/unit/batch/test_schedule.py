"""When a plan is due: cron as Debian reads it, time zones, clock changes, ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domicile.wire.shapes import ScheduleForm
from enclave.batch.schedule import Schedule, checked
from enclave.errors import EnclaveError

AT, GRANT = "2026-03-01T00:00:00.000000+00:00", "2026-12-31T23:00:00.000000+00:00"


def schedule(cron: str, timezone: str = "UTC", **more: Any) -> Schedule:
    form = ScheduleForm(**{"cron": cron, "timezone": timezone, "until": date(2026, 12, 31), **more})
    return checked(form, AT, GRANT)


def local(found: Schedule, count: int, at: str = AT) -> list[str]:
    here, seen = at, []
    for _ in range(count):
        following = found.next_after(here)
        if following is None:
            break
        here = following
        seen.append(
            datetime.fromisoformat(here).astimezone(ZoneInfo(found.timezone)).isoformat(timespec="minutes")[:16]
        )
    return seen


def test_it_is_due_in_its_own_time_zone() -> None:
    assert local(schedule("0 6 * * MON", "Asia/Shanghai"), 2) == ["2026-03-02T06:00", "2026-03-09T06:00"]
    assert schedule("0 6 * * MON", "Asia/Shanghai").next_after(AT) == "2026-03-01T22:00:00.000000+00:00"


def test_an_hour_that_is_skipped_comes_after_it_and_one_that_comes_twice_counts_once() -> None:
    berlin = schedule("30 2 * * *", "Europe/Berlin")
    assert local(berlin, 2, "2026-03-28T12:00:00+00:00") == ["2026-03-29T03:00", "2026-03-30T02:30"]
    assert local(berlin, 2, "2026-10-24T12:00:00+00:00") == ["2026-10-25T02:30", "2026-10-26T02:30"]


def test_it_ends_with_its_last_day_its_count_or_its_grant() -> None:
    assert local(schedule("0 0 * * *", until=date(2026, 3, 3)), 9) == ["2026-03-02T00:00", "2026-03-03T00:00"]
    assert schedule("0 0 * * *", until=date(2026, 3, 3)).count(AT) == 2
    assert schedule("0 0 * * *", until=date(2026, 3, 9), times=3).count(AT) == 3
    last = schedule("0 * * * *", times=9)  # until the 31st, of which the grant ends at 23:00
    assert local(last, 9, "2026-12-31T20:30:00.000000+00:00") == ["2026-12-31T21:00", "2026-12-31T22:00"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"cron": ""}, "batch.cron_wrong"),
        ({"cron": "* * * *"}, "batch.cron_wrong"),
        ({"cron": "0 * * * * *"}, "batch.cron_wrong"),
        ({"cron": "61 * * * *"}, "batch.cron_wrong"),
        ({"cron": "0 0 31 2 *"}, "batch.cron_wrong"),
        ({"cron": "② * * * *"}, "batch.cron_wrong"),
        ({"cron": "L/2 L/2 L/2 L/2 L/2"}, "batch.cron_wrong"),
        ({"cron": "@daily"}, "batch.cron_wrong"),
        ({"timezone": "Mars/Olympus"}, "batch.timezone_unknown"),
        ({"timezone": "../../etc/passwd"}, "batch.timezone_unknown"),
        ({"timezone": "/etc/localtime"}, "batch.timezone_unknown"),
        ({"timezone": ""}, "batch.timezone_unknown"),
        ({"until": date(2027, 1, 1)}, "batch.until_after_grant"),
        ({"until": date(2026, 2, 1)}, "batch.never_due"),
        ({"cron": "* * * * *"}, "batch.too_often"),
    ],
)
def test_what_is_no_schedule_is_refused_by_name(said: dict[str, Any], code: str) -> None:
    with pytest.raises(EnclaveError) as refused:
        schedule(**{"cron": "0 0 * * *", **said})
    assert refused.value.code == code and refused.value.words("zh")


FIELD = st.sampled_from(["*", "0", "5", "*/7", "1-3", "1,2", "L", "LW", "MON", "2#1", "5L", "JAN", "9/2", "31"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(FIELD, min_size=5, max_size=5),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Shanghai", "America/St_Johns"]),
)
def test_whatever_is_taken_goes_forward_and_comes_to_an_end(fields: list[str], timezone: str) -> None:
    form = ScheduleForm(cron=" ".join(fields), timezone=timezone, until=date(2026, 4, 15), times=50)
    try:
        found = checked(form, AT, GRANT)
    except EnclaveError as refused:
        assert refused.code.startswith("batch.")
        return
    here = AT
    for _ in range(60):
        following = found.next_after(here)
        if following is None:
            return
        assert here < following < found.ends_at
        gap = datetime.fromisoformat(following) - datetime.fromisoformat(here)
        assert gap >= timedelta(seconds=60) or here == AT
        here = following


@given(st.text(max_size=30))
def test_no_text_brings_it_down(text: str) -> None:
    try:
        checked(ScheduleForm(cron=text, timezone="UTC", until=datetime.now(UTC).date(), times=1), AT, GRANT)
    except EnclaveError as refused:
        assert refused.words("en")


def test_all_that_came_due_is_counted_from_the_first() -> None:
    daily = schedule("0 0 * * *", until=date(2026, 3, 9))
    first = daily.next_after(AT)
    assert first is not None
    assert [d[:10] for d in daily.due(first, "2026-03-05T12:00:00.000000+00:00")] == [
        f"2026-03-0{n}" for n in (2, 3, 4, 5)
    ]
    assert daily.due(first, "2027-01-01T00:00:00.000000+00:00")[-1][:10] == "2026-03-09"
