"""Attack: somebody who can write to the state database edits the dictionary that bounds are proved from (a clip, a key, a
register), so that a question claims a sensitivity it does not have, or spends another population's budget.

Control: the dictionary as it was shelved opens the extract, and is what the question was priced by.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from tests.attacks.asked import Door, numbers
from tests.living import Living

from enclave.catalogue import Shelved, find, open_key, shelve
from enclave.errors import EnclaveError, Tampered


def table(tree: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(t for t in tree["tables"] if t["name"] == name)
    return found


def one_row_each(tree: dict[str, Any]) -> None:
    table(tree, "visits")["key"] = ["patient_id"]


def narrower(tree: dict[str, Any]) -> None:
    next(c for c in table(tree, "visits")["columns"] if c["name"] == "los_days")["upper"] = 1


def another_register(tree: dict[str, Any]) -> None:
    tree["register"] = "nobody"


def finer(tree: dict[str, Any]) -> None:
    next(c for c in table(tree, "visits")["columns"] if c["name"] == "payment")["finer_than"] = ["dept"]


EDITS: dict[str, Callable[[dict[str, Any]], None]] = {
    "one row per person": one_row_each,
    "narrower bounds": narrower,
    "another register": another_register,
    "a column called finer": finer,
}


def edit(door: Door, change: Callable[[dict[str, Any]], None]) -> None:
    with closing(sqlite3.connect(door.living.place.home / "state.db")) as state:
        tree = json.loads(state.execute("SELECT dictionary FROM extracts").fetchone()[0])
        change(tree)
        state.execute("UPDATE extracts SET dictionary = ?", (json.dumps(tree, ensure_ascii=False, sort_keys=True),))
        state.commit()


@pytest.mark.parametrize("change", EDITS.values(), ids=EDITS.keys())
@pytest.mark.parametrize("warm", [False, True], ids=["closed extract", "open extract"])
def test_an_edited_dictionary_gets_no_number(
    door: Door, change: Callable[[dict[str, Any]], None], *, warm: bool
) -> None:
    good = find(door.living.db, "hospital")
    open_key(door.living.place, door.living.keyring, good)  # the control
    if warm:
        assert numbers(door.ask("SELECT COUNT(*) AS n FROM visits", "100"))["n"][0] > 300
    edit(door, change)
    with pytest.raises(Tampered):
        open_key(door.living.place, door.living.keyring, find(door.living.db, "hospital"))
    try:
        told = numbers(door.ask("SELECT COUNT(*) AS m FROM visits", "100"))["m"][0]
    except EnclaveError:
        return  # refused before any charge: good too
    assert abs(told) < 100, "noise around zero, and an incident"


def test_the_next_intake_of_the_same_records_shelves_a_version_that_opens(door: Door, furnished_home: Living) -> None:
    living, source = door.living, furnished_home.place.home.parent / "raw"
    descriptor = living.place.policies / "datasets" / "hospital" / "datapackage.yaml"

    def taken_in() -> Shelved:
        return shelve(living.db, living.place, living.keyring, "steward", descriptor, source, demo_home=True)

    assert taken_in().unchanged, "the control"
    edit(door, one_row_each)
    made = taken_in()
    assert (made.unchanged, made.version) == (False, 2)
    assert numbers(door.ask("SELECT COUNT(*) AS n FROM visits", "100"))["n"][0] > 300
