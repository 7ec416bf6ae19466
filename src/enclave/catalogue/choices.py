"""Who said no, since when, and which versions may therefore be granted to nobody new?

Choices are kept by register, as pseudonyms under its key. `record` takes a list in: the choices, the bar on every version
that stands of the register's datasets, and of those whose tables draw on it, and their events are one transaction. Whether
a person is in a dataset is not asked: a bar tells nothing of who is. It falls when a build under the choices of today gives
a version, new or the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import Connection, Engine, Select, delete, insert, select

from enclave import audit
from enclave.audit.event import Transaction, now
from enclave.catalogue.dictionary import from_json
from enclave.catalogue.states import State
from enclave.catalogue.tables import bars, choices, extracts
from enclave.errors import Refused
from enclave.intake.choices import Choices, Elsewhere, digest_of, drawn_on
from enclave.intake.package import Descriptor
from enclave.store import Keyring, reading

_AT_ONCE = 10_000


class Act(StrEnum):
    """What a list of persons says."""

    REFUSE = "refuse"  # they are in no build from now on
    LIFT = "lift"  # they take their refusal back
    CONSENT = "consent"  # they may be in builds that need consent
    WITHDRAW = "withdraw"  # they take their consent back


EVENTS = {
    Act.REFUSE: audit.declare("choices.refused", "persons opted out; no build holds them from now on"),
    Act.LIFT: audit.declare("choices.lifted", "persons took their opting out back"),
    Act.CONSENT: audit.declare("choices.consented", "persons consented"),
    Act.WITHDRAW: audit.declare("choices.withdrawn", "persons took their consent back"),
}
BARRED = audit.declare("extract.barred", "a version may be granted to nobody new: persons opted out since it was built")
CLEARED = audit.declare("extract.cleared", "a version was built again under today's choices and may be granted again")
_KIND = {Act.REFUSE: "refused", Act.LIFT: "refused", Act.CONSENT: "consented", Act.WITHDRAW: "consented"}
_BARS = (Act.REFUSE, Act.WITHDRAW)


@dataclass(frozen=True)
class Recorded:
    """What changed: how many choices (for the steward alone), and which versions are barred now."""

    changed: int
    barred: tuple[tuple[str, int], ...]


def record(db: Engine, actor: str, d: Descriptor, act: Act, persons: frozenset[int]) -> Recorded:
    """Take a list of persons of the descriptor's register in. The event tells of the list its digest alone."""
    kind = _KIND[act]
    facts = {"register": d.register_, "list": digest_of(sorted(persons))}
    with audit.record(db, audit.Event(EVENTS[act], actor, f"register {d.register_}", facts)) as tx:
        had = frozenset(tx.execute(_wanted(d, kind)).scalars())
        changed = persons - had if act in (Act.REFUSE, Act.CONSENT) else persons & had
        _put(tx, d, kind, changed) if act in (Act.REFUSE, Act.CONSENT) else _take(tx, d, kind, changed)
        barred = tuple(_bar(tx, actor, d.register_, act)) if changed and act in _BARS else ()
    return Recorded(len(changed), barred)


def of(db: Engine, keyring: Keyring, d: Descriptor) -> Choices:
    """The choices of today in the descriptor's register, and the refusals in those that its tables draw on."""
    with reading(db) as connection:
        found = _of(connection, d)
    keyed = (replace(other, key=keyring.pseudonym_key(other.register)) for other in found.elsewhere)
    return replace(found, elsewhere=tuple(keyed))


def _of(source: Connection | Transaction, d: Descriptor) -> Choices:
    refused, consented = (frozenset(source.execute(_wanted(d, kind)).scalars()) for kind in ("refused", "consented"))
    return Choices(refused, consented, tuple(_elsewhere(source, d)))


def _elsewhere(source: Connection | Transaction, d: Descriptor) -> Iterator[Elsewhere]:
    """By register and domain, in order; without keys."""
    mine = choices.c.register.in_(drawn_on(d)) & (choices.c.kind == "refused")
    rows = source.execute(select(choices.c.register, choices.c.domain, choices.c.person).where(mine)).all()
    for register, domain in sorted({(row.register, row.domain) for row in rows}):
        persons = frozenset(row.person for row in rows if (row.register, row.domain) == (register, domain))
        yield Elsewhere(register, domain, persons)


def check_current(tx: Transaction, d: Descriptor, used: Choices) -> None:
    """Refused when somebody chose while the build ran: what it made may hold them."""
    if _of(tx, d) != used:
        raise Refused("choices.changed", dataset=d.name)


def clear(tx: Transaction, actor: str, name: str, version: int) -> None:
    """Lift the bar of a version that a build under today's choices gave again."""
    barred = (bars.c.name == name) & (bars.c.version == version)
    if tx.execute(delete(bars).where(barred)).rowcount:
        tx.also(audit.Event(CLEARED, actor, f"dataset {name}", {"version": version}))


def check_not_barred(source: Connection | Transaction, name: str, version: int | None) -> None:
    """Refused when the version (None: the one that is shelved) may be granted to nobody new."""
    wanted = select(bars.c.version).where(bars.c.name == name)
    if version is None:
        shelved = select(extracts.c.version).where(extracts.c.name == name, extracts.c.state == State.SHELVED)
        wanted = wanted.where(bars.c.version.in_(shelved))
    else:
        wanted = wanted.where(bars.c.version == version)
    found = source.execute(wanted.limit(1)).scalar()
    if found is not None:
        raise Refused("choices.version_barred", place="dataset", dataset=name, version=found)


def check_grantable(db: Engine, name: str, version: int | None) -> None:
    """`check_not_barred` before anything is begun."""
    with reading(db) as connection:
        check_not_barred(connection, name, version)


def _wanted(d: Descriptor, kind: str) -> Select[tuple[int]]:
    mine = (choices.c.register == d.register_, choices.c.domain == d.unit.domain, choices.c.kind == kind)
    return select(choices.c.person).where(*mine)


def _put(tx: Transaction, d: Descriptor, kind: str, persons: frozenset[int]) -> None:
    row = {"register": d.register_, "domain": d.unit.domain, "kind": kind, "since": now()}
    for part in _parts(persons):
        tx.execute(insert(choices), [{**row, "person": person} for person in part])


def _take(tx: Transaction, d: Descriptor, kind: str, persons: frozenset[int]) -> None:
    mine = (choices.c.register == d.register_, choices.c.domain == d.unit.domain, choices.c.kind == kind)
    for part in _parts(persons, 500):
        tx.execute(delete(choices).where(*mine, choices.c.person.in_(part)))


def _parts(persons: frozenset[int], size: int = _AT_ONCE) -> Iterator[list[int]]:
    ordered = sorted(persons)
    return (ordered[n : n + size] for n in range(0, len(ordered), size))


def _bar(tx: Transaction, actor: str, register: str, act: Act) -> Iterator[tuple[str, int]]:
    """Bar every version that stands, uses the register's records and is not barred yet. Consent is asked for by a
    descriptor, of its own register: taking it back touches no other."""
    already = {(row.name, row.version) for row in tx.execute(select(bars.c.name, bars.c.version))}
    standing = select(extracts.c.name, extracts.c.version, extracts.c.dictionary).where(
        extracts.c.state != State.DESTROYED
    )
    for row in tx.execute(standing.order_by(extracts.c.name, extracts.c.version)).all():
        dataset = from_json(row.dictionary)
        used = dataset.registers if act is Act.REFUSE else (dataset.register,)
        if register in used and (row.name, row.version) not in already:
            tx.execute(insert(bars), {"name": row.name, "version": row.version, "since": now()})
            tx.also(audit.Event(BARRED, actor, f"dataset {row.name}", {"version": row.version}))
            yield row.name, row.version
