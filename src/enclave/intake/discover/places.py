"""Where in a text does an address stand, an e-mail address or a number plate?

An address is known by its core, a road or village with a number: the core is rare and quick to find; what stands before
it, up to the next mark or the word that announces it, belongs to it. So does a place behind "lives at".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from enclave.intake.kinds import Kind, Span

_HAN = "\u3400-\u9fff"
_NO = "[0-9〇零一二三四五六七八九十百]{1,5}"
_UNIT = (
    rf"(?:[\-–—]?{_NO}(?:号楼|号院|号|弄|栋|幢|座|单元|层|楼|室|户|组|社|队|区)"
    rf"|[A-Z东西南北甲乙丙丁](?:座|栋|区|单元|院)|[\-–—]{_NO})"
)
_ROAD = (
    "(?:大道|大街|公路|路|街|巷|弄|胡同|里|村|屯|庄|镇|乡|小区|花园|家园|新村|苑|公寓|社区|庄园|广场|大厦|城|园|组|坊)"
)
_CORE = re.compile(rf"{_ROAD}(?:[东西南北中][段路里]?)?[{_HAN}]{{0,8}}?{_UNIT}(?:[{_HAN}]{{0,8}}?{_UNIT}){{0,5}}")
_BEFORE = re.compile(rf"[{_HAN}0-9]*\Z")
_LEAD = re.compile(
    "现?居?住[在于址]*|家住|家在|地址|住址|户籍地?|户口地?|籍贯|位于|来自|寄往|送[至到]|转[至到]|[：:于在至往]"
)
_REACH = 26
"""Characters before the core that an address may begin."""

_CUES = (
    "(?:现?住址?|家住|家庭住址|家庭地址|居住地|户籍地?址?|户口地?址?|户口所在地|籍贯|出生地|联系地址|通讯地址"
    "|工作单位及地址|地址)"
)
_AT = re.compile(
    rf"{_CUES}[ \t]*[：:为是在于]?[ \t]*"
    rf"([{_HAN}]{{0,6}}(?:省|自治区|市|自治州|地区|盟|州|县|区|旗)[{_HAN}0-9A-Za-z\-–—#]{{1,40}})"
)
_EMAIL = re.compile(
    r"[0-9A-Za-z](?:[0-9A-Za-z._%+\-]{0,62}[0-9A-Za-z_%+\-])?@[0-9A-Za-z\-]{1,63}(?:\.[0-9A-Za-z\-]{1,63}){1,4}"
)
_PLATE = re.compile(
    "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领][A-HJ-NP-Z][·•\\- ]?"
    "(?=[A-HJ-NP-Z0-9]{0,5}[0-9])[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳](?![0-9A-Za-z])"
)


def _begin(text: str, core: int) -> int:
    """Where the address of the core at `core` begins."""
    match = _BEFORE.search(text, max(0, core - _REACH), core)
    begin = match.start() if match else core
    for lead in _LEAD.finditer(text, begin, core):
        begin = lead.end()
    return begin


def addresses(text: str) -> Iterator[Span]:
    """Roads and villages with a number, and whatever place is announced as where somebody lives."""
    for match in _CORE.finditer(text):
        begin = _begin(text, match.start())
        if begin < match.start():
            yield Span(Kind.ADDRESS, begin, match.end())
    for match in _AT.finditer(text):
        yield Span(Kind.ADDRESS, *match.span(1))


def emails(text: str) -> Iterator[Span]:
    """Looked for around each @ alone, and never resolved: nothing here reaches for a network."""
    at = text.find("@")
    while at >= 0:
        for match in _EMAIL.finditer(text, max(0, at - 64)):
            if match.start() < at < match.end():
                yield Span(Kind.EMAIL, *match.span())
            if match.end() > at:
                break
        at = text.find("@", at + 1)


def plates(text: str) -> Iterator[Span]:
    for match in _PLATE.finditer(text):
        yield Span(Kind.PLATE, *match.span())
