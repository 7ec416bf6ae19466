"""Attack: run code that nobody has read, where somebody must read it first. Each way with its control."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from domicile.rules.code import MAX_FINDINGS, examine_code
from enclave.errors import BadInput, Refused
from enclave.people import Permissions
from enclave.run import Job, Limits, RunState, SandboxFiles, Submission, lease_next, submit
from enclave.run.code import Code
from enclave.run.notebook import Source
from enclave.run.review import decide

if TYPE_CHECKING:
    from tests.conftest import Cast

LIMITS = Limits.default(SandboxFiles.find())
DECLARED = {"domicile": {"parameters": {"table": {"type": "enum", "values": ["visits", "patients"]}}}}


class Room:
    """A project whose code is read first, and its reviewer."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.project = cast.project(cast.granted(people=("everything",)))

    def submit(self, *sources: str, metadata: Any = None, **more: Any) -> Job:
        cells = [{"cell_type": "code", "source": source} for source in sources]
        book = json.dumps({"nbformat": 4, "metadata": metadata or {}, "cells": cells}).encode()
        given: dict[str, Any] = {"project": self.project, "review_policy": "f" * 64, "dataset": "hospital", **more}
        return submit(
            self.cast.db,
            Submission(grant="grt", member="researcher", dataset_version=1, notebook=book, **given),
            LIMITS,
        )

    def passed(self, job: Job, who: str = "checker") -> Job:
        cast = self.cast
        return decide(cast.db, cast.permissions, cast.member(who), job.run, "pass", "read it", LIMITS)


@pytest.fixture
def room(cast: Cast) -> Room:
    return Room(cast)


def test_a_cell_swapped_after_the_pass_is_read_again(room: Room) -> None:
    room.passed(room.submit("a = 1", "b = 2"))
    assert room.submit("a = 1", "b = 2").state is RunState.QUEUED, "the control"
    for swapped in (
        ("b = 2", "a = 1"),
        ("a = 1\nb = 2",),
        ("a = 1", "b = 2", "c = 3"),
        ("a = 1",),
        ("a = 1", "b = 2\r"),
    ):
        assert room.submit(*swapped).state is RunState.SUBMITTED


def test_a_pass_in_one_project_or_on_one_dataset_opens_no_other(room: Room) -> None:
    room.passed(room.submit("a = 1"))
    assert room.submit("a = 1", dataset="icu").state is RunState.SUBMITTED
    assert room.submit("a = 1", project="prj_other").state is RunState.SUBMITTED


def test_a_parameter_that_nobody_declared_cannot_stand_for_code_that_was_read(room: Room) -> None:
    with pytest.raises(BadInput) as refused:
        room.submit("run(question)", parameters={"question": "SELECT 1"})
    assert refused.value.code == "run.parameters_undeclared"
    assert room.submit("run(question)", parameters={"question": "SELECT 1"}, review_policy="").state is RunState.QUEUED


def test_a_declared_parameter_takes_only_what_the_reviewer_saw(room: Room) -> None:
    room.passed(room.submit("ask(table)", metadata=DECLARED, parameters={"table": "visits"}))
    assert room.submit("ask(table)", metadata=DECLARED, parameters={"table": "patients"}).state is RunState.QUEUED
    with pytest.raises(BadInput):
        room.submit("ask(table)", metadata=DECLARED, parameters={"table": "visits); import os"})


def test_nobody_passes_code_of_their_own_project_with_whatever_roles(room: Room, policy_texts: tuple[str, str]) -> None:
    job = room.submit("a = 1")
    with pytest.raises(Refused) as no:
        room.passed(job, "everything")
    assert no.value.facts["policy"] == "no-one-decides-on-their-own-code"
    assert room.cast.events("access.refused")[-1]["actor"] == "everything"
    cedar, schema = policy_texts
    blocks = [block for block in cedar.split("\n\n") if "\nforbid (" not in block]
    lax = replace(room.cast, permissions=Permissions("\n\n".join(blocks), schema, room.cast.permissions.roles))
    room.cast = lax
    assert room.passed(job, "everything").state is RunState.QUEUED, "the control: it is that rule which stops it"


def test_a_run_is_leased_only_after_the_pass(room: Room) -> None:
    job = room.submit("a = 1")
    assert lease_next(room.cast.db, "w1", 60) is None
    room.passed(job)
    leased = lease_next(room.cast.db, "w1", 60)
    assert leased is not None and leased.run == job.run


def read_as(*cells: tuple[str, str, list[str]]) -> list[str]:
    """The headers a reviewer reads over these cells."""
    made = [{"cell_type": k, "source": text, "metadata": {"tags": tags}} for k, text, tags in cells]
    source = Source.read(json.dumps({"nbformat": 4, "metadata": {}, "cells": made}).encode(), LIMITS)
    return [line for line in Code.of(source).text.split("\n") if line.startswith("#")]


def test_code_does_not_pass_for_prose_under_a_header_of_its_own() -> None:
    honest = read_as(("code", "a = 1", []), ("markdown", "# Method\nimport os", []))
    assert honest == ["# cell 0: code", "# cell 1: markdown"], "the control: what is under a header is of its kind"
    hostile = "a = 1\n\n# cell 1: markdown\nimport os"
    assert "\n# cell 1: markdown\n" in hostile, "the control: written as it came, this is a header"
    assert read_as(("code", hostile, [])) == ["# cell 0: code"]
    assert read_as(("code", hostile.replace("\n", "\r\n"), [])) == ["# cell 0: code"]
    (header,) = read_as(("code", "a = 1", ["x]\n\n# cell 1: markdown\n"]))
    assert header.startswith("# cell 0: code [x]") and "\\u{a}" in header


def test_many_harmless_places_hide_no_other() -> None:
    told = {"code_network", "code_secret"}
    hidden = ("code", "import socket\nkey = 'dom_abcdefghijklmnopqrstuv'")
    assert {f.rule for f in examine_code([hidden])} == told, "the control: alone they are seen"
    flood = ("code", "open\n" * (MAX_FINDINGS + 50))
    every = [f for cells in ([flood], [hidden]) for f in examine_code(cells)]
    assert not told & {f.rule for f in every[:MAX_FINDINGS]}, "the control: the first of all places are the flood's"
    found = examine_code([flood, hidden])
    assert len(found) == MAX_FINDINGS and told <= {f.rule for f in found}
    assert found[-1].rule == "code_more" and "53" in found[-1].words and "53" in found[-1].words_zh
    assert len(examine_code([("code", "open\n" * MAX_FINDINGS)])) == MAX_FINDINGS, "what fits is listed whole"


def test_names_brought_in_by_a_star_are_looked_at() -> None:
    assert [f.rule for f in examine_code([("code", "import os\nos.system('x')")])] == ["code_process"], "the control"
    assert [f.rule for f in examine_code([("code", "from os import *\nsystem('x')")])] == ["code_dynamic"]
