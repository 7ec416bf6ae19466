"""Is anything in this descriptor still a guess?

`enclave draft` marks each of its guesses by a comment. A text that holds one mark is nobody's policy yet: it is neither
signed nor taken. Who has read a guess and stands by it, or has written another, takes its mark out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from enclave.errors import BadInput

MARK = "# SETTLE:"
_MARK = re.compile(rb"#\s*SETTLE\s*:", re.IGNORECASE)


def open_lines(text: bytes) -> Sequence[int]:
    """The lines that hold a mark, from 1."""
    return [n for n, line in enumerate(text.splitlines(), 1) if _MARK.search(line)]


def check_settled(text: bytes) -> None:
    """BadInput, with the first line, when something is still to be settled."""
    if lines := open_lines(text):
        raise BadInput("policy.unsettled", place=f"line {lines[0]}", count=len(lines))
