"""Which values of an unlisted key are told?

Noise is added to the count of persons of every value that is there, and values at the threshold or above are told, in the
order of their text, so that no order of the engine shows. Nothing is said of what stayed below, not even how many. That all
of this is private at the price and the δ of the draw is argued in `docs/privacy/keys.md`.
"""

from __future__ import annotations

from dataclasses import dataclass

from enclave.query import mechanisms
from enclave.query.draw import Draw
from enclave.query.plan import Plan

Group = tuple[str | None, int]
"""A value and its total."""


@dataclass(frozen=True)
class Found:
    """The values that are told, and their noisy counts."""

    values: tuple[str | None, ...]
    noisy: tuple[int, ...]


def told(plan: Plan, groups: list[Group], draw: Draw) -> Found:
    """Noise on every value that is there; the largest counts where more pass than are kept; NULL stands last."""
    present = sorted(groups, key=lambda group: (group[0] is None, group[0] or ""))
    noisy = mechanisms.noisy([total for _, total in present], draw.scale) if present else []
    if draw.threshold is None:
        raise ValueError("a draw of unlisted keys has a threshold")
    passed = [(at, count) for at, count in enumerate(noisy) if count >= draw.threshold.least]
    largest = sorted(passed, key=lambda one: (-one[1], one[0]))[: plan.most_found]
    kept = sorted(at for at, _ in largest)
    return Found(tuple(present[at][0] for at in kept), tuple(noisy[at] for at in kept))
