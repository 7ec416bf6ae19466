"""What else do people carry that names them: cards, papers, accounts, plates?

Each column is drawn for the notes alone and stands in no table. Numbers that have a check digit carry the right one: bank
cards (ISO/IEC 7812, Luhn), unified social credit codes (GB 32100). None is anybody's: the digits are chance.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from datasets_synthetic.columns import Column, Digits, digits, fixed_text, joined, pick, plain_number

_CODE = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = np.array([pow(3, n, 31) for n in range(17)], dtype=np.int64)
_BANKS = ("622202", "621700", "622848", "621661", "622588")
_AREAS = ("010", "021", "0531", "0532", "0371", "025", "0755", "0571")
_PROVINCES = "鲁京沪冀豫苏浙皖粤川"
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_MAILS = ("example.com", "example.org", "mail.example.cn")
_HANDLES = ("sunny", "lotus", "river", "happy", "wx", "plum", "snow", "eagle")


def _letters(rng: np.random.Generator, rows: int) -> Digits:
    return np.frombuffer(_LETTERS.encode(), dtype=np.uint8)[rng.integers(0, len(_LETTERS), rows)][:, None]


def bank_card(rng: np.random.Generator, rows: int) -> Column:
    """19 digits of UnionPay."""
    banks = np.array([[int(d) for d in bank] for bank in _BANKS], dtype=np.int64)[rng.integers(0, len(_BANKS), rows)]
    body = np.hstack([banks, rng.integers(0, 10, (rows, 12))])
    doubled = body[:, ::-2] * 2  # the last digit of the body is the first to be doubled
    total = body[:, -2::-2].sum(axis=1) + (doubled - 9 * (doubled > 9)).sum(axis=1)
    check = (-total % 10)[:, None]
    return fixed_text((np.hstack([body, check]) + ord("0")).astype(np.uint8))


def uscc(rng: np.random.Generator, rows: int) -> Column:
    """An enterprise's (91) unified social credit code."""
    body = np.hstack(
        [
            np.full((rows, 1), 9),
            np.ones((rows, 1), dtype=np.int64),
            rng.integers(0, 10, (rows, 6)),
            rng.integers(0, 31, (rows, 9)),
        ]
    )
    check = (-(body @ _WEIGHTS) % 31)[:, None]
    letters = np.frombuffer(_CODE.encode(), dtype=np.uint8)
    return fixed_text(letters[np.hstack([body, check])])


def landline(rng: np.random.Generator, rows: int) -> Column:
    number = rng.integers(20_000_000, 90_000_000, rows)
    return joined(pick(_AREAS, rng.integers(0, len(_AREAS), rows)), "-", plain_number(number))


def passport(rng: np.random.Generator, rows: int) -> Column:
    return joined("E", fixed_text(_letters(rng, rows)), fixed_text(digits(rng.integers(0, 10**7, rows), 7)))


def permit(rng: np.random.Generator, rows: int) -> Column:
    """A travel permit of Hong Kong or Macau residents."""
    return joined(pick(("H", "M"), rng.integers(0, 2, rows)), fixed_text(digits(rng.integers(0, 10**8, rows), 8)))


def insurance_no(rng: np.random.Generator, rows: int) -> Column:
    return joined(
        pick(("YB", "SD", ""), rng.integers(0, 3, rows)), fixed_text(digits(rng.integers(0, 10**10, rows), 10))
    )


def plate(rng: np.random.Generator, rows: int) -> Column:
    """Of a car (seven characters) or an electric one (eight)."""
    province = pick(tuple(_PROVINCES), rng.integers(0, len(_PROVINCES), rows))
    electric = np.where(rng.random(rows) < 0.2, 1, 0)
    tail = joined(fixed_text(_letters(rng, rows)), fixed_text(digits(rng.integers(0, 10**4, rows), 4)))
    return joined(province, fixed_text(_letters(rng, rows)), pick(("", "D"), electric), tail)


def email(rng: np.random.Generator, rows: int) -> Column:
    return joined(account(rng, rows), "@", pick(_MAILS, rng.integers(0, len(_MAILS), rows)))


def account(rng: np.random.Generator, rows: int) -> Column:
    handle = pick(_HANDLES, rng.integers(0, len(_HANDLES), rows))
    return joined(handle, "_", plain_number(rng.integers(1000, 99_999, rows)))


def qq(rng: np.random.Generator, rows: int) -> Column:
    return plain_number(rng.integers(10**7, 10**10, rows))


def old_resident_id(resident_id: Column) -> Column:
    """The 15 digits issued until 1999: without the century and the check character."""
    text = [f"{number[:6]}{number[8:17]}" for number in map(str, resident_id.to_pylist())]
    return pa.array(text, pa.string())


def spaced(phone: Column) -> Column:
    """138 1234 5678."""
    return pa.array([f"{p[:3]} {p[3:7]} {p[7:]}" for p in map(str, phone.to_pylist())], pa.string())


def wide(phone: Column) -> Column:
    """In full-width digits, as an input method left them."""
    table = {ord("0") + n: 0xFF10 + n for n in range(10)}
    return pa.array([p.translate(table) for p in map(str, phone.to_pylist())], pa.string())
