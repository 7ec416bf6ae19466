"""How is a window written in our own SQL?

Over rows of the person alone, in a total order; what counts rows or adds them up is kept within its clip.
"""

from __future__ import annotations

from enclave.query.term import Window


def over(window: Window, args: list[str]) -> str:
    """`args`: the value, if there is one, the partition beside the person, the order."""
    ordered = len(args) - len(window.directions)
    value, partition = args[: ordered - window.partitioned], args[ordered - window.partitioned : ordered]
    parts = [f"PARTITION BY {', '.join([_root(window.unit), *partition])}"]
    order = [f"{a}{_direction(*d)}" for a, d in zip(args[ordered:], window.directions, strict=True)]
    order += [_root(name) for name in window.tie]
    parts += [f"ORDER BY {', '.join(order)}"] if order else []
    parts += [f"ROWS BETWEEN {_end(window.frame[0])} AND {_end(window.frame[1], last=True)}"] if window.frame else []
    step = [str(window.step)] if window.step is not None else []
    called = ", ".join([*value, *step]) or ("*" if window.verb == "count" else "")
    return _kept(window, f"{window.verb}({called}) OVER ({' '.join(parts)})")


def _kept(window: Window, made: str) -> str:
    if window.clip is None:
        return made
    kept = f"CAST(least(greatest({made}, {window.clip[0]}), {window.clip[1]}) AS BIGINT)"
    return f"CASE WHEN {made} IS NULL THEN NULL ELSE {kept} END" if window.verb == "sum" else kept


def _root(name: str) -> str:
    return f't0."{name}"'


def _direction(descending: bool, missing_first: bool) -> str:
    return f"{' DESC' if descending else ''} NULLS {'FIRST' if missing_first else 'LAST'}"


def _end(at: int | None, *, last: bool = False) -> str:
    if at is None:
        return "UNBOUNDED FOLLOWING" if last else "UNBOUNDED PRECEDING"
    if at == 0:
        return "CURRENT ROW"
    return f"{abs(at)} {'PRECEDING' if at < 0 else 'FOLLOWING'}"
