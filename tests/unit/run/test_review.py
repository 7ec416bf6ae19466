"""Who reads code before it runs, and what follows: every state and every role, and the life of a pass."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Cast

from enclave import audit
from enclave.access import AccessPolicy
from enclave.errors import BadInput, EnclaveError, Refused
from enclave.people import Permissions
from enclave.run import Job, Limits, RunState, SandboxFiles, Submission
from enclave.run import job as jobs
from enclave.run import lease as leases
from enclave.run import review as reviewing
from enclave.run.code import Code, digest_of
from enclave.run.follow import follow
from enclave.run.notebook import Source
from enclave.run.review import LEADS_TO, Verdict, decide, decisions, look, waiting
from enclave.run.states import EVENTS, MOVES
from enclave.store import Keyring, Place
from enclave.store.database import connect

POLICIES = Path(__file__).parents[3] / "policies"
LIMITS = Limits.default(SandboxFiles.find())


@dataclass
class Reading:
    """A house with a project of `researcher`, in which `everything` (a steward too) works with them."""

    cast: Cast
    project: str
    count: int = 0

    def submit(self, *sources: str, **more: Any) -> Job:
        """Hand in a notebook; without sources, one nobody has seen."""
        self.count += 1
        cells = [{"cell_type": "code", "source": source} for source in sources or (f"x = {self.count}",)]
        metadata = more.pop("metadata", {})
        book = json.dumps({"nbformat": 4, "metadata": metadata, "cells": cells}).encode()
        given: dict[str, Any] = {"review_policy": "f" * 64, "name": "los.ipynb", **more}
        project, member = given.pop("project", self.project), given.pop("member", "researcher")
        return jobs.submit(self.cast.db, Submission(project, "grt", member, "hospital", 1, book, **given), LIMITS)

    def decide(self, who: str, run: str, verdict: Verdict = "pass", reason: str = "read it") -> Job:
        cast = self.cast
        return decide(cast.db, cast.permissions, cast.member(who), run, verdict, reason, LIMITS)

    def following(self, other: Job) -> Job:
        db = self.cast.db
        given = Submission(self.project, "grt", "researcher", "hospital", 1, other.notebook)
        one = jobs.checked(db, given, LIMITS)
        with audit.record(db, one.event()) as tx:
            jobs.enter(tx, one, [other.run])
        return jobs.find(db, one.run)

    def skipped(self) -> Job:
        first = self.submit(review_policy="")
        one = self.following(first)
        jobs.cancel(self.cast.db, "researcher", first.run)
        follow(self.cast.db, "w")
        return jobs.find(self.cast.db, one.run)

    def leased(self) -> Job:
        self.submit(review_policy="", priority=9)
        job = leases.lease_next(self.cast.db, "w1", 60)
        assert job is not None
        return job


@pytest.fixture(scope="module")
def house(peopled_home: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    template, tokens = peopled_home
    place = Place(shutil.copytree(template, tmp_path_factory.mktemp("reading") / "home"))
    db = connect(place.state)
    cast = Cast(place, Keyring(place), db, Permissions.load(POLICIES), AccessPolicy.load(POLICIES), dict(tokens))
    yield Reading(cast, cast.project(cast.granted(people=("researcher2", "everything"))))
    db.dispose()


REACHED: dict[RunState, Callable[[Reading], Job]] = {
    RunState.SUBMITTED: lambda h: h.submit(),
    RunState.WAITING: lambda h: h.following(h.submit(review_policy="")),
    RunState.QUEUED: lambda h: h.submit(review_policy=""),
    RunState.RUNNING: lambda h: h.leased(),
    RunState.FINISHED: lambda h: leases.finish(h.cast.db, h.leased(), RunState.FINISHED),
    RunState.FAILED: lambda h: leases.finish(h.cast.db, h.leased(), RunState.FAILED),
    RunState.KILLED: lambda h: leases.finish(h.cast.db, h.leased(), RunState.KILLED),
    RunState.CANCELLED: lambda h: jobs.cancel(h.cast.db, "researcher", h.submit().run),
    RunState.REFUSED: lambda h: h.decide("checker", h.submit().run, "refuse"),
    RunState.SKIPPED: lambda h: h.skipped(),
}
PEOPLE = {
    "steward": True,
    "checker": True,
    "both": True,
    "officer": False,
    "auditor": False,
    "operator": False,
    "researcher": False,  # their own
    "researcher2": False,  # of the project
    "everything": False,  # a steward, but of the project
}
"""Login name → may they decide on code of this project?"""


@pytest.mark.parametrize("verdict", LEADS_TO)
@pytest.mark.parametrize("state", [s for s in MOVES if s in REACHED], ids=str)
def test_every_state_and_every_person(house: Reading, state: RunState, verdict: Verdict) -> None:
    for who, may in PEOPLE.items():
        job = REACHED[state](house)
        before = audit.search(house.cast.db, limit=10_000)
        if may and state is RunState.SUBMITTED:
            assert house.decide(who, job.run, verdict).state is LEADS_TO[verdict]
            kinds = [e["kind"] for e in audit.search(house.cast.db, limit=10_000)[len(before) :]]
            assert kinds == [reviewing.KINDS[verdict], EVENTS[LEADS_TO[verdict]]]
            continue
        with pytest.raises(Refused):
            house.decide(who, job.run, verdict)
        assert jobs.find(house.cast.db, job.run) == job
        kinds = [e["kind"] for e in audit.search(house.cast.db, limit=10_000)[len(before) :]]
        assert kinds == ["access.refused"]


def test_every_state_of_the_table_is_tried() -> None:
    assert set(REACHED) == set(MOVES)


DECLARED = {"domicile": {"parameters": {"age": {"type": "int", "default": 60}}}}


def test_the_same_code_passes_with_any_declared_value_and_anything_changed_asks_again(house: Reading) -> None:
    first = house.submit("x = age", metadata=DECLARED, parameters={"age": 1})
    assert first.state is RunState.SUBMITTED
    house.decide("checker", first.run)
    again = house.submit("x = age", metadata=DECLARED, parameters={"age": 99})
    assert (again.state, again.code) == (RunState.QUEUED, first.code)
    by_another = house.submit("x = age", metadata=DECLARED, member="researcher2")
    assert by_another.state is RunState.QUEUED
    wider = {"domicile": {"parameters": {"age": {"type": "int", "default": 61}}}}
    for changed in (
        house.submit("x = age ", metadata=DECLARED),
        house.submit("x = age", "", metadata=DECLARED),
        house.submit("x = age", metadata=wider),
        house.submit("x = age"),
    ):
        assert changed.state is RunState.SUBMITTED and changed.code != first.code


def test_what_does_not_go_in_does_not_count() -> None:
    cell = {"cell_type": "code", "source": ["a\n", "b"], "metadata": {"tags": ["x"]}}
    noisy = {**cell, "source": "a\nb", "id": "z", "outputs": [{"output_type": "stream"}], "execution_count": 4}
    noisy["metadata"] = {"tags": ["x"], "collapsed": True}
    one, two = ({"nbformat": 4, "cells": [c], "metadata": {"title": t}} for c, t in ((cell, "a"), (noisy, "b")))
    digests = {digest_of(Source.read(json.dumps(book).encode(), LIMITS)) for book in (one, two)}
    assert len(digests) == 1


def test_a_pass_moves_every_waiting_run_of_that_code_and_no_other(house: Reading) -> None:
    grid = [house.submit("grid = n", metadata=DECLARED, parameters={"age": n}) for n in range(3)]
    other = house.submit()
    house.decide("steward", grid[1].run)
    states = [jobs.find(house.cast.db, job.run).state for job in (*grid, other)]
    assert states == [RunState.QUEUED] * 3 + [RunState.SUBMITTED]
    assert house.cast.events(EVENTS[RunState.QUEUED])[-1]["detail"]["read_in"] == grid[1].run


def test_a_refusal_ends_them_with_its_reason_and_asks_again_next_time(house: Reading) -> None:
    two = [house.submit("y = 2") for _ in range(2)]
    with pytest.raises(BadInput):
        house.decide("checker", two[0].run, "refuse", " ")
    house.decide("checker", two[0].run, "refuse", "says nothing")
    ended = [jobs.find(house.cast.db, job.run) for job in two]
    assert {(job.state, job.why) for job in ended} == {(RunState.REFUSED, "run.code_refused")}
    assert decisions(house.cast.db, house.project, "hospital", two[1].code)[0].reason == "says nothing"
    assert house.submit("y = 2").state is RunState.SUBMITTED


def test_flagged_code_is_passed_with_a_reason_only(house: Reading) -> None:
    job = house.submit("import subprocess")
    with pytest.raises(BadInput) as refused:
        house.decide("checker", job.run, "pass", "")
    assert refused.value.code == "run.review_reason_missing"
    assert house.decide("checker", job.run, "pass", "it is caught").state is RunState.QUEUED
    assert house.decide("checker", house.submit().run, "pass", "").state is RunState.QUEUED, "the control"


def test_the_reviewer_sees_what_changed_since_the_last_pass_of_that_notebook(house: Reading) -> None:
    cast, who = house.cast, house.cast.member("checker")
    first = house.submit("a = 1\nb = 2", name="diff.ipynb")
    seen = look(cast.db, cast.permissions, who, first.run, LIMITS)
    assert seen.against is None or seen.against.name != "diff.ipynb"
    house.decide("checker", first.run)
    house.decide("checker", house.submit("z = 1", name="other.ipynb").run)
    changed = house.submit("a = 1\nb = 3\nimport socket", name="diff.ipynb")
    seen = look(cast.db, cast.permissions, who, changed.run, LIMITS)
    assert seen.against is not None and seen.against.run == first.run
    lines = seen.diff.split("\n")
    assert {"-    b = 2", "+    b = 3", "     a = 1"} <= set(lines)
    assert [(f.rule, f.place) for f in seen.findings] == [("code_network", "cell 0, line 3")]
    assert "import socket" in seen.code.text


def test_only_who_may_decide_sees_the_code(house: Reading) -> None:
    cast, job = house.cast, house.submit()
    for who, may in PEOPLE.items():
        member = cast.member(who)
        assert (job.run in {w.run for w in waiting(cast.db, cast.permissions, member)}) == may
        if not may:
            with pytest.raises(EnclaveError):
                look(cast.db, cast.permissions, member, job.run, LIMITS)


def test_texts_too_long_to_compare_are_read_whole(house: Reading) -> None:
    first = house.submit("\n" * 6000, name="long.ipynb")
    house.decide("checker", first.run)
    changed = house.submit("\n" * 6001, name="long.ipynb")
    seen = look(house.cast.db, house.cast.permissions, house.cast.member("checker"), changed.run, LIMITS)
    assert seen.diff == "" and seen.code.text.count("\n") > 6000


def _dies_while_passing(home: Path, token: str, run: str) -> None:
    from enclave import people

    place = Place(home)
    db = connect(place.state)
    member = people.authenticate(db, Keyring(place), token)
    reviewing._move_all = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    decide(db, Permissions.load(POLICIES), member, run, "pass", "read it", LIMITS)


def test_a_reviewer_killed_in_the_middle_of_a_pass_loses_and_leaves_nothing(house: Reading) -> None:
    cast, job = house.cast, house.submit()
    before = len(audit.search(cast.db, limit=10_000))
    fresh = multiprocessing.get_context("spawn")
    child = fresh.Process(target=_dies_while_passing, args=(cast.place.home, cast.tokens["checker"], job.run))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert jobs.find(cast.db, job.run) == job and decisions(cast.db, house.project, "hospital", job.code) == ()
    assert len(audit.search(cast.db, limit=10_000)) == before
    audit.verify_events(cast.db)
    assert house.decide("checker", job.run).state is RunState.QUEUED


def test_code_is_read_as_it_runs() -> None:
    tricky = "x = 1  # \u202e\u2066 admin \u2069\x1b[2Jrm"
    text = Code.of(
        Source.read(json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": tricky}]}).encode(), LIMITS)
    ).text
    assert not set(text) & set("\u202e\u2066\u2069\x1b") and "\\u{202e}" in text and "\\u{1b}" in text
