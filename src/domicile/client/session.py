"""Which enclave does this person talk to, and with which token?

Kept in one file of mode 0600 under the user's configuration folder; a file others can read is refused. Plain http is
refused except to this very machine.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from domicile.client.problem import refusal

PROJECT = "DOMICILE_PROJECT"
"""The environment's word for the project that asks and pays, where nobody says another."""


@dataclass(frozen=True)
class Session:
    """Address and token of an enclave, and the public key its receipts are checked under."""

    url: str
    token: str = field(repr=False)
    public_key: str | None = None


def config_file() -> Path:
    """Where the login is kept: `DOMICILE_CONFIG`, else the user's configuration folder."""
    named = os.environ.get("DOMICILE_CONFIG")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CONFIG_HOME") or os.environ.get("APPDATA")
    return (Path(base) if base else Path.home() / ".config") / "domicile" / "login.json"


def checked_url(url: str) -> str:
    """`url` without its trailing slash; refused unless https, or http to loopback."""
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as broken:
        raise refusal("bad_address") from broken
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or parts.username:
        raise refusal("bad_address")
    if parts.scheme == "http" and not _is_loopback(host):
        raise refusal("plain_http")
    return url.strip().rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def login(url: str, token: str, public_key: str | None = None) -> Session:
    """Remember an enclave; the file is 0600 from its first byte."""
    session = Session(checked_url(url), token.strip(), public_key)
    path = config_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        draft.unlink()
    text = json.dumps({"url": session.url, "token": session.token, "public_key": public_key})
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
    return session


def load() -> Session:
    """The remembered enclave."""
    path = config_file()
    try:
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise refusal("config_open", place=str(path))
        kept = json.loads(path.read_text())
        return Session(checked_url(kept["url"]), str(kept["token"]), kept.get("public_key"))
    except FileNotFoundError as missing:
        raise refusal("not_logged_in") from missing
    except (ValueError, KeyError, TypeError, AttributeError) as broken:
        raise refusal("config_broken", place=str(path)) from broken
