"""Who stands at the terminal door, and of which home?

Verbs act as the member of `ENCLAVE_TOKEN`, never as whoever has the shell; without a token they are refused.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import typer
from sqlalchemy import Engine

from enclave.bootstrap.birth import Mark, mark_of
from enclave.errors import Refused
from enclave.people import Member, Permissions, authenticate
from enclave.settings import Settings
from enclave.store import Keyring, Place, open_state


@dataclass(frozen=True)
class Door:
    """One home, opened for one command."""

    home: Path

    @cached_property
    def settings(self) -> Settings:
        return Settings.load(self.home, os.environ)

    @property
    def place(self) -> Place:
        return self.settings.place

    @cached_property
    def keyring(self) -> Keyring:
        return Keyring(self.place)

    @cached_property
    def mark(self) -> Mark:
        return mark_of(self.place, self.keyring)

    @cached_property
    def db(self) -> Engine:
        return open_state(self.place)

    @cached_property
    def permissions(self) -> Permissions:
        return Permissions.load(self.place.policies)

    @property
    def token(self) -> str:
        token = os.environ.get("ENCLAVE_TOKEN", "")
        if not token:
            raise Refused("door.no_token")
        return token

    @cached_property
    def member(self) -> Member:
        return authenticate(self.db, self.keyring, self.token)


def at(context: typer.Context) -> Door:
    """The door of the command's home: `--home`, else `ENCLAVE_HOME`, else ~/.domicile/home."""
    door = context.find_object(Door)
    assert door is not None
    return door


def home_from(option: Path | None) -> Path:
    """Where the home is."""
    return (
        (option or Path(os.environ.get("ENCLAVE_HOME") or Path.home() / ".domicile" / "home")).expanduser().absolute()
    )
