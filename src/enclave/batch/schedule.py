"""When is a plan due?

A cron expression of five fields, read as Debian's cron reads it (an hour that a clock change skips comes after it, one that
comes twice counts once), in a named time zone. It ends with its last day or its count, and never later than its grant.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from domicile.wire.shapes import ScheduleForm
from enclave.errors import BadInput, Refused

MAX_OCCURRENCES = 1_000
_LONGEST = 100


@dataclass(frozen=True)
class Schedule:
    """When a plan is due, until which instant (UTC, exclusive), and how often at most."""

    cron: str
    timezone: str
    ends_at: str
    times: int | None

    def next_after(self, at: str) -> str | None:
        """The first instant (UTC) after `at` at which it is due; None when there is none before its end."""
        start = datetime.fromisoformat(at).astimezone(_zone(self.timezone))
        try:
            found = next(due for due in CronSim(self.cron, start) if due.astimezone(UTC) > start.astimezone(UTC))
        except StopIteration:
            return None
        text = found.astimezone(UTC).isoformat(timespec="microseconds")
        return text if text < self.ends_at else None

    def due(self, first: str, at: str) -> list[str]:
        """Every instant from `first`, which is one, up to `at`."""
        found, here = list[str](), first
        while here <= at:
            found.append(here)
            following = self.next_after(here)
            if following is None:
                break
            here = following
        return found

    def count(self, at: str) -> int:
        """How often it is due after `at`, as far as `times` goes; counting ends above MAX_OCCURRENCES."""
        most, found, here = self.times or MAX_OCCURRENCES + 1, 0, self.next_after(at)
        while here is not None and found < most:
            found, here = found + 1, self.next_after(here)
        return found


def checked(form: ScheduleForm, at: str, grant_ends_at: str) -> Schedule:
    """The schedule a plan asks for under a grant that ends at `grant_ends_at`; BadInput or Refused when it cannot be."""
    cron = " ".join(form.cron.split())
    if len(cron) > _LONGEST or not cron.isascii() or len(cron.split(" ")) != 5:
        raise BadInput("batch.cron_wrong", place="schedule.cron")
    try:
        CronSim(cron, datetime.now(UTC))
    except (CronSimError, ValueError, AssertionError) as wrong:
        raise BadInput("batch.cron_wrong", place="schedule.cron") from wrong
    zone = _zone(form.timezone)
    first, last = (_midnight(form, zone, days) for days in (0, 1))
    if first >= grant_ends_at:
        raise Refused("batch.until_after_grant", place="schedule.until", ends=grant_ends_at[:16])
    found = Schedule(cron, form.timezone, min(last, grant_ends_at), form.times)
    often = found.count(at)
    if not often:
        raise BadInput("batch.never_due", place="schedule")
    if often > MAX_OCCURRENCES:
        raise BadInput("batch.too_often", place="schedule", most=MAX_OCCURRENCES)
    return found


def _zone(name: str) -> ZoneInfo:
    """The zone of this name; BadInput. Asked again later: what a machine knew once it may have lost."""
    try:
        return ZoneInfo(name)
    except (ValueError, LookupError, OSError) as unknown:
        raise BadInput("batch.timezone_unknown", place="schedule.timezone") from unknown


def _midnight(form: ScheduleForm, zone: ZoneInfo, days: int) -> str:
    """The instant (UTC) at which the last day begins, or `days` later."""
    day = datetime.combine(form.until + timedelta(days=days), time.min, zone)
    return day.astimezone(UTC).isoformat(timespec="microseconds")
