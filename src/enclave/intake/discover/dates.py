"""Where in a text does a day stand, or a month of a year?

Days in figures, in Chinese numerals and in English; a month with its year; a day with its month. A year alone is no date
(HIPAA Safe Harbor keeps it too), nor is a clock time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from enclave.intake.kinds import Kind, Span

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_NAMED = "|".join(f"{name[:3]}(?:{name[3:]})?" if len(name) > 3 else name for name in MONTHS) + "|Sept"
_YEAR, _MONTH, _DAY = "(?:18|19|20)[0-9]{2}", "(?:0?[1-9]|1[0-2])", "(?:0?[1-9]|[12][0-9]|3[01])"
_HAN = "[〇○零一二三四五六七八九十]"

FORMS = (
    rf"(?P<y>{_YEAR})[ ]?年[ ]?(?P<m>{_MONTH})[ ]?月(?:[ ]?(?P<d>{_DAY})[ ]?[日号])?",
    rf"(?P<y>{_YEAR})(?P<sep>[\-/.])(?P<m>{_MONTH})(?P=sep)(?P<d>{_DAY})(?![0-9A-SU-Za-z/])",
    rf"(?P<y>{_YEAR})(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12][0-9]|3[01])(?![0-9A-Za-z\-])",
    rf"(?P<m>{_MONTH})[ ]?月[ ]?(?P<d>{_DAY})[ ]?[日号]",
    rf"(?P<d>{_DAY})(?P<sep>/)(?P<m>{_MONTH})(?P=sep)(?P<y>{_YEAR})(?![0-9A-Za-z/])",
    rf"(?P<name>{_NAMED})\.? (?P<d>{_DAY})(?:st|nd|rd|th)?(?:,? (?P<y>{_YEAR}))?(?![0-9A-Za-z])",
    rf"(?P<d>{_DAY})(?:st|nd|rd|th)? (?P<name>{_NAMED})\.?(?:,? (?P<y>{_YEAR}))?(?![0-9A-Za-z])",
    rf"(?P<yh>[一二][〇○零一二三四五六七八九]{{3}})年(?P<mh>{_HAN}{{1,2}})月(?:(?P<dh>{_HAN}{{1,3}})[日号])?",
)
"""The forms of a date, with groups y, m, d; `name` is an English month; yh, mh, dh are Chinese numerals."""

_GROUP, _SAME = re.compile(r"\(\?P<\w+>"), re.compile(r"\(\?P=\w+\)")
_ANY = re.compile(
    r"(?<![0-9A-Za-z])(?<![0-9][.\-/])(?:" + "|".join(_SAME.sub(r"[\\-/.]", _GROUP.sub("(?:", f)) for f in FORMS) + ")"
)
"""All forms in one scan: without the groups, for the place alone is needed."""


def dates(text: str) -> Iterator[Span]:
    """Every date."""
    for match in _ANY.finditer(text):
        yield Span(Kind.DATE, *match.span())
