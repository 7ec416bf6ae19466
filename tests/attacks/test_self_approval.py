"""Attack: get one's own request approved, alone or through an account with every role.

Control: the same policies without their `forbid` rules let it through, so it is those rules that stop it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from enclave import access, people
from enclave.access import State
from enclave.access.request import load
from enclave.errors import Refused, Tampered
from enclave.people import Permissions

if TYPE_CHECKING:
    from tests.conftest import Cast


def without_forbids(cast: Cast, policies: str, schema: str) -> Cast:
    blocks = [block for block in policies.split("\n\n") if "\nforbid (" not in block and not block.startswith("forbid")]
    return replace(cast, permissions=Permissions("\n\n".join(blocks), schema, cast.permissions.roles))


@pytest.fixture
def lax(cast: Cast, policy_texts: tuple[str, str]) -> Cast:
    return without_forbids(cast, *policy_texts)


def test_the_author_with_every_role_approves_nothing_of_their_own(cast: Cast) -> None:
    request = cast.submitted("everything")
    with pytest.raises(Refused) as no:
        cast.approve(request, "everything")
    assert no.value.facts["policy"] == "no-one-decides-their-own-request"
    assert load(cast.db, request.id).state is State.SUBMITTED
    event = cast.events("access.refused")[-1]
    assert (event["actor"], event["detail"]["policy"]) == ("everything", "no-one-decides-their-own-request")


def test_nor_do_those_named_in_it(cast: Cast) -> None:
    request = cast.submitted(people=("everything",))
    with pytest.raises(Refused):
        cast.approve(request, "everything")


def test_nor_does_one_person_give_both_approvals(cast: Cast) -> None:
    request = cast.approve(cast.submitted(), "both")
    with pytest.raises(Refused) as no:
        cast.approve(request, "both")
    assert no.value.facts["policy"] == "two-people-approve"


def test_nor_can_the_author_be_changed_after_signing_so_that_it_looks_like_anothers(cast: Cast) -> None:
    request = cast.submitted("everything")
    text = request.content.text().replace('"author":"everything"', '"author":"researcher"')
    rewrite(cast, request.id, text, author="researcher")
    with pytest.raises(Tampered):
        cast.approve(request, "everything")


def rewrite(cast: Cast, request: str, content: str, **columns: str) -> None:
    from sqlalchemy import update

    from enclave.access.tables import requests
    from enclave.store import writing

    with writing(cast.db) as connection:
        connection.execute(update(requests).where(requests.c.id == request).values(content=content, **columns))


def test_control_without_the_forbids_one_person_does_it_all_and_only_the_signatures_object(lax: Cast) -> None:
    own = lax.approve(lax.submitted("everything"), "everything")
    assert own.state is State.APPROVED_IN_PART  # the policy was what stopped it above
    # the second wall: approvals by the author, or twice by one person, are never proof, whatever policy let them in
    with pytest.raises(Tampered):
        lax.approve(own, "everything")


def test_control_a_permissive_home_still_cannot_use_a_grant_one_person_made(lax: Cast) -> None:
    request = lax.approve(lax.approve(lax.submitted(), "both"), "both")
    project = access.project_of(lax.db, request.id).id
    with pytest.raises(Tampered) as no:
        access.check(lax.db, lax.keyring, project=project, member="researcher", dataset="hospital")
    assert no.value.code == "access.grant_forged"
    assert people.listing(lax.db, lax.keyring)
