"""How much may a run use?

The defaults and their reasons are in `sandbox/wall.toml`; an institution changes them in its settings.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from enclave.errors import BadInput
from enclave.run.sandbox import SandboxFiles

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Every cap of a run; names and reasons as in `sandbox/wall.toml`."""

    seconds: int
    cpu_seconds: int
    first_ms: int
    memory_mib: int
    jail_mib: int
    processes: int
    files: int
    file_mib: int
    tmp_mib: int
    home_mib: int
    shm_mib: int
    inodes: int
    shm_inodes: int
    notebook_mib: int
    cells: int
    printed_kib: int
    printed_lines: int
    outputs: int
    output_mib: int
    result_mib: int

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise BadInput("run.limit_not_positive", name=field.name, found=value)

    @classmethod
    def default(cls, sandbox: SandboxFiles, **changed: int) -> Limits:
        """Those of the sandbox, with what the institution changed."""
        values = {limit["name"]: limit["value"] for limit in sandbox.wall["limit"]}
        for name in changed:
            if name not in values:
                raise BadInput("run.limit_unknown", name=name, known=", ".join(sorted(values)))
        return cls(**{**values, **changed})
