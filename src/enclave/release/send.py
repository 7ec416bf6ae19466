"""How does a release leave, whole or not at all?

 (1) every passed output of the run is read again from its stored bundle and must still be what was vetted
 (2) pictures are drawn, files written, the receipt signed, into a draft folder, durably
 (3) in one transaction: the events, the outputs' move to released, the row of the release – and, as its last word before
     the commit, the draft becomes the release folder

The release's id is a digest of what it holds. A crash before (3) leaves a draft nobody can fetch; a crash inside it leaves a
folder without a row, which the next attempt replaces; after the commit there is nothing left to do.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

from sqlalchemy import Engine, insert

from domicile.rules import Declared
from enclave.audit import Event, canonical, declare, record
from enclave.audit.event import now
from enclave.errors import Refused, Tampered
from enclave.release.draw import draw
from enclave.release.files import files_of
from enclave.release.listing import folder_of, of_run
from enclave.release.notebook import rebuilt
from enclave.release.provenance import Provenance
from enclave.release.receipt import Piece, compose, signed
from enclave.release.specification import specification
from enclave.release.tables import releases
from enclave.store import Keyring, Place, write_atomically
from enclave.vet import Rules, Standing, State, decisions_on, move_all, parse
from enclave.vet import of_run as outputs_of

SENT = declare("release.sent", "the passed outputs of a run left, under a signed receipt")
_STAMP = "DEMO 演示数据"


def release_id(standings: list[Standing]) -> str:
    """The id of a release of exactly these outputs."""
    named = [[standing.id, standing.sha256] for standing in standings]
    return "rel_" + hashlib.sha256(canonical(named)).hexdigest()[:16]


def send(
    db: Engine, place: Place, keyring: Keyring, provenance: Provenance, *, rules: Rules, actor: str = "worker"
) -> Path:
    """Release every passed output of a run; the folder. A run whose passed outputs have all left gives its last folder."""
    run = provenance.run.run
    standings = [s for s in outputs_of(db, run) if s.state is State.CONSOLIDATED]
    if not standings:
        sent = of_run(db, run)
        if sent:
            return folder_of(place, sent[-1].id)
        raise Refused("release.nothing_to_send", run=run)
    release = release_id(standings)
    files = _files(db, keyring, provenance, standings, rules, release)
    receipt = files["receipt.json"]
    row = {
        "id": release, "run": run, "owner": standings[0].owner, "project": standings[0].project,
        "members": json.dumps(standings[0].members), "outputs": json.dumps([s.id for s in standings]),
        "receipt": receipt.decode(), "receipt_sha256": hashlib.sha256(receipt).hexdigest(), "sent_at": now(),
    }  # fmt: skip
    facts = {"run": run, "outputs": [s.id for s in standings], "receipt": row["receipt_sha256"], "rules": rules.digest}
    draft = _drafted(place, release, files)
    try:
        with record(db, Event(SENT, actor, release, facts)) as tx:
            move_all(tx, standings, State.RELEASED, actor, {"release": release})
            tx.execute(insert(releases), row)
            _publish(draft, folder_of(place, release))
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder_of(place, release)


def _files(
    db: Engine, keyring: Keyring, provenance: Provenance, standings: list[Standing], rules: Rules, release: str
) -> dict[str, bytes]:
    declared = [_read(standing, rules) for standing in standings]
    pictures = _pictures(declared, demo=provenance.dataset.demo)
    pieces = [
        Piece(s, tuple(decisions_on(db, s.id)), files_of(d, s.ordinal, pictures.get(place)))
        for place, (s, d) in enumerate(zip(standings, declared, strict=True))
    ]
    others: dict[str, bytes] = {}
    if provenance.run.executed:
        shown = {s.ordinal: (declared[place], pictures.get(place)) for place, s in enumerate(standings)}
        others["notebook.ipynb"] = rebuilt(provenance.run.executed, shown)
    receipt = compose(release, provenance, pieces, others, rules, now())
    files = {name: content for piece in pieces for name, content in piece.files.items()} | others
    return files | {"receipt.json": signed(receipt, keyring)}


def _read(standing: Standing, rules: Rules) -> Declared:
    """What was vetted; Tampered when the stored bundle is another one by now."""
    if hashlib.sha256(standing.bundle.encode()).hexdigest() != standing.sha256:
        raise Tampered("release.bundle_altered", output=standing.id)
    return parse(standing.bundle, rules.limits)


def _pictures(declared: list[Declared], *, demo: bool) -> dict[int, bytes]:
    charts = [place for place, output in enumerate(declared) if output.kind == "chart"]
    drawn = draw([specification(declared[place], stamp=_STAMP if demo else "") for place in charts])
    return dict(zip(charts, drawn, strict=True))


def _drafted(place: Place, release: str, files: dict[str, bytes]) -> Path:
    draft = folder_of(place, f".draft-{release}-{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    for name, content in files.items():
        write_atomically(draft / name, content)
    return draft


def _publish(draft: Path, final: Path) -> None:
    """The draft becomes the release; a folder without a row, left by a crash, gives way."""
    if final.exists():
        shutil.rmtree(final)
    draft.replace(final)
    folder = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
