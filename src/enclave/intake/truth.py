"""When is a row rule false, as SQL over one raw row?"""

from __future__ import annotations

from collections.abc import Mapping

from enclave.intake.columns import literal
from enclave.intake.rules import Rule
from enclave.intake.treatments import CodeList

_CENT = "0.01"
"""How far a sum of money may be off."""


def true_of(rule: Rule, lists: Mapping[str, CodeList]) -> str:
    """SQL over the row `r` that is false where the row fails; a comparison with nothing is not false."""
    left = f'r."{rule.left}"'
    if rule.operator == "present":
        return f"{left} IS NOT NULL"
    if rule.operator == "in":
        listed = lists[str(rule.right)]
        codes = ", ".join(literal(code) for code in (listed.codes or tuple(listed.rename)))
        return f"coalesce({left} IN ({codes}), true)"
    if isinstance(rule.right, tuple):
        parts = " + ".join(f'coalesce(r."{part}", 0)' for part in rule.right)
        return f"coalesce(abs({left} - ({parts})) <= {_CENT}, true)"
    right = f'r."{rule.right}"' if isinstance(rule.right, str) else f"{rule.right}::DECIMAL(24,6)"
    return f"coalesce({left} {rule.operator} {right}, true)"
