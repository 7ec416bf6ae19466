"""What follows from noisy numbers, for free?

Arithmetic on counts and sums that are released anyway (`SUM(a) / COUNT(*)`), and HAVING on answered columns. Nothing here
sees anything but noisy numbers, so nothing is paid. The interval of a result is that of a box: each of the k numbers it
is made of misses its own interval one time in 20·k, and over the box the result lies between its least and its
greatest. Where a divisor may be zero inside the box there is no interval; where it is zero there is no number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from enclave.query.reckon import Post, Reckon

Number = float | None
Column = list[Number]
Span = tuple[float, float]


@dataclass(frozen=True)
class Noisy:
    """One released number over all cells: its values, the deviation of its noise, and how far noise reaches."""

    values: list[float]
    error: float
    radius: float


@dataclass(frozen=True)
class Found:
    """A result in one cell: its value, how it moves with each number, and its span over the box."""

    value: float
    moves: dict[int, float]
    span: Span | None


def columns(post: Post, parts: dict[int, Noisy], cells: int) -> tuple[Column, Column, Column, Column]:
    """Value, standard deviation (to first order), and the two ends of the interval, cell by cell."""
    values, errors, lows, highs = Column(), Column(), Column(), Column()
    for cell in range(cells):
        found = _found(post, parts, cell)
        values.append(_finite(found.value) if found else None)
        moved = [parts[at].error * slope for at, slope in found.moves.items()] if found else []
        errors.append(_finite(math.hypot(*moved)) if found else None)
        lows.append(_finite(found.span[0]) if found and found.span else None)
        highs.append(_finite(found.span[1]) if found and found.span else None)
    return values, errors, lows, highs


def _finite(number: float) -> Number:
    """NaN and infinity are NULL."""
    return number if math.isfinite(number) else None


def _found(post: Post, parts: dict[int, Noisy], cell: int) -> Found | None:
    if post.op is Reckon.NUMBER:
        return Found(float(post.value), {}, (float(post.value), float(post.value)))
    if post.op is Reckon.AGGREGATE:
        value, radius = parts[post.at].values[cell], parts[post.at].radius
        return Found(value, {post.at: 1.0}, (value - radius, value + radius))
    args = [_found(a, parts, cell) for a in post.args]
    left, right = args[0], args[-1]
    if left is None or right is None or (post.op is Reckon.OVER and right.value == 0):
        return None
    value, by_left, by_right = _slopes(post.op, left.value, right.value)
    moves = {at: by_left * slope for at, slope in left.moves.items()}
    for at, slope in right.moves.items() if len(args) > 1 else ():
        moves[at] = moves.get(at, 0.0) + by_right * slope
    return Found(value, moves, _span(post.op, left.span, right.span))


def _slopes(op: Reckon, x: float, y: float) -> tuple[float, float, float]:
    """The result, and how it moves with the left and with the right."""
    if op is Reckon.NEGATE:
        return -x, -1.0, 0.0
    if op is Reckon.PLUS:
        return x + y, 1.0, 1.0
    if op is Reckon.MINUS:
        return x - y, 1.0, -1.0
    if op is Reckon.TIMES:
        return x * y, y, x
    return x / y, 1 / y, -x / y / y


def _span(op: Reckon, x: Span | None, y: Span | None) -> Span | None:
    if x is None or y is None or (op is Reckon.OVER and y[0] <= 0 <= y[1]):
        return None
    if op is Reckon.NEGATE:
        return -x[1], -x[0]
    ends = [_slopes(op, a, b)[0] for a in x for b in y]
    return min(ends), max(ends)


# --- HAVING ---------------------------------------------------------------------------------------------------------


def holds(post: Post, row: dict[str, Number]) -> bool | None:
    """HAVING for one answered row; None where a number is missing, as in SQL."""
    if post.op is Reckon.AND:
        found = [holds(a, row) for a in post.args]
        return False if False in found else None if None in found else True
    if post.op is Reckon.OR:
        found = [holds(a, row) for a in post.args]
        return True if True in found else None if None in found else False
    if post.op is Reckon.NOT:
        found_one = holds(post.args[0], row)
        return None if found_one is None else not found_one
    left, right = (float(a.value) if a.op is Reckon.NUMBER else row[a.name] for a in post.args)
    if left is None or right is None:
        return None
    return {
        Reckon.LESS: left < right,
        Reckon.AT_MOST: left <= right,
        Reckon.MORE: left > right,
        Reckon.AT_LEAST: left >= right,
        Reckon.EQUAL: left == right,
        Reckon.DIFFERENT: left != right,
    }[post.op]
