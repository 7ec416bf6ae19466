"""How is JSON from strangers read without it costing more than was agreed?

Size is capped before parsing; brackets and commas are counted first, for an empty list costs twenty times its text in
memory; depth ends in RecursionError and long integers in ValueError inside the parser; NaN and Infinity are refused.
"""

from __future__ import annotations

import json
from typing import Any

MAX_PARTS = 1_000_000


class Malformed(ValueError):
    """Not JSON, or more of it than was agreed."""


def _no_constant(name: str) -> None:
    raise Malformed(f"{name} is no JSON")


def read_json(raw: bytes, max_bytes: int, max_parts: int = MAX_PARTS) -> Any:
    """The value in `raw`; Malformed when it is too large, too deep, too many, or no JSON."""
    if len(raw) > max_bytes:
        raise Malformed("too large")
    if raw.count(b"[") + raw.count(b"{") + raw.count(b",") > max_parts:
        raise Malformed("too many parts")
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as broken:
        raise Malformed("no JSON") from broken
