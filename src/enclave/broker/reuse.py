"""What does this project hold of this question already, and what is therefore still due?

The very bytes it paid for, or sharper ones, are free. A coarser answer of the same topic is added to, at the difference
(see `enclave.query.topup`). Only what this project paid for counts: another's answer changes neither price nor reply.
"""

from __future__ import annotations

from dataclasses import dataclass

from enclave.broker.stored import unpack
from enclave.budget import StoredAnswer, held_answers
from enclave.query import Draw, Held, Priced, covers, epsilon_of, topic, wanting
from enclave.store import Place


@dataclass(frozen=True)
class Holding:
    """What a project holds of a question: a stored answer that serves as it is, or one that may be added to, or nothing."""

    free: StoredAnswer | None = None
    base: Held | None = None
    draws: tuple[Draw, ...] = ()
    """What must be drawn in addition to `base`."""

    def due(self, priced: Priced) -> int:
        """What asking now costs, in nano-rho."""
        if self.free is not None:
            return 0
        return sum(draw.rho for draw in self.draws) if self.base is not None else priced.rho

    def costs(self, priced: Priced) -> dict[str, bool | int | float]:
        """What a quote says of it."""
        due = self.due(priced)
        epsilon = epsilon_of(due, priced.dataset.delta)
        return {"reused": self.free is not None, "rho_due": due, "epsilon_due": epsilon}


def holding(place: Place, priced: Priced, project: str) -> Holding:
    """What `project` holds of `priced`. The sharpest base is the cheapest."""
    same, about = held_answers(place, priced.answer_key, topic(priced), project=project)
    if same is not None:
        return Holding(free=same)
    found = [(unpack(stored.answer)[1], stored) for stored in about]
    held = sorted(((held, stored) for held, stored in found if held is not None), key=lambda one: one[0].rho)
    for base, stored in reversed(held):
        if covers(base, priced):
            return Holding(free=stored)
        draws = wanting(base, priced)
        if draws is not None and sum(draw.rho for draw in draws) < priced.rho:
            return Holding(base=base, draws=draws)
    return Holding()
