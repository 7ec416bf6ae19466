"""Does a text show all that it holds, and how is one shown that does not?

Asked of what others wrote: of outputs and plans by the rules, of code before a person reads it, of every word that reaches
a terminal, where a control character is a command.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_HIDDEN: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
_BLANK: Final = re.compile(
    "[\u034f\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Marks and letters that show nothing: what Unicode has the eye ignore (Default_Ignorable_Code_Point) outside the categories
above, and two blanks that no spelling turns into a space. A variation selector is a byte; one stands behind any letter."""


def hides(text: str, allowed: str = "") -> bool:
    """True when `text` has characters that show nothing and can hide a lot: control, format, private, unassigned, blank."""
    if text.isascii() and text.isprintable():
        return False
    if _BLANK.search(text):
        return True
    return any(unicodedata.category(c) in _HIDDEN and c not in allowed for c in text)


def spelled(text: str, allowed: str = "\n\t") -> str:
    """`text` with everything that shows nothing spelled out: `\\u{1b}`."""
    if not hides(text, allowed):
        return text
    return "".join(f"\\u{{{ord(c):x}}}" if hides(c, allowed) else c for c in text)
