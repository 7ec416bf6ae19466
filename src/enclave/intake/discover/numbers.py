"""Which numbers in a text name somebody?

Two ways. What carries a checksum, or a form that nothing else has, is found wherever it stands: one expression looks for
runs of digits and what is found is judged here. What has neither is found behind its cue. Boundaries are written out:
`\\b` does not fire between a Han character and a digit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from stdnum.cn import uscc

from domicile.rules.checksums import bare, is_bank_card, is_old_resident_id, is_resident_id
from enclave.intake.discover.cues import Cue
from enclave.intake.kinds import Kind, Span

_NB, _NA = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
_CODE = "0-9A-HJ-NPQRTUWXY"  # GB 32100: no I, O, S, V, Z
_MOBILE_SPACED = r"(?:\+?86[ \-]?)?1[3-9][0-9] [0-9]{4} [0-9]{4}"
_RESIDENT_SPACED = r"[0-9]{6} [0-9]{8} [0-9]{3}[0-9Xx]"
_CARD_SPACED = r"[0-9]{4}(?: [0-9]{4}){3}(?: [0-9]{1,3})?"

_RUN = re.compile(
    rf"{_NB}(?<![0-9]\.)(?:{_CARD_SPACED}|{_RESIDENT_SPACED}|{_MOBILE_SPACED}|\+?[0-9][0-9\-–—]{{5,20}}[0-9Xx]){_NA}"
)
_USCC = re.compile(rf"{_NB}[159NY][{_CODE}][0-9]{{6}}[{_CODE}]{{10}}{_NA}")
_MOBILE = re.compile(r"(?:86)?1[3-9][0-9]{9}")
_AREA = re.compile(
    r"0(?:10|2[0-9]|[3-9][0-9]{2})[\-–—]?[1-9][0-9]{6,7}(?:[\-–—][0-9]{1,5})?|[48]00[\-–—]?[0-9]{3}[\-–—]?[0-9]{4}"
)

# What may stand between a cue and its value.
_BETWEEN = r"[号码號]*(?:[ \t]*(?:是|为|：|:|=|＝|#|№|）|\)|（|\()[ \t]*|[ \t]+(?:is[ \t]+|no\.?[ \t]*:?[ \t]*)?)?"
_VALUES: dict[str, re.Pattern[str]] = {
    kind.value: re.compile(rf"{_BETWEEN}({value}){_NA}")
    for kind, value in {
        Kind.RESIDENT_ID: rf"[0-9]{{14,17}}[0-9Xx]|{_RESIDENT_SPACED}",
        Kind.PHONE: rf"\+?[0-9(（][0-9()（）\-–—]{{5,16}}[0-9]|{_MOBILE_SPACED}",
        Kind.BANK_CARD: r"[0-9]{12,19}|[0-9]{4}(?: [0-9]{4}){2,3}(?: [0-9]{1,4})?",
        Kind.USCC: rf"[{_CODE}a-z]{{15,18}}",
        Kind.PASSPORT: r"[A-Za-z]{1,2}[0-9]{6,8}|[0-9]{8,9}",
        Kind.PERMIT: r"[A-Za-z]{0,3}[0-9]{7,18}|[\u4e00-\u9fff]字?第?[0-9]{6,8}号?",
        Kind.INSURANCE_NO: r"[A-Za-z]{0,4}[0-9][0-9A-Za-z\-]{5,19}",
        Kind.MRN: r"[A-Za-z]{0,4}\-?[0-9][0-9\-]{2,18}[0-9]",
        Kind.ACCOUNT: r"[A-Za-z0-9][A-Za-z0-9_\-]{4,19}",
    }.items()
}


def is_uscc(text: str) -> bool:
    """GB 32100-2015: the check character modulo 31."""
    return bool(uscc.is_valid(text.upper()))


def _is_nearly_resident(number: str) -> bool:
    """Region and birth date hold and the check character does not: somebody's number, mistyped."""
    return any(is_resident_id(number[:17] + check) for check in "0123456789X")


def judged(run: str) -> Kind | None:
    """What a run of digits is by itself; None when nothing says so."""
    number = bare(run).lstrip("+")
    if len(number) == 18:
        if is_resident_id(number):
            return Kind.RESIDENT_ID
        if number[0] in "159" and is_uscc(number):
            return Kind.USCC
    if 16 <= len(number) <= 19 and number[0] in "3456" and is_bank_card(number):
        return Kind.BANK_CARD
    if len(number) == 18 and _is_nearly_resident(number):
        return Kind.RESIDENT_ID
    if _MOBILE.fullmatch(number):
        return Kind.PHONE
    if _AREA.fullmatch(run.lstrip("+")):
        return Kind.LANDLINE
    return Kind.OLD_RESIDENT_ID if len(number) == 15 and is_old_resident_id(number) else None


def _as_announced(kind: Kind, value: str) -> Kind:
    """What stands behind a cue is what the cue says, told more exactly where the number itself does."""
    if kind is Kind.PHONE and not _MOBILE.fullmatch(bare(value).lstrip("+")):
        return Kind.LANDLINE
    if kind is Kind.RESIDENT_ID and len(value) == 15:
        return Kind.OLD_RESIDENT_ID
    return kind


def announced(text: str, cues: Iterable[Cue]) -> Iterator[Span]:
    """The numbers behind their cues."""
    for cue in cues:
        value = _VALUES.get(cue.about)
        if value and (match := value.match(text, cue.end)):
            kind = judged(match[1]) or _as_announced(Kind(cue.about), match[1])
            yield Span(kind, match.start(1), match.end(1))


def formed(text: str) -> Iterator[Span]:
    """The numbers whose own form or checksum tells."""
    for match in _RUN.finditer(text):
        if kind := judged(match[0]):
            yield Span(kind, *match.span())
    for match in _USCC.finditer(text):
        if is_uscc(match[0]):
            yield Span(Kind.USCC, *match.span())
