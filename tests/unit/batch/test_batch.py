"""A plan is handed in whole or not at all, once, and only when it can be paid for."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Cast

from domicile.wire.shapes import BatchCard, BatchForm
from enclave import audit
from enclave.access import find_grant
from enclave.batch import BatchState, Price, batch, cancel, card, find, listing, prepared, price, submit
from enclave.batch.batch import Batch, For
from enclave.batch.states import EVENTS, MOVES, check_move
from enclave.budget import NOTHING, Amount, Ledger, project, pure
from enclave.errors import BadInput, Refused, Tampered
from enclave.query import rho_for
from enclave.run import Limits, RunState, SandboxFiles, finish, lease_next
from enclave.run import job as jobs
from enclave.run.follow import follow
from enclave.run.review import decide
from enclave.store import Place
from enclave.store.database import connect

LIMITS = Limits.default(SandboxFiles.find())
DECLARED = {"domicile": {"parameters": {"age": {"type": "int", "default": 60}}}}
BOOK = json.dumps({"nbformat": 4, "metadata": DECLARED, "cells": [{"cell_type": "code", "source": "age"}]})


def form_of(project: str, name: str = "plan", epsilon: str = "0.1", **more: Any) -> BatchForm:
    runs = [
        {"name": "all", "notebook": "a.ipynb", "epsilon": [epsilon]},
        {
            "name": "by age",
            "notebook": "a.ipynb",
            "after": ["all"],
            "grid": {"age": [1, 2, 3]},
            "epsilon": [epsilon, "0.2"],
        },
        {"name": "last", "notebook": "a.ipynb", "after": ["by age"], "epsilon": []},
    ]
    head = {"name": name, "project": project, "dataset": "hospital", "notebooks": {"a.ipynb": BOOK}}
    return BatchForm.model_validate({**head, "runs": runs, **more})


class Planning:
    """A project of `researcher` with ε 3, of which the researcher has 1.5."""

    def __init__(self, cast: Cast, *, pure: bool = False) -> None:
        self.cast, self.dataset = cast, cast.dataset()
        self.project = cast.project(cast.granted(pure=pure))
        with Ledger.of(cast.place):
            pass
        who = cast.member("researcher")
        self.grant = find_grant(cast.db, cast.keyring, cast.permissions, who, self.project)
        self.whom = For(self.grant.id, "researcher", 1, "")

    def priced(self, form: BatchForm) -> Price:
        return price(self.cast.place, self.dataset, self.grant, "researcher", prepared(form, LIMITS))

    def submit(self, form: BatchForm | None = None, **whom: Any) -> Batch:
        form = form or form_of(self.project)
        to = For(**{**vars(self.whom), **whom})
        return submit(self.cast.db, form, prepared(form, LIMITS), self.priced(form), to, LIMITS)

    def card(self, one: Batch) -> BatchCard:
        return card(self.cast.db, one, prepared(one.plan, LIMITS), self.priced(one.plan))

    def runs(self, one: Batch) -> dict[str, jobs.Job]:
        return {job.step: job for job in jobs.listing(self.cast.db, project=self.project) if job.batch == one.batch}


@pytest.fixture
def planning(cast: Cast) -> Planning:
    return Planning(cast)


def test_the_price_is_the_sum_of_what_every_run_declares(planning: Planning) -> None:
    found = planning.priced(form_of(planning.project))
    one, two = Amount(rho_for("0.1", "1e-6")), Amount(rho_for("0.2", "1e-6"))
    assert found.each == {"all": one, **{f"by age[{n}]": one + two for n in (1, 2, 3)}, "last": NOTHING}
    assert found.whole == Amount(4 * one.nano_rho + 3 * two.nano_rho) and not found.refusals
    assert [(a.kind, a.rho_cap, a.rho_spent) for a in found.accounts] == [
        ("project", rho_for("3.0", "1e-6"), 0),
        ("researcher", rho_for("1.5", "1e-6"), 0),
    ]


def test_in_pure_epsilon_it_is_the_sum_of_the_very_epsilons(cast: Cast) -> None:
    planning = Planning(cast, pure=True)
    found = planning.priced(form_of(planning.project))
    assert found.each["all"] == pure(10**8) and found.each["by age[2]"] == pure(3 * 10**8)
    assert (found.whole, found.epsilon, found.refusals) == (pure(10**9), 1.0, ())
    shown = planning.card(planning.submit())
    assert (shown.pure, shown.epsilon, shown.rho) == (True, 1.0, 0)
    assert [step.epsilon for step in shown.steps] == [0.1, 0.3, 0.3, 0.3, 0.0]
    assert all(account.pure for account in shown.accounts)
    jobs_of = planning.runs(find(planning.cast.db, shown.batch))
    assert {(j.rho_cap, j.epsilon_cap) for j in jobs_of.values()} == {(0, 10**8), (0, 3 * 10**8), (0, 0)}
    dearer = planning.priced(form_of(planning.project, epsilon="0.3"))
    assert [r.facts for r in dearer.refusals] == [{"kind": "researcher", "needed": "1.8", "left": "1.5"}]


def test_a_plan_that_cannot_be_paid_for_leaves_nothing(planning: Planning) -> None:
    form = form_of(planning.project, epsilon="1")
    found = planning.priced(form)
    assert [r.facts["kind"] for r in found.refusals] == ["researcher"], (
        "the project could bear it, the researcher cannot"
    )
    before = len(audit.search(planning.cast.db, limit=10_000))
    with pytest.raises(Refused) as refused:
        planning.submit(form)
    assert refused.value.code == "batch.does_not_fit" and refused.value.words("zh")
    assert not listing(planning.cast.db, (planning.project,)) and not jobs.listing(planning.cast.db)
    assert len(audit.search(planning.cast.db, limit=10_000)) == before


def test_a_frozen_account_bears_nothing(planning: Planning) -> None:
    with Ledger.of(planning.cast.place) as ledger:
        ledger.open_account(project(planning.project), Amount(10**12), actor="officer")
        ledger.freeze(project(planning.project), actor="officer", why="test")
    assert [r.code for r in planning.priced(form_of(planning.project)).refusals] == ["batch.frozen"]


def test_its_runs_come_in_whole_with_what_they_follow_and_may_spend(planning: Planning) -> None:
    one = planning.submit()
    runs = planning.runs(one)
    assert {name: job.state for name, job in runs.items()} == {
        "all": RunState.QUEUED, **{f"by age[{n}]": RunState.WAITING for n in (1, 2, 3)}, "last": RunState.WAITING,
    }  # fmt: skip
    assert [runs[f"by age[{n}]"].parameters for n in (1, 2, 3)] == [{"age": n} for n in (1, 2, 3)]
    assert runs["last"].rho_cap == 0 and runs["all"].rho_cap == rho_for("0.1", "1e-6")
    assert find(planning.cast.db, one.batch).state is BatchState.COMPLETE
    shown = planning.card(one)
    assert [s.step for s in shown.steps] == ["all", "by age[1]", "by age[2]", "by age[3]", "last"]
    assert shown.counts == {"queued": 1, "waiting": 4} and not shown.has_ended
    assert all(s.run and s.run == runs[s.step].run for s in shown.steps)


def test_the_same_plan_again_is_the_same_batch_and_runs_nothing(planning: Planning) -> None:
    one = planning.submit()
    again = planning.submit()
    assert again == one and len(jobs.listing(planning.cast.db)) == 5
    assert len(planning.cast.events("batch.submitted")) == 1
    other = planning.submit(form_of(planning.project, name="once more"))
    assert other.batch != one.batch and len(jobs.listing(planning.cast.db)) == 10, "the control"


def test_handed_in_at_once_it_comes_in_once(planning: Planning) -> None:
    form = form_of(planning.project)
    steps, priced = prepared(form, LIMITS), planning.priced(form)
    together, made = threading.Barrier(4), list[str]()

    def hand_in() -> None:
        together.wait()
        made.append(submit(planning.cast.db, form, steps, priced, planning.whom, LIMITS).batch)

    threads = [threading.Thread(target=hand_in) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4 and len(set(made)) == 1 and len(jobs.listing(planning.cast.db)) == 5


def test_a_batch_is_called_off_with_everything_that_has_not_ended(planning: Planning) -> None:
    one = planning.submit()
    first = lease_next(planning.cast.db, "w", 60)
    assert first is not None
    finish(planning.cast.db, first, RunState.FINISHED)
    follow(planning.cast.db, "w")
    running = lease_next(planning.cast.db, "w", 60)
    assert running is not None and running.step == "by age[1]"
    called_off = cancel(planning.cast.db, "researcher", one.batch)
    assert called_off.state is BatchState.CANCELLED
    states = {name: job.state for name, job in planning.runs(one).items()}
    assert states.pop("all") is RunState.FINISHED and set(states.values()) == {RunState.CANCELLED}
    with pytest.raises(Refused):
        cancel(planning.cast.db, "researcher", one.batch)
    with pytest.raises(Refused):
        finish(planning.cast.db, running, RunState.FINISHED)
    audit.verify_events(planning.cast.db)


@pytest.mark.parametrize(("old", "new"), list(itertools.product(BatchState, BatchState)))
def test_only_the_moves_of_the_table_are_allowed(old: BatchState, new: BatchState) -> None:
    assert set(EVENTS) == set(MOVES) == set(BatchState)
    if new in MOVES[old]:
        check_move(old, new)
    else:
        with pytest.raises(Refused):
            check_move(old, new)


def test_a_plan_read_first_waits_as_one_and_is_passed_as_one(planning: Planning) -> None:
    cast, one = planning.cast, planning.submit(review_policy="f" * 64)
    runs = planning.runs(one)
    assert {job.state for job in runs.values()} == {RunState.SUBMITTED}
    decide(cast.db, cast.permissions, cast.member("checker"), runs["last"].run, "pass", "", LIMITS)
    states = {name: job.state for name, job in planning.runs(one).items()}
    assert states.pop("all") is RunState.QUEUED and set(states.values()) == {RunState.WAITING}


def test_a_run_of_it_that_may_not_be_leaves_no_batch(planning: Planning) -> None:
    plain = json.dumps({"nbformat": 4, "cells": []})
    form = form_of(planning.project, notebooks={"a.ipynb": plain})
    with pytest.raises(BadInput) as refused:
        planning.submit(form, review_policy="f" * 64)
    assert refused.value.code == "run.parameters_undeclared"
    assert not listing(planning.cast.db, (planning.project,)) and not jobs.listing(planning.cast.db)


@pytest.mark.parametrize("text", ["{", "[]", '{"nbformat": 3, "cells": []}'])
def test_a_notebook_that_is_none_is_refused_by_name(planning: Planning, text: str) -> None:
    with pytest.raises(BadInput):
        prepared(form_of(planning.project, notebooks={"a.ipynb": text}), LIMITS)


def test_a_stored_plan_that_was_altered_is_told(planning: Planning) -> None:
    one = planning.submit()
    assert one.plan == form_of(planning.project), "the control"
    with pytest.raises(Tampered):
        _ = replace(one, form=one.form.replace("0.1", "9.9")).plan


def _dies_while_submitting(home: Path, body: str, whom: For, priced: Price) -> None:
    db, form = connect(Place(home).state), BatchForm.model_validate_json(body)
    batch.move = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    submit(db, form, prepared(form, LIMITS), priced, whom, LIMITS)


def test_a_process_killed_while_a_plan_comes_in_leaves_all_or_nothing(planning: Planning) -> None:
    cast, form = planning.cast, form_of(planning.project)
    fresh = multiprocessing.get_context("spawn")
    arguments = (cast.place.home, form.model_dump_json(), planning.whom, planning.priced(form))
    child = fresh.Process(target=_dies_while_submitting, args=arguments)
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert not listing(cast.db, (planning.project,)) and not jobs.listing(cast.db)
    audit.verify_events(cast.db)
    planning.submit()
    assert len(jobs.listing(cast.db)) == 5
