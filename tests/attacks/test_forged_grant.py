"""Attack: somebody who can write to the database edits rows to get more, longer, or at all.

Control: the same edits pass once the signatures are not checked, so it is the signatures that stop them.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from enclave import access
from enclave.access import approval, grant
from enclave.access.content import content_of
from enclave.audit.event import now
from enclave.errors import Refused, Tampered
from enclave.people import Role, certificate, certificates_of
from enclave.store import reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Cast

EDITS: dict[str, tuple[str, tuple[str, ...]]] = {
    "more epsilon": (
        "UPDATE requests SET content = replace(content, ?, ?)",
        ('"epsilon_project":"3.0"', '"epsilon_project":"90.0"'),
    ),
    "another dataset": ("UPDATE requests SET content = replace(content, ?, ?)", ('"hospital"', '"genomes"')),
    "one more person": (
        "UPDATE requests SET content = replace(content, ?, ?)",
        ('"people":[]', '"people":["researcher2"]'),
    ),
    "a lower grade": ("UPDATE requests SET content = replace(content, ?, ?)", ('"grade":3', '"grade":1')),
    "fewer approvals": (
        "UPDATE requests SET content = replace(content, ?, ?)",
        ('"steps":["steward","officer"]', '"steps":["steward"]'),
    ),
    "no approvals needed": (
        "UPDATE requests SET content = replace(content, ?, ?)",
        ('"steps":["steward","officer"]', '"steps":[]'),
    ),
    "an approval removed": ("DELETE FROM request_statements WHERE position = ?", ("2",)),
    "an approval under another name": ("UPDATE request_statements SET member = ? WHERE position = 2", ("officer2",)),
    "an approval in another role": ("UPDATE request_statements SET step = ? WHERE position = 2", ("steward",)),
    "a refusal turned round": ("UPDATE request_statements SET verdict = ? WHERE position = 2", ("refused",)),
    "an approval backdated": ("UPDATE request_statements SET at = ? WHERE position = 2", ("2020-01-01",)),
    "the author's word removed": ("DELETE FROM request_statements WHERE position = ?", ("0",)),
    "a role nobody certified": ("UPDATE certificates SET roles = ? WHERE member = 'officer'", ('["steward"]',)),
    "another key": ("UPDATE certificates SET public_key = ? WHERE member = 'officer'", ("11" * 32,)),
    "another project": ("UPDATE grants SET project = ?", ("prj_other",)),
    "a standing nobody signed": ("UPDATE grants SET changed_at = ?", ("2020-01-01",)),
    "an impossible standing": ("UPDATE grants SET state = ?", ("eternal",)),
    "not even a request": ("UPDATE requests SET content = ?", ("{}",)),
}


def edit(cast: Cast, statement: str, values: tuple[str, ...]) -> None:
    """As an intruder would: straight into the file."""
    with closing(sqlite3.connect(cast.place.home / "state.db")) as file:
        assert file.execute(statement, values).rowcount > 0
        file.commit()


def check(cast: Cast, project: str, **changes: Any) -> grant.Grant:
    asked: dict[str, Any] = {"project": project, "member": "researcher", "dataset": "hospital", **changes}
    return access.check(cast.db, cast.keyring, **asked)


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_row_ends_the_grant_it_was_to_widen(cast: Cast, name: str) -> None:
    project = cast.project(cast.granted())
    check(cast, project)
    edit(cast, *EDITS[name])
    project = "prj_other" if name == "another project" else project
    with pytest.raises(Tampered) as no:
        check(cast, project)
    assert no.value.code == "access.grant_forged"
    assert cast.events("access.refused")[-1]["detail"]["code"] == "access.grant_forged"


def test_a_proof_that_is_kept_serves_the_very_rows_it_was_proved_from(cast: Cast) -> None:
    """The proof of a grant is kept; an approval changed afterwards is refused, and so is everything that changes."""
    project = cast.project(cast.granted())
    check(cast, project)
    kept = grant._grant_of.cache_info().hits
    check(cast, project)
    assert grant._grant_of.cache_info().hits == kept + 1, "the control: nothing is proved a second time"
    edit(cast, "UPDATE request_statements SET reason = ? WHERE position = 2", ("Approved. More, too.",))
    for _ in range(2):  # a failed proof is not kept either
        with pytest.raises(Tampered):
            check(cast, project)
    edit(cast, "UPDATE request_statements SET reason = ? WHERE position = 2", ("",))
    with pytest.raises(Refused):
        check(cast, project, at="2999-01-01")
    (cast.place.keys / "sign.sealed").unlink()
    cast.keyring.create()
    with pytest.raises(Tampered):
        check(cast, project)


@pytest.mark.parametrize("state", ["suspended", "revoked"])
def test_a_stopped_grant_does_not_come_back_by_editing_its_row(cast: Cast, state: str) -> None:
    project, officer = cast.project(cast.granted()), cast.member("officer")
    stop: Callable[..., Any] = {"suspended": access.suspend, "revoked": access.revoke}[state]
    stop(cast.db, cast.keyring, cast.permissions, officer, project, reason="Stop.")
    edit(cast, "UPDATE grants SET state = ?", ("active",))
    with pytest.raises(Tampered):
        check(cast, project)


def test_the_approvals_of_one_request_do_not_serve_another(cast: Cast) -> None:
    cast.granted()
    wanted = cast.granted(epsilon_project="99.0")
    project = cast.project(wanted)
    with closing(sqlite3.connect(cast.place.home / "state.db")) as file:
        file.execute("DELETE FROM request_statements WHERE request = ?", (wanted.id,))
        file.execute("UPDATE request_statements SET request = ?", (wanted.id,))
        file.commit()
    with pytest.raises(Tampered):
        check(cast, project)


def test_a_grant_out_of_nothing_is_none(cast: Cast) -> None:
    """A submitted request, with approvals copied from a granted one and a grant row made by hand."""
    model, wanted = cast.granted(), cast.submitted()
    with closing(sqlite3.connect(cast.place.home / "state.db")) as file:
        file.execute(
            "INSERT INTO request_statements SELECT ?, round, position, step, verdict, member, at, reason, ?, public_key,"
            " signature FROM request_statements WHERE request = ? AND position > 0",
            (wanted.id, wanted.content.digest, model.id),
        )
        file.execute("INSERT INTO projects SELECT 'prj_x', ?, title, opened_at FROM projects", (wanted.id,))
        file.execute(
            "INSERT INTO grants SELECT 'grt_x', ?, 'prj_x', state, changed_at, changed_by, reason, signature FROM grants",
            (wanted.id,),
        )
        file.commit()
    with pytest.raises(Tampered):
        check(cast, "prj_x")


@pytest.mark.parametrize("name", ["more epsilon", "one more person", "an approval under another name"])
def test_control_without_the_signatures_the_edit_passes(cast: Cast, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    project = cast.project(cast.granted())
    edit(cast, *EDITS[name])
    monkeypatch.setattr(approval.Statement, "holds", lambda *_: True)
    monkeypatch.setattr(certificate, "signature_holds", lambda *_: True)
    monkeypatch.setattr(grant, "signature_holds", lambda *_: True)
    if name != "an approval under another name":  # the digest each approver signed is the other half of the check
        with pytest.raises(Tampered):
            check(cast, project)
        edit(cast, "UPDATE request_statements SET digest = ?", (content_of(content(cast)).digest,))
    forged = check(cast, project)
    assert "90.0" in forged.epsilon_project or len(forged.members) == 2 or forged.approvals[1].member == "officer2"


def content(cast: Cast) -> str:
    with closing(sqlite3.connect(cast.place.home / "state.db")) as file:
        return str(file.execute("SELECT content FROM requests").fetchone()[0])


def test_remembered_signatures_remember_no_state(cast: Cast) -> None:
    project = cast.project(cast.granted())
    for _ in range(3):
        check(cast, project)
    access.suspend(cast.db, cast.keyring, cast.permissions, cast.member("officer"), project, reason="Now.")
    with pytest.raises(Refused):
        check(cast, project)


def test_one_approver_alone_makes_no_grant_though_both_signatures_hold(cast: Cast) -> None:
    """A request that asks for a single approval: no policy may say so, but a row of the database could."""
    content = replace(cast.draft().content, steps=(Role.STEWARD,))
    words = [
        (cast.member("researcher"), 0, Role.RESEARCHER, approval.Verdict.SUBMITTED),
        (cast.member("steward"), 1, Role.STEWARD, approval.Verdict.APPROVED),
    ]
    signed = [
        approval.sign(member, cast.tokens[member.id], content, 1, at, role, verdict, now(), "")
        for member, at, role, verdict in words
    ]
    with reading(cast.db) as connection:
        papers = certificates_of(connection, cast.keyring.public_key, {"researcher", "steward"})
    approval.check_submission(papers, content, signed)  # the control: all that is there holds
    with pytest.raises(Tampered):
        approval.check_granted(papers, content, signed)
