"""Where are the files that describe the inside of the wall?

They live in `sandbox/`, which no package imports: the runner is started behind the wall, the tables are data. A checkout
has them at its root, an installed wheel beside this module.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from enclave.errors import NotFound

_NEEDED = (
    "requirements.txt",
    "seccomp.toml",
    "syscalls.toml",
    "wall.toml",
    "runner.py",
    "client.py",
    "stage.sh",
    "canary.py",
    "probes.toml",
)
PROBE_FILES = ("files", "places", "network", "processes", "rights", "kernel")


@dataclass(frozen=True)
class SandboxFiles:
    """The folder `sandbox/`, checked to be whole."""

    folder: Path

    def __post_init__(self) -> None:
        for name in _NEEDED:
            if not (self.folder / name).is_file():
                raise NotFound("run.no_sandbox_files", folder=self.folder, name=name)

    @classmethod
    def find(cls) -> SandboxFiles:
        """Those of this checkout, else those that were installed."""
        here = Path(__file__).resolve()
        checkout = here.parents[3] / "sandbox"
        return cls(checkout if checkout.is_dir() else here.parent / "inside")

    def path(self, name: str) -> Path:
        return self.folder / name

    @cached_property
    def canary(self) -> tuple[str, ...]:
        """The programs that try the wall, in order: what a probe is, then the probes by subject."""
        files = ("canary.py", *(f"probes/{name}.py" for name in PROBE_FILES))
        return tuple(self.path(name).read_text() for name in files)

    @cached_property
    def wall(self) -> dict[str, Any]:
        """Mounts, variables and limits, each with its reason."""
        return tomllib.loads(self.path("wall.toml").read_text())

    @cached_property
    def seccomp(self) -> dict[str, Any]:
        """The table of system calls."""
        return tomllib.loads(self.path("seccomp.toml").read_text())

    @cached_property
    def syscalls(self) -> dict[str, dict[str, int]]:
        """Machine → name → number."""
        return tomllib.loads(self.path("syscalls.toml").read_text())
