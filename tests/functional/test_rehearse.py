"""The same notebook at home, on the invented twin: unchanged, free, and with what it would cost."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from tests.functional.laptop import on_a_laptop
from tests.living import ROOT, Living

from enclave.catalogue import find

CLI = "from domicile.cli import main; main()"
# the twin of a small house holds few visits a department: at a real price all of them may drown, and no row is left to show
PRICE = "epsilon=12"


@pytest.mark.parametrize("name", ["length_of_stay.ipynb", "diabetes_prevalence.ipynb"])
def test_the_notebooks_of_the_demo_run_on_the_twin_unchanged(
    living: Living, tmp_path: Path, site: Path, name: str
) -> None:
    before = [(a.name, a.rho_spent) for a in living.api().budget()]
    to = tmp_path / "out.ipynb"
    words = ("-c", CLI, "rehearse", ROOT / "notebooks" / name, "--to", to, "-p", PRICE, "--json")
    done = on_a_laptop(living, tmp_path, site, *words)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["questions"] >= 1 and said["rho"] > 0 and said["outputs"] and said["twin"] == "dictionary"
    assert any(cell.get("outputs") for cell in nbformat.read(to, as_version=4).cells)
    assert [(a.name, a.rho_spent) for a in living.api().budget()] == before, "nothing was spent"


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
