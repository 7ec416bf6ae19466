"""What was this home told about itself? One frozen value, built at the door and passed down.

`settings.toml` in the home gives values, environment variables named in `ENVIRONMENT` win over it, and nothing below this
module sees either. A missing or bad setting names the key, what was found and what was expected.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from enclave.errors import BadInput, NotFound
from enclave.store import Place

ENVIRONMENT = {
    "ENCLAVE_HOST": "host",
    "ENCLAVE_PORT": "port",
    "ENCLAVE_STATE_URL": "state_url",
    "ENCLAVE_WITNESS": "witness_path",
}
"""Environment variable → setting."""


@dataclass(frozen=True)
class Settings:
    """The home's configuration. Times are seconds."""

    home: Path
    host: str = "127.0.0.1"
    port: int = 8311
    state_url: str = ""
    """Empty: SQLite in the home. A PostgreSQL URL moves requests, runs and outputs there."""
    run_seconds: int = 600
    """How long a notebook may run before it and every descendant are killed."""
    lease_seconds: int = 30
    workers: int = 1
    """Worker processes that `enclave up` starts; each runs one notebook at a time."""
    warm_jails: int = 2
    """Jails of each worker that wait, loaded, for their one run; each takes up to 180 MiB. 0: every run starts its own."""
    poll_seconds: float = 0.05
    checkpoint_seconds: int = 60
    witness_path: str = ""
    """Empty: `witness/` in the home. An absolute path on another disk makes a ledger put back there show (design §4)."""

    @property
    def place(self) -> Place:
        return Place(self.home, self.state_url or None, Path(self.witness_path) if self.witness_path else None)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @classmethod
    def load(cls, home: Path, environ: Mapping[str, str]) -> Settings:
        """The settings of an existing home; NotFound when there is none."""
        path = Place(home).settings
        if not path.exists():
            raise NotFound("settings.no_home", home=str(home))
        try:
            given: dict[str, object] = tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as broken:
            raise BadInput("settings.not_toml", place=str(path)) from broken
        given |= {name: environ[variable] for variable, name in ENVIRONMENT.items() if variable in environ}
        if not Path(str(given.get("witness_path") or "/")).is_absolute():
            raise BadInput("settings.bad_value", name="witness_path", expected="an absolute path")
        return cls(home=home, **{name: _cast(name, value) for name, value in given.items()})  # type: ignore[arg-type]  # each is cast to its field's type below


def _cast(name: str, value: object) -> str | int | float:
    kinds = {f.name: f.type for f in fields(Settings) if f.name != "home"}
    if name not in kinds:
        raise BadInput("settings.unknown", name=name, known=", ".join(sorted(kinds)))
    kind = {"str": str, "int": int, "float": float}[str(kinds[name])]
    try:
        cast: str | int | float = kind(str(value))
    except ValueError as bad:
        raise BadInput("settings.bad_value", name=name, expected=kind.__name__) from bad
    return cast
