"""The main job: a question is asked behind the wall, an output is vetted, a release leaves and verifies."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.living import ROOT, Living

from domicile.verified import verify
from enclave.custody.proof import verify_house
from enclave.vet.review import decide

ASK = """
import domicile
hospital = domicile.open("hospital")
stays = hospital.sql("SELECT dept, COUNT(*) AS n, AVG(los_days) AS los FROM visits GROUP BY dept", epsilon=epsilon)
domicile.output.table(stays, title="Stays by department", context="test")
domicile.output.chart(stays, mark="bar", x="dept", y="los", title="Length of stay", context="test")
"""


def test_a_question_becomes_a_release_that_verifies(living: Living, tmp_path: Path) -> None:
    card = living.run("epsilon = '0.5'", ASK)
    assert card.state == "finished", card.why
    card = living.settled(card.run)
    assert [o.state for o in card.outputs] == ["checked", "checked"], card.outputs
    for output in card.outputs:
        decide(living.db, living.permissions, living.member("steward"), output.output, "pass", "noisy aggregates")
    folder = fetched(living, card.run, tmp_path / "release")
    names = {p.suffix for p in folder.iterdir()}
    assert {".csv", ".png", ".json", ".ipynb"} <= names
    report = verify(folder, living.keyring.public_key)
    assert report.ok, str(report)
    assert report.receipt["demo"] is True
    assert "one user" in str(report.receipt["walls"])
    assert verify_house(living.place, living.db, living.keyring).events > 20


def fetched(living: Living, run: str, folder: Path) -> Path:
    done = living.cli("researcher", "domicile", "login", living.settings.url)
    assert done.returncode == 0, done.stderr
    done = living.cli("researcher", "domicile", "fetch", run, "--to", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


def test_an_altered_release_does_not_verify(living: Living, tmp_path: Path) -> None:
    card = living.settled(living.run("epsilon = '0.5'", ASK).run)
    for output in card.outputs:
        decide(living.db, living.permissions, living.member("steward"), output.output, "pass", "noisy aggregates")
    folder = fetched(living, card.run, tmp_path / "release")
    table = next(folder.glob("*.csv"))
    assert verify(folder, living.keyring.public_key).ok  # the control
    table.write_text(table.read_text().replace("1", "2", 1))
    assert not verify(folder, living.keyring.public_key).ok


def test_the_same_question_again_is_free_and_byte_identical(living: Living) -> None:
    first = living.run("epsilon = '0.25'", ASK)
    before = {a.kind: a.rho_spent for a in living.api().budget()}
    again = living.run("epsilon = '0.25'", ASK)
    assert (first.state, again.state) == ("finished", "finished")
    assert {a.kind: a.rho_spent for a in living.api().budget()} == before
    shown = [[o.title for o in living.settled(run.run).outputs] for run in (first, again)]
    assert shown[0] == shown[1]


@pytest.mark.parametrize("name", sorted(p.name for p in (ROOT / "notebooks").glob("*.ipynb")))
def test_the_notebooks_of_the_demo_run_behind_the_wall(living: Living, name: str) -> None:
    card = living.wait(living.submit((ROOT / "notebooks" / name).read_text(), {"epsilon": "40"}))
    assert card.state == "finished", card.why
    outputs = living.settled(card.run).outputs
    assert {o.kind for o in outputs} >= {"chart", "table"}
    assert all(o.state == "checked" for o in outputs), outputs


def test_outside_the_wall_a_quote_is_free_and_the_twin_answers_for_nothing(living: Living) -> None:
    before = {a.kind: a.rho_spent for a in living.api().budget()}
    quote = living.api().quote("hospital", "SELECT COUNT(*) AS n FROM visits", "0.1", living.project)
    assert quote.rho > 0 and quote.reply_ms >= 100
    answer = living.api().ask("hospital", "SELECT COUNT(*) AS n FROM visits", "0.1")
    assert answer.id.startswith("twin_") and answer.spent == 0 and "twin" in answer.head.notes[0]
    assert {a.kind: a.rho_spent for a in living.api().budget()} == before
