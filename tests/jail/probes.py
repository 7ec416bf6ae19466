"""The probes of `sandbox/`, as they are defined: not run, only read."""

from __future__ import annotations

import importlib

from sandbox.canary import PROBES

from enclave.run.sandbox import PROBE_FILES
from enclave.run.selfcheck import BY_DESIGN

for subject in PROBE_FILES:
    importlib.import_module(f"sandbox.probes.{subject}")


def controlled(who: str) -> list[str]:
    """Those that work for `who` outside, in order."""
    return [name for name, probe in PROBES.items() if probe.control == who]


def unexpected(found: dict[str, str]) -> list[str]:
    """Probes that did not come out as they must behind the wall."""
    return [
        f"{name}: {what}"
        for name, what in found.items()
        if not (what == BY_DESIGN if PROBES[name].open_because else what.startswith("held"))
    ]


__all__ = ["PROBES", "controlled", "unexpected"]
