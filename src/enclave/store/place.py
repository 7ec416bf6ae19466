"""Where is each thing kept in a home?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """The folders and files of one home (`ENCLAVE_HOME`), all under mode 0700."""

    home: Path
    state_url: str | None = None
    witness_path: Path | None = None
    """Where ledger heads are witnessed when that is another disk than the home's."""

    @property
    def settings(self) -> Path:
        return self.home / "settings.toml"

    @property
    def keys(self) -> Path:
        return self.home / "keys"

    @property
    def state(self) -> str:
        """Database URL of requests, runs, outputs and their events."""
        return self.state_url or f"sqlite:///{self.home / 'state.db'}"

    @property
    def ledger(self) -> Path:
        return self.home / "ledger.db"

    @property
    def extracts(self) -> Path:
        return self.home / "extracts"

    @property
    def certificates(self) -> Path:
        """What proves destructions."""
        return self.home / "certificates"

    @property
    def twins(self) -> Path:
        """Invented rows for rehearsals, made from dictionaries alone: nothing that must survive."""
        return self.home / "twins"

    @property
    def run(self) -> Path:
        """Sockets, pid files, logs: nothing that must survive."""
        return self.home / "run"

    @property
    def policies(self) -> Path:
        """The home's own copy of `policies/`, with its signatures."""
        return self.home / "policies"

    @property
    def witness(self) -> Path:
        """What is remembered of the ledger outside of it: a folder, best on another disk."""
        return self.witness_path or self.home / "witness"

    def make(self) -> None:
        """Create the folders, readable by their owner alone."""
        for folder in (self.home, self.keys, self.extracts, self.run, self.policies, self.witness):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
