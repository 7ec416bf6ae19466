"""Where is an output on its way, whose turn is it, and which event does each move leave? (design §6)

declared → checked → (in review → consolidated) → released; returned, refused, withdrawn, recalled. In a grade that asks for
one decision, a pass is vote and consolidation in one move.
"""

from __future__ import annotations

from enum import StrEnum

from enclave.audit import declare


class State(StrEnum):
    DECLARED = "declared"
    CHECKED = "checked"
    IN_REVIEW = "in review"
    CONSOLIDATED = "consolidated"
    RELEASED = "released"
    RETURNED = "returned"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    RECALLED = "recalled"


class Owner(StrEnum):
    AUTHOR = "author"
    REVIEWER = "reviewer"
    SYSTEM = "system"
    NOBODY = "nobody"


MOVES: dict[State, frozenset[State]] = {
    State.DECLARED: frozenset({State.CHECKED, State.REFUSED, State.WITHDRAWN}),
    State.CHECKED: frozenset({State.IN_REVIEW, State.CONSOLIDATED, State.RETURNED, State.REFUSED, State.WITHDRAWN}),
    State.IN_REVIEW: frozenset({State.CONSOLIDATED, State.RETURNED, State.REFUSED, State.WITHDRAWN}),
    State.CONSOLIDATED: frozenset({State.RELEASED, State.WITHDRAWN}),
    State.RELEASED: frozenset({State.RECALLED}),
    State.RETURNED: frozenset(),
    State.REFUSED: frozenset(),
    State.WITHDRAWN: frozenset(),
    State.RECALLED: frozenset(),
}

OWNERS: dict[State, Owner] = {
    State.DECLARED: Owner.SYSTEM,
    State.CHECKED: Owner.REVIEWER,
    State.IN_REVIEW: Owner.REVIEWER,
    State.CONSOLIDATED: Owner.SYSTEM,
    State.RELEASED: Owner.REVIEWER,
    State.RETURNED: Owner.AUTHOR,
    State.REFUSED: Owner.NOBODY,
    State.WITHDRAWN: Owner.NOBODY,
    State.RECALLED: Owner.NOBODY,
}

EVENTS: dict[State, str] = {
    State.DECLARED: declare("output.declared", "a finished run's output was taken in"),
    State.CHECKED: declare("output.checked", "the disclosure rules were run on an output"),
    State.IN_REVIEW: declare("output.review.opened", "an output was put before reviewers"),
    State.CONSOLIDATED: declare("output.passed", "a person decided that an output may leave"),
    State.RELEASED: declare("output.released", "an output left in a release"),
    State.RETURNED: declare("output.returned", "a person returned an output to its author, with a reason"),
    State.REFUSED: declare("output.refused", "an output was refused, by a person or because it is no output"),
    State.WITHDRAWN: declare("output.withdrawn", "its author withdrew an output"),
    State.RECALLED: declare("output.recalled", "a released output was recalled"),
}
