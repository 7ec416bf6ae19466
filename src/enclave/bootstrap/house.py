"""What does every process of a home open first?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from enclave.bootstrap.birth import Mark, mark_of
from enclave.people import Permissions
from enclave.run import Limits, SandboxFiles
from enclave.settings import Settings
from enclave.store import Keyring, Place, open_state


@dataclass(frozen=True)
class House:
    """One opened home: its settings, state database, keys, permissions and birth mark."""

    settings: Settings
    db: Engine
    keyring: Keyring
    permissions: Permissions
    mark: Mark

    @property
    def place(self) -> Place:
        return self.settings.place

    @property
    def limits(self) -> Limits:
        """How large a notebook may be here, and how much a run may take."""
        return Limits.default(SandboxFiles.find(), seconds=self.settings.run_seconds)

    @contextmanager
    def closing(self) -> Iterator[House]:
        """This house until the block ends; its database connections are given back then."""
        try:
            yield self
        finally:
            self.db.dispose()


def open_house(settings: Settings) -> House:
    """Open a home; Tampered when its mark was altered."""
    keyring = Keyring(settings.place)
    mark = mark_of(settings.place, keyring)
    return House(settings, open_state(settings.place), keyring, Permissions.load(settings.place.policies), mark)
