"""What may stand in for an identifier, the same wherever the person's notes say it?

A stand-in is drawn by HMAC-SHA256 under the register's key from the person, the kind and what was said: the same for one
person in every note and every version, another for another person, so it links nobody to anybody. Names become common
names, dates move by the person's own days, numbers keep their shape. No stand-in is a number somebody could have: what
carries a checksum fails it, a mobile number begins with 10, a mail goes to `.invalid`.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from domicile.rules.checksums import bare, is_bank_card
from enclave.intake.discover.parts import parts
from enclave.intake.kinds import Kind
from enclave.intake.redact.moved import moved

_SURNAMES, _GIVEN = 100, 150
"""How many of the commonest surnames and given-name characters stand-ins are drawn from."""


class _Draw:
    """Whole numbers from the digest of one identifier, in turn."""

    def __init__(self, key: bytes, person: int, kind: Kind, said: str) -> None:
        self._key, self._message = key, f"stand-in\x1f{person}\x1f{kind.value}\x1f{said}".encode()
        self._bytes, self._block = b"", 0

    def below(self, limit: int) -> int:
        """0 to limit - 1; even but for 2^-32."""
        if len(self._bytes) < 4:
            self._bytes += hmac.digest(self._key, self._message + bytes([self._block]), "sha256")
            self._block += 1
        number, self._bytes = int.from_bytes(self._bytes[:4], "big"), self._bytes[4:]
        return number % limit

    def shaped(self, said: str) -> str:
        """Digits for digits, letters for letters of the same size; what joins them stays."""
        return "".join(self.like(c) for c in said)

    def like(self, c: str) -> str:
        if c.isdecimal():
            return str(self.below(10))
        if c.isascii() and c.isalpha():
            return chr((ord("A") if c.isupper() else ord("a")) + self.below(26))
        return c


def _with(text: str, digits: str) -> str:
    """`text` with its first digits replaced by these."""
    out = list(text)
    places = [n for n, c in enumerate(out) if c.isdecimal()]
    for place, digit in zip(places, digits, strict=False):
        out[place] = digit
    return "".join(out)


def _number(first: str) -> Callable[[_Draw, str], str]:
    """Of the same shape, beginning as no such number does."""
    return lambda draw, said: _with(draw.shaped(said), first)


def _phone(draw: _Draw, said: str) -> str:
    digits = [n for n, c in enumerate(said) if c.isdecimal()]
    country = 2 if len(digits) > 11 else 0
    begin = digits[country] if len(digits) > country else 0
    return said[:begin] + _with(draw.shaped(said[begin:]), "10")


def _resident(draw: _Draw, said: str) -> str:
    """No region begins with 0; the one letter such a number may have stays."""
    return _with("".join(c if c in "xX" else draw.like(c) for c in said), "0")


def _card(draw: _Draw, said: str) -> str:
    shaped = _with(draw.shaped(said), "9")
    last = max(n for n, c in enumerate(shaped) if c.isdecimal())
    return (
        shaped[:last] + str((int(shaped[last]) + 1) % 10) + shaped[last + 1 :] if is_bank_card(bare(shaped)) else shaped
    )


def _name(draw: _Draw, said: str) -> str:
    """As many characters as before; in Latin letters a surname and a given name in pinyin."""
    known = parts()
    if said[0].isascii():
        surname = known.pinyin[draw.below(min(_SURNAMES, len(known.pinyin)))]
        syllables = [s for s in known.syllables if len(s) > 2]
        given = "".join(syllables[draw.below(len(syllables))] for _ in range(1 + draw.below(2)))
        return f"{surname} {given.capitalize()}"
    surname = known.surnames[draw.below(_SURNAMES)]
    return surname + "".join(known.given[draw.below(_GIVEN)] for _ in range(min(len(said), 3) - 1))


_MAKERS: dict[Kind, Callable[[_Draw, str], str]] = {
    Kind.NAME: _name,
    Kind.RESIDENT_ID: _resident,
    Kind.OLD_RESIDENT_ID: _number("0"),
    Kind.PHONE: _phone,
    Kind.LANDLINE: _number("00"),
    Kind.BANK_CARD: _card,
    Kind.USCC: _number("00"),
    Kind.PASSPORT: _number(""),
    Kind.PERMIT: _number(""),
    Kind.INSURANCE_NO: _number(""),
    Kind.MRN: _number(""),
    Kind.ACCOUNT: _number(""),
    Kind.EMAIL: lambda draw, said: f"{draw.shaped('aaaa0000')}@example.invalid",
}
"""Kind → its maker; what has none (an address, a plate) is marked."""


class StandIns:
    """Draws stand-ins under one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def for_(self, kind: Kind, said: str, person: int, shift: int) -> str | None:
        """What stands in for `said` in this person's notes; None where only a mark will do."""
        if kind is Kind.DATE:
            return moved(said, shift)
        maker = _MAKERS.get(kind)
        if maker is None:
            return None
        for turn in range(4):
            made = maker(_Draw(self._key, person, kind, said + "\x1f" * turn), said)
            if made != said:
                return made
        return None
