"""Draw every state machine of the product into docs/reference/states.md, from its own dicts.

    python docs/draw_states.py           write the page
    python docs/draw_states.py --check   exit 1 when the page is not what the dicts say

A machine is a module with `MOVES` (state → states that may follow) over one StrEnum, `OWNERS` (whose turn it is), and,
where its moves are audit events of their own, `EVENTS` (state → what is recorded on arrival).
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from types import ModuleType

PAGE = Path(__file__).parent / "reference" / "states.md"

MACHINES = {
    "Extract": "enclave.catalogue.states",
    "Reservation": "enclave.budget.standing",
    "Access request": "enclave.access.request",
    "Grant": "enclave.access.grant",
    "Budget increase": "enclave.access.increase",
    "Run": "enclave.run.states",
    "Batch": "enclave.batch.states",
    "Output": "enclave.vet.states",
}
"""What people call it → where it is; in the order of the path of the data."""

HEAD = """# States

Drawn by `docs/draw_states.py` from the code; do not edit. `make check` compares.
"""


def _name(state: StrEnum) -> str:
    """A Mermaid name: letters and underscores."""
    return state.value.replace("-", "_").replace(" ", "_")


def mermaid(moves: Mapping[StrEnum, Collection[StrEnum]]) -> Iterator[str]:
    """The machine as a Mermaid state diagram: its first state is where it begins, a state without a move is an end."""
    states = list(moves)
    yield "stateDiagram-v2"
    yield from (f'    state "{state.value}" as {_name(state)}' for state in states if _name(state) != state.value)
    yield f"    [*] --> {_name(states[0])}"
    for here in states:
        following = [state for state in states if state in moves[here]]
        yield from (f"    {_name(here)} --> {_name(there)}" for there in following)
        if not following:
            yield f"    {_name(here)} --> [*]"


def section(title: str, module: ModuleType) -> Iterator[str]:
    """A heading, the diagram, and a table of owners and events."""
    yield from ("", f"## {title}", "", f"`{module.__name__}`", "", "```mermaid")
    yield from mermaid(module.MOVES)
    yield from ("```", "", "| state | whose turn | recorded on arrival |", "| --- | --- | --- |")
    events = getattr(module, "EVENTS", {})
    for state in module.MOVES:
        event = f"`{events[state]}`" if state in events else "entry of the ledger"
        yield f"| {state.value} | {module.OWNERS[state]} | {event} |"


def page() -> str:
    """The whole page."""
    sections = (line for title, name in MACHINES.items() for line in section(title, import_module(name)))
    return HEAD + "\n".join(sections) + "\n"


def main(arguments: list[str]) -> int:
    if arguments != ["--check"]:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        print(f"{PAGE.name} is not what the code says: run `python docs/draw_states.py`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
