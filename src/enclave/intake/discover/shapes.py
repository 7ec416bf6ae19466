"""Which SQL says that a value looks like an identifier?

The same checks as for texts, over a whole value `v`, as the engine computes them: a regular expression first, the checksum
only for what fits it. Chinese names and addresses are likely only, so a column of them is judged by their share.
"""

from __future__ import annotations

from enclave.intake.columns import literal
from enclave.intake.discover.parts import parts
from enclave.intake.kinds import Kind

_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CODE = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_REGION = "(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|91)"
_PLATE = "[\u4e00-\u9fff][A-HJ-NP-Z]·?[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳]"
_ADDRESS = "(?:路|街|巷|弄|村|镇|乡|道|小区|花园|大厦)[^0-9]{0,8}[0-9]+ ?(?:号|弄|栋|幢|室|组|单元)"
_DAY = "(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"


def _fits(pattern: str) -> str:
    return f"regexp_full_match(v, {literal(pattern)})"


def _digit(place: str) -> str:
    return f"(ascii(substr(v, {place}, 1)) - 48)"


def _resident() -> str:
    """GB 11643-1999: region, birth date, check character."""
    total = " + ".join(f"{_digit(str(n))} * {weight}" for n, weight in enumerate(_RESIDENT_WEIGHTS, 1))
    check = f"substr('10X98765432', (({total}) % 11) + 1, 1)"
    form = _REGION + "[0-9]{4}(?:18|19|20)[0-9]{2}" + _DAY + "[0-9]{3}[0-9Xx]"
    return f"CASE WHEN {_fits(form)} THEN upper(right(v, 1)) = {check} END"


def _card() -> str:
    """ISO/IEC 7812-1 annex B (Luhn)."""
    doubled = f"{_digit('length(v) - i')} * (1 + i % 2)"
    total = f"list_sum([CASE WHEN {doubled} > 9 THEN {doubled} - 9 ELSE {doubled} END FOR i IN range(length(v))])"
    return f"CASE WHEN {_fits('[3-6][0-9]{15,18}')} THEN {total} % 10 = 0 END"


def _uscc() -> str:
    """GB 32100-2015: Σ value · 3^(n-1) modulo 31."""
    total = " + ".join(f"(strpos('{_CODE}', substr(v, {n + 1}, 1)) - 1) * {pow(3, n, 31)}" for n in range(17))
    check = f"substr('{_CODE}', ((31 - ({total}) % 31) % 31) + 1, 1)"
    return f"CASE WHEN {_fits(f'[159NY][{_CODE}][0-9]{{6}}[{_CODE}]{{10}}')} THEN right(v, 1) = {check} END"


def looks() -> dict[Kind, str]:
    """Kind → SQL that is true for a value `v` that looks like one; NULL and false are both no."""
    known = parts()
    return {
        Kind.RESIDENT_ID: _resident(),
        Kind.USCC: _uscc(),
        Kind.BANK_CARD: _card(),
        Kind.OLD_RESIDENT_ID: _fits(_REGION + "[0-9]{6}" + _DAY + "[0-9]{3}"),
        Kind.PHONE: _fits(r"(?:\+?86[ -]?)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}"),
        Kind.LANDLINE: _fits(r"0(?:10|2[0-9]|[3-9][0-9]{2})-?[1-9][0-9]{6,7}"),
        Kind.EMAIL: _fits(r"[0-9A-Za-z._%+-]+@[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)+"),
        Kind.PLATE: f"{_fits(_PLATE)} AND regexp_matches(v, '[0-9]')",
        Kind.PASSPORT: _fits("E[A-HJ-NP-Z]?[0-9]{7,8}"),
        Kind.ADDRESS: f"length(v) >= 6 AND regexp_matches(v, {literal(_ADDRESS)})",
        Kind.NAME: _fits(f"(?:{'|'.join(known.compound)}|[{known.surnames}])[\u4e00-\u9fff]{{1,2}}"),
        Kind.MRN: _fits("[A-Za-z]{0,4}-?[0-9]{4,16}"),
    }
