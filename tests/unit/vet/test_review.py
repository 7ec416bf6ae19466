"""Taking in and deciding, on a home with real members and real permissions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection
from typing import Any

import pyarrow as pa
import pytest

from domicile.rules import thresholds
from domicile.wire.shapes import Finding
from enclave.audit import verify_events
from enclave.errors import BadInput, NotFound, Refused
from enclave.vet import (
    MOVES,
    Finished,
    Returned,
    Rules,
    Standing,
    State,
    check_decide,
    decide,
    decisions_on,
    find,
    of_run,
    ready,
    take_in,
    waiting,
)

RULES = Rules(thresholds())
Bundle = Callable[..., str]


def finished(*bundles: str, run: str = "run_1") -> Finished:
    returned = tuple(Returned(f"out_{run}_{n}", n, text.encode()) for n, text in enumerate(bundles, 1))
    return Finished(run, "researcher", "prj_1", ("researcher", "researcher2"), returned)


def given(_run: str, _ids: Collection[str]) -> Collection[str]:
    return {"ans_1"}


def taken(cast: Any, *bundles: str, run: str = "run_1") -> list[str]:
    return take_in(cast.db, finished(*bundles, run=run), known_answers=given, rules=RULES)


def test_a_good_output_waits_and_a_bad_one_is_refused_by_name(cast: Any, bundle: Bundle) -> None:
    taken(cast, bundle(), "{", bundle(arrow="bm8="), bundle(answers=["ans_2"]))
    assert [(o.state, o.id) for o in of_run(cast.db, "run_1")] == [
        (State.CHECKED, "out_run_1_1"),
        (State.REFUSED, "out_run_1_2"),
        (State.REFUSED, "out_run_1_3"),
        (State.REFUSED, "out_run_1_4"),
    ]
    codes = [event["detail"]["code"] for event in cast.events("output.refused")]
    assert codes == ["vet.not_json", "vet.not_arrow", "vet.answer_unknown"]
    assert [o.id for o in waiting(cast.db)] == ["out_run_1_1"]
    assert all(o.card().why for o in of_run(cast.db, "run_1") if o.state is State.REFUSED)


def test_taking_in_twice_changes_nothing(cast: Any, bundle: Bundle) -> None:
    assert taken(cast, bundle()) == ["out_run_1_1"]
    before = verify_events(cast.db)
    assert taken(cast, bundle()) == []
    assert verify_events(cast.db) == before


def test_two_workers_that_take_in_the_same_run_take_it_in_once(cast: Any, bundle: Bundle) -> None:
    """The second comes between the first one's look and its lock: while the first checks what it read."""
    once = finished(bundle(answers=["ans_1"]))
    by_the_other: list[str] = []

    def while_it_is_checked(run: str, ids: Collection[str]) -> Collection[str]:
        by_the_other.extend(take_in(cast.db, once, known_answers=given, rules=RULES))
        return given(run, ids)

    assert take_in(cast.db, once, known_answers=while_it_is_checked, rules=RULES) == []
    assert by_the_other == ["out_run_1_1"]
    assert [e["subject"] for e in cast.events("output.declared")] == ["out_run_1_1"]
    assert verify_events(cast.db) > 0


def test_a_stewards_pass_is_an_event_with_its_reason_and_policy(cast: Any, bundle: Bundle) -> None:
    [output] = taken(cast, bundle())
    assert ready(cast.db) == []
    assert decide(cast.db, cast.permissions, cast.member("steward"), output, "pass").state is State.CONSOLIDATED
    [event] = cast.events("output.passed")
    assert (event["actor"], event["subject"], event["detail"]["allowed_by"]) == (
        "steward", output, "reviewers-read-and-decide-outputs",
    )  # fmt: skip
    assert [(d.member, d.verdict) for d in decisions_on(cast.db, output)] == [("steward", "pass")]
    assert ready(cast.db) == ["run_1"]


def test_a_run_is_ready_only_when_nothing_of_it_waits(cast: Any, bundle: Bundle) -> None:
    first, second = taken(cast, bundle(), bundle())
    steward = cast.member("steward")
    decide(cast.db, cast.permissions, steward, first, "pass")
    assert ready(cast.db) == []
    decide(cast.db, cast.permissions, steward, second, "return", "Round the numbers, please.")
    assert ready(cast.db) == ["run_1"]
    assert find(cast.db, second).why == "Round the numbers, please."


@pytest.mark.parametrize("name", ["researcher", "researcher2", "operator", "officer", "auditor"])
def test_who_may_not_decide_is_refused_and_the_attempt_is_kept(cast: Any, bundle: Bundle, name: str) -> None:
    [output] = taken(cast, bundle())
    with pytest.raises(Refused):
        decide(cast.db, cast.permissions, cast.member(name), output, "pass")
    assert find(cast.db, output).state is State.CHECKED
    assert [event["actor"] for event in cast.events("access.refused")] == [name]


def test_nobody_decides_the_output_of_their_own_run(cast: Any, bundle: Bundle) -> None:
    own = Finished("run_1", "everything", "prj_1", (), (Returned("out_1", 1, bundle()),))
    take_in(cast.db, own, known_answers=given, rules=RULES)
    with pytest.raises(Refused, match="nobody decides their own"):
        decide(cast.db, cast.permissions, cast.member("everything"), "out_1", "pass")


def test_a_finding_that_forbids_release_cannot_be_passed(cast: Any, bundle: Bundle) -> None:
    [output] = taken(cast, bundle(pa.table({"姓名": ["张三"]})))
    steward = cast.member("steward")
    with pytest.raises(Refused) as refused:
        decide(cast.db, cast.permissions, steward, output, "pass", "I know better.")
    assert refused.value.code == "vet.fail_stands"
    assert find(cast.db, output).state is State.CHECKED
    assert [e["detail"]["code"] for e in cast.events("access.refused")] == ["vet.fail_stands"]
    assert decide(cast.db, cast.permissions, steward, output, "return", "Drop the names.").state is State.RETURNED


def test_passing_over_a_finding_needs_a_reason(cast: Any, bundle: Bundle) -> None:
    [output] = taken(cast, bundle(pa.table({"patient_id": [12.5]})))
    steward = cast.member("steward")
    with pytest.raises(BadInput) as refused:
        decide(cast.db, cast.permissions, steward, output, "pass")
    assert refused.value.code == "vet.reason_missing"
    assert (
        decide(cast.db, cast.permissions, steward, output, "pass", "A count of patients.").state is State.CONSOLIDATED
    )


def test_a_decision_is_made_once(cast: Any, bundle: Bundle) -> None:
    [output] = taken(cast, bundle())
    decide(cast.db, cast.permissions, cast.member("steward"), output, "pass")
    with pytest.raises(Refused) as refused:
        decide(cast.db, cast.permissions, cast.member("steward2"), output, "refuse", "On second thought.")
    assert refused.value.code == "vet.not_waiting"


def test_an_output_that_is_not_there_is_not_found(cast: Any) -> None:
    with pytest.raises(NotFound):
        decide(cast.db, cast.permissions, cast.member("steward"), "out_nowhere", "pass")


LEADS = {"pass": State.CONSOLIDATED, "return": State.RETURNED, "refuse": State.REFUSED}


@pytest.mark.parametrize(("state", "verdict"), list(itertools.product(State, LEADS)))
def test_a_verdict_is_open_exactly_where_the_machine_says(state: State, verdict: Any) -> None:
    standing = Standing(
        id="out_1", run="run_1", ordinal=1, owner="a", project="p", members=("a",), kind="table", title="t", state=state,
        why="", findings=(), rules_version=1, rules_digest="", bundle="", sha256="", changed_at="",
    )  # fmt: skip
    if LEADS[verdict] in MOVES[state]:
        check_decide(standing, verdict, "Because.")
    else:
        with pytest.raises(Refused):
            check_decide(standing, verdict, "Because.")


def test_findings_travel_whole_to_the_card(cast: Any, bundle: Bundle) -> None:
    taken(cast, bundle(pa.table({"patient_id": [12.5]})))
    [card] = [o.card() for o in of_run(cast.db, "run_1")]
    assert isinstance(card.findings[0], Finding) and card.findings[0].rule == "identifier_column"
