"""What do the rules say of a declared output?

In the dp lane every check is a function of the declared output and the policy (soundness U7, S9): the same rules as on the
laptop, the same patterns once more with Presidio as orchestrator, and whether every named answer was given. A check that
cannot end is a finding that forbids release: unknown fails closed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeAlias

from domicile.rules import Declared, examine_declared, failed, findings_of, passages
from domicile.rules.findings import fail
from domicile.wire.shapes import Finding
from enclave.errors import BadInput
from enclave.vet import scan
from enclave.vet.policy import Rules

KnownAnswers: TypeAlias = Callable[[Collection[str]], Collection[str]]
"""Given ids, those of them that name an answer given to this very run."""


def check_answers(declared: Declared, known_answers: KnownAnswers) -> None:
    """BadInput when the output names an answer that was never given to its run."""
    foreign = set(declared.answers) - set(known_answers(declared.answers)) if declared.answers else set()
    if foreign:
        raise BadInput("vet.answer_unknown", place="answers", count=len(foreign))


def run(declared: Declared, known_answers: KnownAnswers, rules: Rules) -> list[Finding]:
    """Every finding on `declared`, the rules' first, Presidio's beside them."""
    check_answers(declared, known_answers)
    findings = examine_declared(declared, rules.limits)
    if not failed(findings):
        findings += _presidio(declared, rules)
    return list(dict.fromkeys(findings))


def _presidio(declared: Declared, rules: Rules) -> list[Finding]:
    try:
        return [f for p in passages(declared) for f in findings_of(p, scan.hits(p), rules.limits)]
    except Exception:  # noqa: BLE001 - whatever goes wrong in there, an output that was not scanned does not leave
        return [fail("unscanned", "bundle")]
