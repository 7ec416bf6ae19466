"""The checks in SQL say what the checks in Python say."""

from __future__ import annotations

import random
from collections.abc import Iterator

import duckdb
import pytest

from domicile.rules.checksums import is_bank_card, is_resident_id
from enclave.intake.discover.numbers import is_uscc
from enclave.intake.discover.shapes import looks
from enclave.intake.kinds import Kind


def _asked(values: list[str], kind: Kind) -> list[bool]:
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t AS SELECT unnest(range(len(?))) AS n, unnest(?) AS v", [values, values])
        rows = con.execute(f"SELECT coalesce({looks()[kind]}, false) FROM t ORDER BY n").fetchall()
    return [bool(found) for (found,) in rows]


CODE = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LAST = {Kind.RESIDENT_ID: "0123456789X", Kind.USCC: CODE, Kind.BANK_CARD: "0123456789"}


def _body(kind: Kind, draw: random.Random) -> str:
    if kind is Kind.RESIDENT_ID:
        day = f"{draw.randrange(1920, 2024)}{draw.randrange(1, 13):02d}{draw.randrange(1, 29):02d}"
        return f"3701{draw.randrange(100):02d}{day}{draw.randrange(1000):03d}"
    if kind is Kind.USCC:
        return f"91{draw.randrange(10**6):06d}" + "".join(draw.choice(CODE) for _ in range(9))
    return "62" + "".join(draw.choice("0123456789") for _ in range(draw.randrange(13, 17)))


def _bodies(kind: Kind) -> Iterator[str]:
    """Numbers of the kind's length, each with every last character: some right, most wrong."""
    draw = random.Random(7)
    for body in [_body(kind, draw) for _ in range(40)]:
        yield from (body + last for last in LAST[kind])


@pytest.mark.parametrize(
    ("kind", "said"), [(Kind.RESIDENT_ID, is_resident_id), (Kind.USCC, is_uscc), (Kind.BANK_CARD, is_bank_card)]
)
def test_checksums_agree(kind: Kind, said: object) -> None:
    values = list(_bodies(kind))
    expected = [said(value) for value in values]  # type: ignore[operator]
    assert any(expected) and not all(expected)
    assert _asked(values, kind) == expected


@pytest.mark.parametrize(
    ("kind", "yes", "no"),
    [
        (Kind.PHONE, ["13812345678", "+86 138 1234 5678"], ["12812345678", "138123456789", "1381234567"]),
        (Kind.EMAIL, ["a.b@example.org"], ["a.b at example", "@x"]),
        (Kind.PLATE, ["鲁A12345", "川BD12345"], ["鲁A", "鲁ABCDEF", "A12345"]),
        (Kind.NAME, ["王芳", "欧阳明珠"], ["外科", "Wang", "王"]),
        (Kind.ADDRESS, ["济南市历下区解放路123号"], ["济南市", "3号楼"]),
        (Kind.LANDLINE, ["010-62345678"], ["62345678", "0-1"]),
        (Kind.OLD_RESIDENT_ID, ["110105491231002"], ["990105491231002", "110105491331002"]),
    ],
)
def test_forms(kind: Kind, yes: list[str], no: list[str]) -> None:
    assert _asked([*yes, *no], kind) == [True] * len(yes) + [False] * len(no)
