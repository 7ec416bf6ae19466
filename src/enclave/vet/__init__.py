"""May this output leave?

A finished run's bundles are read as hostile, judged by the same rules as on the researcher's laptop, and decided by people:
`take_in` → `decide` → (`release.send`).
"""

from enclave.vet.bundle import parse
from enclave.vet.checks import run as run_checks
from enclave.vet.listing import Decision, Standing, decisions_on, find, of_run, ready, waiting
from enclave.vet.look import Looked, look
from enclave.vet.policy import Rules
from enclave.vet.review import Finished, Returned, check_decide, decide, move_all, take_in
from enclave.vet.states import EVENTS, MOVES, OWNERS, State

__all__ = [
    "EVENTS",
    "MOVES",
    "OWNERS",
    "Decision",
    "Finished",
    "Looked",
    "Returned",
    "Rules",
    "Standing",
    "State",
    "check_decide",
    "decide",
    "decisions_on",
    "find",
    "look",
    "move_all",
    "of_run",
    "parse",
    "ready",
    "run_checks",
    "take_in",
    "waiting",
]
