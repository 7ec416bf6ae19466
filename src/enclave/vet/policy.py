"""Under which figures does the gate decide? `policies/rules.toml` as one frozen value, whose digest every decision names."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

from domicile.rules import VERSION, Thresholds
from enclave.audit import canonical
from enclave.errors import BadInput


@dataclass(frozen=True)
class Rules:
    """The gate's figures, and the version of the rules they feed."""

    limits: Thresholds
    version: int = VERSION

    @property
    def digest(self) -> str:
        return hashlib.sha256(canonical({"version": self.version, "limits": self.limits.as_dict()})).hexdigest()

    @classmethod
    def load(cls, path: Path) -> Rules:
        """The figures in `path`; BadInput names what is wrong with them. A missing file is wrong too."""
        try:
            return cls(Thresholds.of(tomllib.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError) as broken:
            raise BadInput("vet.rules_unreadable", place=path.name, reason=str(broken)) from broken
