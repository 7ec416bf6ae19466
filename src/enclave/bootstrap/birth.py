"""How does a home come to be, and what was it born as?

A home is marked DEMO or real at birth, in a file its own key signs; the mark cannot be changed afterwards. The signed
policies it starts with are a copy of the product's `policies/`, the home's own from then on.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import enclave
from enclave import people
from enclave.audit import Event, canonical, declare, record
from enclave.audit.event import now
from enclave.errors import BadInput, Refused, Tampered
from enclave.settings import Settings
from enclave.store import Keyring, Place, Signature, open_ledger, open_state, write_atomically

BORN = declare("home.born", "a home was created with its keys, databases and policies")


@dataclass(frozen=True)
class Mark:
    """What a home was born as."""

    demo: bool
    born: str
    public_key: str


def shipped(folder: str) -> Path:
    """`policies/` or `sandbox/` of this installation: beside `src/` in a checkout, inside the package when installed."""
    package = Path(enclave.__file__).parent
    for candidate in (package.parents[1] / folder, package / "shipped" / folder):
        if candidate.is_dir():
            return candidate
    raise BadInput("home.nothing_shipped", folder=folder)


def create(home: Path, *, demo: bool, port: int | None = None) -> Settings:
    """Make a home that does not exist yet; Refused when one does. An interrupted birth is simply begun again, and a home
    that was born and belongs to nobody yet (killed before its operator was made) is taken as it stands."""
    place = Place(home)
    mark_file = home / "home.json"
    if mark_file.exists():
        if mark_of(place, Keyring(place)).demo == demo and _belongs_to_nobody(place):
            return Settings.load(home, {})
        raise Refused("home.exists", home=str(home))
    place.make()
    keyring = Keyring(place)
    keyring.create()
    shutil.copytree(shipped("policies"), place.policies, dirs_exist_ok=True)
    settings = Settings(home=home) if port is None else Settings(home=home, port=port)
    write_atomically(place.settings, f'host = "{settings.host}"\nport = {settings.port}\n'.encode())
    open_ledger(place).dispose()
    mark = Mark(demo=demo, born=now(), public_key=keyring.public_key)
    state = open_state(place)
    with record(state, Event(BORN, "founder", "home", {"demo": demo, "public_key": mark.public_key})):
        pass
    state.dispose()
    signature = keyring.sign(canonical(asdict(mark)))
    write_atomically(mark_file, json.dumps({"mark": asdict(mark), "signature": asdict(signature)}).encode())
    return settings


def _belongs_to_nobody(place: Place) -> bool:
    state = open_state(place)
    try:
        return not people.listing(state, Keyring(place))
    finally:
        state.dispose()


def mark_of(place: Place, keyring: Keyring) -> Mark:
    """The home's mark; Tampered when its file was altered."""
    try:
        stored = json.loads((place.home / "home.json").read_text())
        mark, signature = Mark(**stored["mark"]), Signature(**stored["signature"])
    except (OSError, ValueError, KeyError, TypeError) as broken:
        raise Tampered("home.mark_broken") from broken
    keyring.verify(canonical(asdict(mark)), signature)
    return mark
