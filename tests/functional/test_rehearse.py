"""The same notebook at home, on the invented twin: unchanged, free, and with what it would cost."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from tests.functional.laptop import on_a_laptop
from tests.living import ROOT, Living, granted, notebook_of

from domicile.wire.shapes import AccountCard, RunCard
from enclave.catalogue import find

CLI = "from domicile.cli import main; main()"
# the twin of a small house holds few visits a department: at a real price all of them may drown, and no row is left to show
PRICE = "epsilon=12"


def test_a_notebook_of_the_demo_runs_on_the_twin_unchanged(living: Living, tmp_path: Path, site: Path) -> None:
    before = [(a.name, a.rho_spent) for a in living.api().budget()]
    to = tmp_path / "out.ipynb"
    words = ("-c", CLI, "rehearse", ROOT / "notebooks" / "length_of_stay.ipynb", "--to", to, "-p", PRICE, "--json")
    done = on_a_laptop(living, tmp_path, site, *words)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["questions"] >= 1 and said["rho"] > 0 and said["outputs"] and said["twin"] == "dictionary"
    assert any(cell.get("outputs") for cell in nbformat.read(to, as_version=4).cells)
    assert [(a.name, a.rho_spent) for a in living.api().budget()] == before, "nothing was spent"


def test_in_pure_epsilon_a_notebook_is_rehearsed_and_runs_behind_the_wall(
    living: Living, tmp_path: Path, site: Path
) -> None:
    """The other notebook of the demo, at home and then behind the wall, where the same questions cost what was told."""
    _, project = granted(living, title="Purely", pure=True)
    opened = living.wait(submitted(living, project, "hospital.sql('SELECT COUNT(*) AS n FROM visits', accuracy=400)"))
    assert opened.state == "finished", opened.why
    purse = account(living, project)
    assert purse.pure and purse.delta == 0 and 0 < purse.epsilon_spent < 1
    assert purse.epsilon_spent + purse.epsilon_left == pytest.approx(purse.epsilon_cap, abs=1e-9)
    words = ("-c", CLI, "rehearse", ROOT / "notebooks" / "diabetes_prevalence.ipynb", "-p", PRICE)
    to = ("--to", tmp_path / "out.ipynb", "--json")
    done = on_a_laptop(living, tmp_path, site, *words, *to, project=project)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["questions"], said["epsilon_left"]) == (2, purse.epsilon_left) and "rho" not in said
    assert said["epsilon"] == pytest.approx(12, abs=1e-3) and len(said["outputs"]) == 3
    assert account(living, project) == purse, "at home nothing is spent"
    book = (ROOT / "notebooks" / "diabetes_prevalence.ipynb").read_text()
    card = living.api().submit(book, project=project, dataset="hospital", parameters={"epsilon": 12}, name="pure.ipynb")
    card = living.settled(living.wait(card).run)
    assert (card.state, len(card.outputs)) == ("finished", 3), card.why
    spent = account(living, project).epsilon_spent - purse.epsilon_spent
    assert spent == pytest.approx(said["epsilon"], abs=1e-9)


def submitted(living: Living, project: str, ask: str) -> RunCard:
    cells = notebook_of("import domicile\nhospital = domicile.open('hospital')", ask)
    return living.api().submit(cells, project=project, dataset="hospital", parameters={}, name="pure.ipynb")


def account(living: Living, project: str) -> AccountCard:
    return next(a for a in living.api().budget() if (a.kind, a.name) == ("project", project))


def test_a_notebook_whose_own_code_fails_says_where(living: Living, tmp_path: Path, site: Path) -> None:
    notebook = tmp_path / "broken.ipynb"
    cells = [nbformat.v4.new_code_cell(code) for code in ("x = 1", "x / 0")]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    notebook.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata=kernel)))
    done = on_a_laptop(living, tmp_path, site, "-c", CLI, "rehearse", notebook)
    assert done.returncode != 0 and "ZeroDivisionError in cell 1" in done.stderr


def test_after_a_purchase_the_notebook_runs_on_the_twin_drawn_from_it(
    living: Living, tmp_path: Path, site: Path
) -> None:
    """The last test of this house that cares: from here on a profile is bought."""
    if find(living.db, "hospital").profile is None:
        done = living.cli("steward", "enclave", "profile", "hospital", "--epsilon", "30", "--json")
        assert done.returncode == 0, done.stderr
    before = [(a.name, a.rho_spent) for a in living.api().budget()]
    rehearse = ("-c", CLI, "rehearse", ROOT / "notebooks" / "length_of_stay.ipynb", "--to", tmp_path / "out.ipynb")
    done = on_a_laptop(living, tmp_path, site, *rehearse, "-p", PRICE)
    assert done.returncode == 0, done.stderr
    assert "drawn from" in done.stdout, done.stdout
    done = on_a_laptop(living, tmp_path, site, *rehearse, "-p", PRICE, "--json")
    said = json.loads(done.stdout)
    assert said["twin"] == "marginals" and said["questions"] >= 1 and said["outputs"]
    assert [(a.name, a.rho_spent) for a in living.api().budget()] == before, "nothing was spent"
    shown = living.cli("researcher", "domicile", "dataset", "hospital", "--variable", "visits.dept")
    assert shown.returncode == 0, shown.stderr
