"""Does this text hold something that points at a person?

Patterns, checksums and cue words alone: a list of known names would make the scan a membership oracle (soundness U7), and
a laptop could not hold it. Boundaries are written out, because `\\b` does not fire between a Han character and a digit.
Text is brought to one spelling first (NFKC: full-width digits become plain ones).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from domicile.rules.checksums import is_bank_card, is_old_resident_id, is_resident_id

_NB = r"(?<![0-9A-Za-z])"
_NA = r"(?![0-9A-Za-z])"
_SEP = r"[ \t._\-–—]?"
_HAN = r"[\u3400-\u9fff·]"
_LATIN = r"[A-Za-z][A-Za-z.'’\-]+(?: [A-Za-z.'’\-]+){0,3}"
_IS = r"(?:[ \t]*(?:是|为|is\b|[:：=#№/|])[ \t]*|[ \t]+)"  # what stands between a cue and its value

# The hundred commonest surnames and the compound ones; used only behind a weak cue.
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许邓韩冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆"
    "范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤康易乔赖文"
)


@dataclass(frozen=True)
class Pattern:
    """One kind of identifier. With a `value` group in the expression, that group is the identifier, the rest its cue."""

    kind: str
    expression: re.Pattern[str]
    verdict: Literal["fail", "review"]
    check: Callable[[str], bool] | None = None


class Hit(NamedTuple):
    """Where an identifier stands in the normalised text."""

    kind: str
    verdict: Literal["fail", "review"]
    start: int
    end: int


def _pattern(
    kind: str, expression: str, verdict: Literal["fail", "review"], check: Callable[[str], bool] | None = None
) -> Pattern:
    return Pattern(kind, re.compile(expression), verdict, check)


def _cued(kind: str, cues: str, value: str, verdict: Literal["fail", "review"] = "fail") -> Pattern:
    return _pattern(kind, rf"(?<![A-Za-z])(?i:{cues}){_IS}?(?P<value>{value}){_NA}", verdict)


PATTERNS: tuple[Pattern, ...] = (
    _pattern(
        "resident_id",
        rf"{_NB}[0-9]{{6}}{_SEP}[0-9]{{4}}{_SEP}[0-9]{{2}}{_SEP}[0-9]{{2}}{_SEP}[0-9]{{3}}{_SEP}[0-9Xx]{_NA}",
        "fail",
        is_resident_id,
    ),
    _pattern("old_resident_id", rf"{_NB}[0-9]{{15}}{_NA}", "review", is_old_resident_id),
    _cued("resident_id", r"身份证(?:号码|号)?|id card(?: no\.?| number)?", r"[0-9]{14,17}[0-9Xx]"),
    _pattern("mobile", rf"{_NB}(?:(?:\+|00)?86{_SEP})?1[3-9][0-9]{_SEP}[0-9]{{4}}{_SEP}[0-9]{{4}}{_NA}", "fail"),
    _pattern("landline", rf"{_NB}0[1-9][0-9]{{1,2}}[-–—][0-9]{{7,8}}{_NA}", "fail"),
    _pattern("landline", rf"{_NB}0[1-9][0-9]{{8,10}}{_NA}", "review"),
    _pattern("landline", rf"\(0[1-9][0-9]{{1,2}}\)[ \t]?[0-9]{{3,4}}[ \t\-–—]?[0-9]{{4}}{_NA}", "fail"),
    _pattern(
        "bank_card",
        rf"{_NB}62[0-9]{{2}}{_SEP}[0-9]{{4}}{_SEP}[0-9]{{4}}{_SEP}[0-9]{{4}}(?:{_SEP}[0-9]{{1,3}})?{_NA}",
        "fail",
        is_bank_card,
    ),
    _pattern(
        "bank_card",
        rf"{_NB}[0-9]{{4}}{_SEP}[0-9]{{4}}{_SEP}[0-9]{{4}}{_SEP}[0-9]{{4}}(?:{_SEP}[0-9]{{1,3}})?{_NA}",
        "review",
        is_bank_card,
    ),
    _cued("bank_card", r"(?:银行)?卡号|bank card(?: no\.?| number)?", r"[0-9]{16,19}"),
    _pattern(
        "email",
        r"(?<![0-9A-Za-z._%+\-])[0-9A-Za-z][0-9A-Za-z._%+\-]{0,63}@[0-9A-Za-z\-]{1,63}(?:\.[0-9A-Za-z\-]{1,63}){1,4}",
        "fail",
    ),
    _cued("passport", r"护照(?:号码|号)?|passport(?: no\.?| number)?", r"[A-Za-z]{1,2}[0-9]{7,8}|[0-9]{9}"),
    _cued("travel_permit", r"通行证(?:号码|号)?", r"[A-Za-z]?[0-9]{8,11}"),
    _cued(
        "mrn",
        r"(?:住院|病案|门诊|就诊|病历|登记)(?:卡)?(?:号码|号)|mrn|medical record(?: no\.?| number)?",
        r"[A-Za-z]{0,4}[0-9]{4,16}",
    ),
    _cued("insurance_no", r"(?:医保|社保|社会保障)(?:卡)?(?:号码|号)|insurance (?:no\.?|number)", r"[0-9A-Za-z]{6,20}"),
    _cued("account", r"微信号?|qq号?|wechat(?: id)?", r"[0-9A-Za-z_\-]{5,20}"),
    _pattern(
        "name",
        rf"姓名[ \t]*[:：=|][ \t]*(?P<value>{_HAN}{{2,8}}|{_LATIN})",
        "fail",
    ),
    _pattern("name", r"(?:联系人|签名)[ \t]*[:：=|][ \t]*(?P<value>[\u3400-\u9fff·]{2,4})(?![\u3400-\u9fff])", "fail"),
    _pattern(
        "name",
        rf"(?:患者|病人)[ \t]*[:：][ \t]*(?P<value>[{_SURNAMES}][\u3400-\u9fff]{{1,2}})(?![\u3400-\u9fff])",
        "review",
    ),
    _pattern(
        "name",
        rf"(?i:(?:patient(?:['’]s)?|contact)[ _]?name|name of patient)[ \t]*[:：=|][ \t]*(?P<value>{_LATIN}|{_HAN}{{2,8}})",
        "fail",
    ),
    _pattern("name", r"(?i:patient)[ \t]*:[ \t]*(?P<value>[A-Z][a-z]+ [A-Z][a-z]+)", "review"),
    _cued(
        "birth_date",
        r"出生(?:日期|年月日)|生日|date of birth|birth[ _]date|dob",
        r"(?:18|19|20)[0-9]{2}[\-./年][0-9]{1,2}[\-./月][0-9]{1,2}",
        "review",
    ),
)

_TITLES_EN = (
    "patientid personid patientname residentid idcard idnumber mrn phone mobile telephone address birthdate dob"
)
_TITLES_ZH = (
    "姓名 患者姓名 身份证 身份证号 身份证号码 住院号 病案号 门诊号 电话 手机号 联系电话 住址 地址 出生日期 邮箱"
)
COLUMN_NAMES = frozenset((_TITLES_EN + " email passport " + _TITLES_ZH).split())
"""Column titles that announce identifiers, compared without case, spaces and underscores."""


def normal(text: str) -> str:
    """One spelling: NFKC, and every decimal digit of any script as 0-9; lines stay lines."""
    if text.isascii():
        return text
    spelled = unicodedata.normalize("NFKC", text)
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() and not c.isascii() else c for c in spelled)


def matches(pattern: Pattern, text: str) -> Iterator[Hit]:
    """The hits of one pattern in already normalised text."""
    for match in pattern.expression.finditer(text):
        group = "value" if "value" in pattern.expression.groupindex else 0
        if pattern.check is None or pattern.check(match.group(group)):
            yield Hit(pattern.kind, pattern.verdict, *match.span(group))


def settled(hits: Iterable[Hit]) -> list[Hit]:
    """The hits in order of place; of readings that overlap the graver stays, then the earlier, then the longer."""
    kept: list[Hit] = []
    for hit in sorted(set(hits), key=lambda h: (h.verdict != "fail", h.start, -h.end, h.kind)):
        if not any(other.start < hit.end and hit.start < other.end for other in kept):
            kept.append(hit)
    return sorted(kept, key=lambda h: (h.start, h.end, h.kind))


def scan(text: str) -> list[Hit]:
    """All hits in `text`."""
    spelled = normal(text)
    return settled(hit for pattern in PATTERNS for hit in matches(pattern, spelled))


def announces_identifier(column: str) -> bool:
    """True when a column's title is that of an identifier."""
    return re.sub(r"[\s_\-]", "", normal(column)).lower() in COLUMN_NAMES
