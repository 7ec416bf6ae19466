"""What does a release prove about itself?

A receipt in canonical JSON (no floats; one spelling) says what left and by which digests, from which data, under which
rules and decisions, at which price; the home signs it (Ed25519). `domicile.verify` checks it without the enclave.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from enclave.audit import canonical
from enclave.release.provenance import Provenance, covers
from enclave.store import Keyring
from enclave.vet import Decision, Rules, Standing

FORMAT: Final = 1


@dataclass(frozen=True)
class Piece:
    """One released output: how it stood, who decided, which files it became."""

    standing: Standing
    decisions: tuple[Decision, ...]
    files: Mapping[str, bytes]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _output(piece: Piece) -> dict[str, Any]:
    verdicts = Counter(finding.verdict for finding in piece.standing.findings)
    return {
        "id": piece.standing.id,
        "kind": piece.standing.kind,
        "title": piece.standing.title,
        "bundle_sha256": piece.standing.sha256,
        "files": {name: sha256(content) for name, content in piece.files.items()},
        "findings": {"review": verdicts["review"], "fail": verdicts["fail"]},
        "rules": {"version": piece.standing.rules_version, "digest": piece.standing.rules_digest},
        "decisions": [{"by": d.member, "verdict": d.verdict, "reason": d.reason, "at": d.at} for d in piece.decisions],
    }


def _plain(value: Any) -> Any:
    """Parameters without floats: those as their shortest decimal text."""
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    return repr(value) if isinstance(value, float) else value


def compose(
    release: str, provenance: Provenance, pieces: Sequence[Piece], others: Mapping[str, bytes], rules: Rules, at: str
) -> dict[str, Any]:
    """The receipt of a release; `others` are its files that belong to no single output."""
    run, budget = provenance.run, provenance.budget
    return {
        "format": FORMAT,
        "release": release,
        "mark": "DEMO" if provenance.dataset.demo else "",
        "demo": provenance.dataset.demo,
        "issued_at": at,
        "run": {
            "id": run.run,
            "by": run.owner,
            "project": run.project,
            "lane": run.lane,
            "notebook": run.notebook_name,
            "notebook_sha256": run.notebook_sha256,
            "parameters": {name: _plain(value) for name, value in run.parameters.items()},
            "environment": run.environment,
        },
        "dataset": asdict(provenance.dataset),
        "budget": {**asdict(budget), "answers": list(budget.answers)},
        "rules": {"version": rules.version, "digest": rules.digest, "thresholds": rules.limits.as_dict()},
        "approvers": sorted({d.member for p in pieces for d in p.decisions if d.verdict == "pass"}),
        "outputs": [_output(piece) for piece in pieces],
        "files": {name: sha256(content) for name, content in others.items()},
        "walls": {"process": provenance.process_wall},
        "covers": covers(provenance),
    }


def signed(receipt: dict[str, Any], keyring: Keyring) -> bytes:
    """The file `receipt.json`: the receipt, and the home's signature over its canonical spelling."""
    signature = keyring.sign(canonical(receipt))
    proof = {"algorithm": "Ed25519", "public_key": signature.public_key, "value": signature.value}
    return json.dumps({"receipt": receipt, "signature": proof}, ensure_ascii=False, indent=1, sort_keys=True).encode()
