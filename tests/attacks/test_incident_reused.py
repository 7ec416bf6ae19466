"""Attack (by nobody): an answer made of zeros after a fault of ours is kept and given again as if it were true.

Control: without the fault the same question, asked again by its project, is the stored answer and costs nothing.
"""

from __future__ import annotations

from tests.attacks.asked import Door, granted_to, numbers

from enclave.budget import AccountKind, thaw_message
from enclave.catalogue import find
from enclave.catalogue.manifest import MANIFEST, folder_of
from enclave.release.gather import incidents

SQL = "SELECT COUNT(*) AS n FROM visits"
PROJECT = AccountKind.PROJECT


def broken_once(door: Door) -> float:
    """Ask while the extract cannot be opened; the number that came back."""
    manifest = folder_of(door.living.place, "hospital", 1) / MANIFEST
    kept = manifest.read_bytes()
    manifest.write_bytes(kept.replace(b'"rows"', b'"rowz"'))
    answered = door.ask(SQL, "100")
    manifest.write_bytes(kept)
    return float(numbers(answered)["n"][0])


def thawed(door: Door) -> None:
    frozen = door.balance(PROJECT, door.living.project)
    token = door.living.tokens["officer"]
    signature = door.living.member("officer").sign(thaw_message(frozen.account, frozen.frozen_at), token)
    door.ledger.thaw(frozen.account, frozen.frozen_at, officer="officer", signature=signature)


def test_an_answer_of_zeros_is_never_given_again(door: Door) -> None:
    assert abs(broken_once(door)) < 100, "noise around zero"
    assert door.balance(PROJECT, door.living.project).frozen
    thawed(door)
    spent = door.balance(PROJECT, door.living.project).spent.nano_rho
    again = door.ask(SQL, "100")
    assert numbers(again)["n"][0] > 300, "the true count is some hundreds"
    assert door.balance(PROJECT, door.living.project).spent.nano_rho == 2 * spent


def test_nor_to_another_project_which_then_pays_for_the_persons_too(door: Door) -> None:
    broken_once(door)
    population = door.balance(AccountKind.POPULATION).spent.nano_rho
    project = granted_to(door.living, "stranger")
    other = door.ask(SQL, "100", project=project, member="stranger")
    assert numbers(other)["n"][0] > 300
    assert door.balance(AccountKind.POPULATION).spent.nano_rho == 2 * population


def test_the_receipts_of_its_project_and_of_its_persons_say_that_it_was(door: Door) -> None:
    def told(project: str) -> int:
        return incidents(door.living.place, find(door.living.db, "hospital").registers, project)

    door.ask("SELECT COUNT(*) AS good FROM visits")
    assert told(door.living.project) == 0, "the control"
    door.extracts.close()
    door.extracts._open.clear()  # as after a restart
    broken_once(door)
    assert (told(door.living.project), told("prj_other")) == (1, 1)


def test_control_a_good_answer_is_given_again_for_nothing(door: Door) -> None:
    first, again = door.ask(SQL, "100"), door.ask(SQL, "100")
    assert (first.body, again.head.rho_spent) == (again.body, 0)
    assert numbers(first)["n"][0] > 300
