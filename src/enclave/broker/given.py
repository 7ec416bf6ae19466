"""Which answers was a run given, and what did it spend?

Answers: from the events of its questions, so that reused ones count too. Spending: from the ledger, so that a charge whose
question a crash ended counts too.
"""

from __future__ import annotations

import json
from collections.abc import Collection

from sqlalchemy import Engine, select

from enclave.audit.tables import events
from enclave.broker.session import ASKED
from enclave.budget import NOTHING, AccountKind, Amount, charges
from enclave.store import Place, reading


def answers_given(db: Engine, run: str) -> tuple[str, ...]:
    """Ids of all answers given to `run`, in the order they were, without repeats."""
    query = select(events.c.detail).where(events.c.kind == ASKED, events.c.subject == run).order_by(events.c.seq)
    with reading(db) as connection:
        details = [json.loads(detail) for detail in connection.execute(query).scalars()]
    return tuple(dict.fromkeys(detail["answer"] for detail in details))


def known_among(db: Engine, run: str, answers: Collection[str]) -> set[str]:
    """Those of `answers` that were given to `run`."""
    return set(answers) & set(answers_given(db, run))


def spent_by(db: Engine, place: Place, run: str) -> tuple[Amount, str]:
    """What `run` newly spent, and the ledger head of its last answer ("" when it asked nothing)."""
    query = select(events.c.detail).where(events.c.kind == ASKED, events.c.subject == run).order_by(events.c.seq)
    with reading(db) as connection:
        details = [json.loads(detail) for detail in connection.execute(query).scalars()]
    shares = [share for charge in charges(place, "run", run) for share in charge.shares]
    spent = sum((s.amount for s in shares if s.account.kind is AccountKind.PROJECT), NOTHING)
    return spent, str(details[-1]["ledger_head"]) if details else ""
