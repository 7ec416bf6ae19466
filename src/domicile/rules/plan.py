"""Which runs is a plan made of, and in which order? One function for the laptop and for the enclave.

A grid becomes one run for each combination of its values, numbered in the order they are written; an entry that follows
another follows every run of it. Names are kept free of values, which may be nobody's business. The order is graphlib's.
"""

from __future__ import annotations

import graphlib
import hashlib
import itertools
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from domicile.rules.parameters import Schema, Unfit, fitted
from domicile.wire.hidden import hides
from domicile.wire.shapes import BatchForm, StepForm

MAX_RUNS: Final = 500
MAX_NAME: Final = 48
MAX_QUESTIONS: Final = 200
_EPSILON: Final = re.compile(r"(0|[1-9][0-9]{0,3})(\.[0-9]{1,9})?", re.ASCII)


@dataclass(frozen=True)
class Step:
    """One run of a plan. `after` names the runs it follows; `epsilon` is the ε of each question it may ask."""

    name: str
    notebook: str
    parameters: Mapping[str, Any]
    after: tuple[str, ...]
    epsilon: tuple[str, ...]
    priority: int


def expand(form: BatchForm, schemas: Mapping[str, Schema | None]) -> tuple[Step, ...]:
    """The runs of a plan, each after those it follows; Unfit names the entry that may not be, and why.

    `schemas` is what each notebook of the plan declares.
    """
    entries = _entries(form)
    if sum(_combinations(entry) for entry in form.runs) > MAX_RUNS:
        raise Unfit("plan_large", "run", most=MAX_RUNS)
    runs = {name: tuple(_runs_of(entry, schemas)) for name, entry in entries.items()}
    order = _order(entries)
    return tuple(
        Step(**{**vars(step), "after": tuple(one.name for name in entries[entry].after for one in runs[name])})
        for entry in order
        for step in runs[entry]
    )


def digest_of(form: BatchForm) -> str:
    """SHA-256 (hex) of a plan: the same plan handed in again is told by it."""
    said = form.model_dump(mode="json", exclude_none=True)
    said["notebooks"] = {n: hashlib.sha256(t.encode("utf-8", "replace")).hexdigest() for n, t in form.notebooks.items()}
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _entries(form: BatchForm) -> dict[str, StepForm]:
    found: dict[str, StepForm] = {}
    for entry in form.runs:
        plain = len(entry.name.strip()) > 0 and len(entry.name) <= MAX_NAME and not set(entry.name) & set("[]\"'")
        if not plain or hides(entry.name):
            raise Unfit("plan_name", "run.name", most=MAX_NAME)
        if entry.name in found:
            raise Unfit("plan_twice", entry.name)
        if entry.notebook not in form.notebooks:
            raise Unfit("plan_notebook", f"{entry.name}.notebook")
        if len(entry.epsilon) > MAX_QUESTIONS or not all(_EPSILON.fullmatch(e) for e in entry.epsilon):
            raise Unfit("plan_epsilon", f"{entry.name}.epsilon", most=MAX_QUESTIONS)
        found[entry.name] = entry
    if not found:
        raise Unfit("plan_empty", "run")
    return found


def _combinations(entry: StepForm) -> int:
    for name, values in entry.grid.items():
        if not values or name in entry.parameters:
            raise Unfit("plan_grid", f"{entry.name}.grid")
    return math.prod(len(values) for values in entry.grid.values())


def _runs_of(entry: StepForm, schemas: Mapping[str, Schema | None]) -> list[Step]:
    steps = []
    for number, values in enumerate(itertools.product(*entry.grid.values()), 1):
        given = {**entry.parameters, **dict(zip(entry.grid, values, strict=True))}
        name = f"{entry.name}[{number}]" if entry.grid else entry.name
        try:
            ready = fitted(schemas[entry.notebook], given)
        except Unfit as unfit:
            raise Unfit(unfit.code.removeprefix("rules."), f"{name}.{unfit.place}", **unfit.facts) from unfit
        steps.append(Step(name, entry.notebook, ready, (), entry.epsilon, entry.priority))
    return steps


def _order(entries: Mapping[str, StepForm]) -> list[str]:
    """The entries, each after those it follows; as written where nothing else decides."""
    for name, entry in entries.items():
        for before in entry.after:
            if before not in entries or before == name:
                raise Unfit("plan_after", f"{name}.after")
    sorter = graphlib.TopologicalSorter({name: entry.after for name, entry in entries.items()})
    try:
        sorter.prepare()
    except graphlib.CycleError as cycle:
        raise Unfit("plan_cycle", "run", names=" → ".join(cycle.args[1])) from cycle
    order: list[str] = []
    written = list(entries)
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=written.index)
        order += ready
        sorter.done(*ready)
    return order
