"""What is a resident number, as SQL? The answer of plain Python, for honest numbers and for what only looks like one."""

from __future__ import annotations

import datetime as dt
import random
import re

import duckdb

from enclave.intake.standards import resident

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def _check(body: str) -> str:
    return "10X98765432"[sum(w * int(c) for w, c in zip(_WEIGHTS, body, strict=True)) % 11]


def _is_day(text: str) -> bool:
    try:
        dt.date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return False
    return True


def _expected(number: str | None) -> bool:
    if number is None:
        return False
    if re.fullmatch(r"[1-9][0-9]{16}[0-9Xx]", number):
        return _is_day(number[6:14]) and number[17].upper() == _check(number[:17])
    return re.fullmatch(r"[1-9][0-9]{14}", number) is not None and _is_day("19" + number[6:12])


def _made(draw: random.Random) -> str:
    born = dt.date(1920, 1, 1) + dt.timedelta(days=draw.randrange(37_000))
    body = f"{draw.randrange(110000, 660000)}{born:%Y%m%d}{draw.randrange(1000):03d}"
    return body + _check(body)


def test_it_is_what_plain_python_says() -> None:
    draw = random.Random(11643)
    numbers: list[str | None] = [None, "", " ", "1", "110105491231002", "11010549123100a", "0" * 18, "0" * 15, "9" * 18]
    numbers += [
        "1.000000000000e16X",
        "12345678901234e032",
        "1234567890123E0044",
        "+1101051949123100",
        "１１０１０１１９９００１０１００１７",
    ]
    for _ in range(500):
        honest = _made(draw)
        at, sign = draw.randrange(18), draw.choice("0123456789Xxe. ")
        numbers += [honest, honest.lower(), honest[:at] + sign + honest[at + 1 :], honest[: at + 1], honest + sign]
        numbers.append(honest[:6] + honest[8:17])
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t AS SELECT unnest($1::VARCHAR[]) AS n", [numbers])
        found = con.execute(f"SELECT n, {resident.is_valid('n')}, {resident.whole('n')} FROM t").fetchall()
    assert [(n, valid) for n, valid, _ in found] == [(n, _expected(n)) for n in numbers]
    assert sum(valid for _, valid, _ in found) > 1000
    for number, valid, whole in found:
        if valid:
            assert whole == (number.upper() if len(number) == 18 else _whole(number))


def _whole(old: str) -> str:
    body = old[:6] + "19" + old[6:]
    return body + _check(body)
