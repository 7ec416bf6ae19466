"""What does this project hold of this question already, and what is therefore still due?

The very bytes it paid for, or sharper ones, are free. A coarser answer of the same topic is added to, at the difference
(see `enclave.query.topup`), and keeps the clips it began with. Only what this project paid for counts: another's answer
changes neither price nor reply.
"""

from __future__ import annotations

from dataclasses import dataclass

from domicile.wire.shapes import Quote
from enclave.broker.measure import epsilon
from enclave.broker.stored import body_of as stored_body
from enclave.broker.stored import unpack
from enclave.budget import NOTHING, Amount, Snapshot, StoredAnswer, pure
from enclave.query import Draw, Held, Priced, body_of, covers, serves, topic, under, wanting


@dataclass(frozen=True)
class Holding:
    """What a project holds of a question: a stored answer that serves as it is, or one that may be added to, or nothing."""

    priced: Priced
    """The question, under the clips it is answered with: those of what is held, where that is used."""
    free: StoredAnswer | None = None
    base: Held | None = None
    draws: tuple[Draw, ...] = ()
    """What must be drawn in addition to `base`."""

    @property
    def due(self) -> int:
        """What asking now costs, in nano-rho."""
        if self.free is not None:
            return 0
        return sum(draw.rho for draw in self.draws) if self.base is not None else self.priced.rho

    @property
    def due_delta(self) -> int:
        """What it costs in atto-delta: a draw of unlisted keys is never added to, so all of it or nothing."""
        return 0 if self.free is not None else self.priced.atto_delta

    @property
    def owed(self) -> Amount:
        """What project and researcher pay of it now: pure ε where they are counted so, of which nothing is ever added to."""
        if self.priced.nano_epsilon:
            return NOTHING if self.free is not None else pure(self.priced.nano_epsilon)
        return Amount(self.due, self.due_delta)

    @property
    def epsilon(self) -> float:
        """The same as people read it."""
        return epsilon(self.owed, self.priced.dataset.delta)

    @property
    def quote(self) -> Quote:
        """The quote of the question, with what of its price is due."""
        costs = {"rho_due": self.due, "epsilon_due": self.epsilon}
        return self.priced.quote.model_copy(update={"reused": self.free is not None, **costs})

    @property
    def body(self) -> bytes:
        """The reply that is free."""
        if self.free is None:
            raise ValueError("nothing is free")
        return body_of(self.priced, self.base) if self.base is not None else stored_body(self.free.answer)


def holding(seen: Snapshot, priced: Priced, project: str) -> Holding:
    """What `project` holds of `priced`. The sharpest base is the cheapest."""
    same, about = seen.held_answers(priced.answer_key, topic(priced), project=project)
    if same is not None:
        return Holding(priced, free=same)
    found = [(unpack(stored.answer)[1], stored) for stored in about]
    held = sorted(((held, stored) for held, stored in found if held is not None), key=lambda one: one[0].rho)
    for base, stored in reversed(held):
        mine = under(priced, base)
        if mine is None or not base.fits(mine) or not serves(base, mine, priced):
            continue
        if covers(base, mine):
            return Holding(mine, free=stored, base=base)
        draws = wanting(base, mine)
        if draws is not None and sum(draw.rho for draw in draws) < priced.rho:
            return Holding(mine, base=base, draws=draws)
    return Holding(priced)
