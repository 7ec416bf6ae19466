"""How does a date in a text move by the person's own days, and stay in the form it was written in?

A day moves as the dates of the tables do, so intervals hold between both. A month of a year moves as its middle does; a
day of a month as in a year without a leap day. What is no date of the calendar cannot move.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from enclave.intake.discover.dates import FORMS, MONTHS

_FORMS = tuple(re.compile(form) for form in FORMS)
_MIDDLE, _PLAIN_YEAR = 15, 2001
_DIGITS = "〇一二三四五六七八九"
_VALUES = {"○": 0, "零": 0} | {c: n for n, c in enumerate(_DIGITS)}


def moved(said: str, days: int) -> str | None:
    """`said` moved by `days`; None when it is in no known form, or names no day of the calendar."""
    for form in _FORMS:
        if match := form.fullmatch(said):
            return _move(match, days)
    return None


def _move(match: re.Match[str], days: int) -> str | None:
    parts = {name: text for name, text in match.groupdict().items() if text is not None and name != "sep"}
    year = _year(parts)
    month = _month(parts)
    day = _number(parts["dh"]) if "dh" in parts else int(parts.get("d", _MIDDLE))
    try:
        then = date(year, month, day) + timedelta(days)
    except (ValueError, OverflowError):
        return None
    joint = match.groupdict().get("sep") in ("-", "/") or match[0].isdecimal()
    padded = joint or any(parts.get(name, "").startswith("0") for name in "md")
    told, out, at = _told(parts, then, padded), "", match.start()
    for name in sorted(parts, key=match.start):
        out += match.string[at : match.start(name)] + told[name]
        at = match.end(name)
    return out + match.string[at : match.end()]


def _year(parts: dict[str, str]) -> int:
    if "yh" in parts:
        return int("".join(str(_VALUES[c]) for c in parts["yh"]))
    return int(parts.get("y", _PLAIN_YEAR))


def _month(parts: dict[str, str]) -> int:
    if "name" in parts:
        return next(n for n, name in enumerate(MONTHS, 1) if name.startswith(parts["name"][:3]))
    return _number(parts["mh"]) if "mh" in parts else int(parts["m"])


def _number(numeral: str) -> int:
    """十二 → 12, 二十 → 20, 〇五 → 5."""
    tens, ten, ones = numeral.rpartition("十")
    if not ten:
        return int("".join(str(_VALUES[c]) for c in ones))
    return 10 * (_VALUES[tens] if tens else 1) + (_VALUES[ones] if ones else 0)


def _numeral(number: int) -> str:
    tens, ones = divmod(number, 10)
    return ("" if tens == 0 else "十" if tens == 1 else _DIGITS[tens] + "十") + (_DIGITS[ones] if ones else "")


def _told(parts: dict[str, str], then: date, padded: bool) -> dict[str, str]:
    """Each part of the new date, as the old one was told."""
    width = 2 if padded else 1
    full = MONTHS[then.month - 1]
    return {
        "y": str(then.year),
        "m": f"{then.month:0{width}d}",
        "d": f"{then.day:0{width}d}",
        "name": full if parts.get("name") in MONTHS else full[:3],
        "yh": "".join(_DIGITS[int(c)] for c in str(then.year)),
        "mh": _numeral(then.month),
        "dh": _numeral(then.day),
    }
