"""`papermill in.ipynb out.ipynb --engine domicile` as a laptop runs it, in the environment whose lock the jail shares."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import nbformat
from tests.functional.laptop import on_a_laptop
from tests.living import Living, as_json

from enclave.run.job import listing
from enclave.vet.review import decide

CELLS = (
    "epsilon = '9'",
    "import domicile\nhospital = domicile.open('hospital')\nprint('never leaves')",
    "n = hospital.sql('SELECT sex, COUNT(*) AS n FROM patients GROUP BY sex', epsilon=epsilon)\n"
    "domicile.output.table(n, title='Persons by sex', context='test')\nn.frame()",
)


def book(folder: Path, *cells: str) -> Path:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.cells[0].metadata["tags"] = ["parameters"]
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = folder / "in.ipynb"
    path.write_text(nbformat.writes(made))
    return path


def papermill(
    living: Living, folder: Path, site: Path, notebook: Path, *words: str
) -> subprocess.CompletedProcess[str]:
    """papermill's own command, with the researcher's side installed beside it."""
    return on_a_laptop(
        living, folder, site, "-m", "papermill", notebook, folder / "out.ipynb", "--engine", "domicile", *words
    )


def cells(folder: Path) -> list[Any]:
    return list(nbformat.read(folder / "out.ipynb", as_version=4).cells)


def test_released_outputs_come_back_into_the_notebook_and_nothing_else_does(
    living: Living, tmp_path: Path, site: Path
) -> None:
    def steward() -> None:
        give_up = time.monotonic() + 60
        while time.monotonic() < give_up:
            ran = listing(living.db, limit=1)
            newest = living.api().run(ran[0].run) if ran else None
            if (
                newest
                and [o.title for o in newest.outputs] == ["Persons by sex"]
                and newest.outputs[0].state == "checked"
            ):
                decide(
                    living.db, living.permissions, living.member("steward"), newest.outputs[0].output, "pass", "noisy"
                )
                return
            time.sleep(0.2)

    deciding = threading.Thread(target=steward)
    deciding.start()
    done = papermill(living, tmp_path, site, with_wait(book(tmp_path, *CELLS)), "-p", "epsilon", "0.3")
    deciding.join()
    assert done.returncode == 0, done.stderr
    assert "Executing" in done.stderr, "papermill's own bar"
    returned = cells(tmp_path)
    assert [cell.metadata.get("tags", []) for cell in returned[:2]] == [["parameters"], ["injected-parameters"]]
    (output,) = returned[-1].outputs
    assert "male" in output.data["text/html"]
    assert "never leaves" not in (tmp_path / "out.ipynb").read_text().replace("print('never leaves')", "")
    ran = listing(living.db, limit=1)[0]
    assert ran.parameters == {"epsilon": 0.3} or ran.parameters == {"epsilon": "0.3"}
    assert b"injected" not in ran.notebook


def with_wait(notebook: Path) -> Path:
    """The notebook itself may say how long to wait for decisions."""
    made = json.loads(notebook.read_text())
    made["metadata"]["domicile"] = {"wait": 60}
    notebook.write_text(json.dumps(made))
    return notebook


def test_what_waits_for_a_decision_is_named_with_the_way_to_fetch_it(
    living: Living, tmp_path: Path, site: Path
) -> None:
    done = papermill(living, tmp_path, site, book(tmp_path, *CELLS), "-p", "epsilon", "0.3")
    assert done.returncode == 0, done.stderr
    (said,) = cells(tmp_path)[-1].outputs
    run = listing(living.db, limit=1)[0].run
    assert "Persons by sex" in said.text and f"domicile fetch {run}" in said.text


def test_a_notebook_that_fails_fails_here_in_the_enclaves_words(living: Living, tmp_path: Path, site: Path) -> None:
    done = papermill(living, tmp_path, site, book(tmp_path, "x = 1", "raise ValueError('secret value')"))
    assert done.returncode != 0
    assert "ValueError" in done.stderr and "secret value" not in done.stderr.replace(
        "raise ValueError('secret value')", ""
    )
    assert (tmp_path / "out.ipynb").exists() and cells(tmp_path)[1].metadata.papermill.exception is True


def test_a_project_that_is_not_there_is_refused_with_those_that_are(living: Living, tmp_path: Path, site: Path) -> None:
    notebook = book(tmp_path, "x = 1")
    made = json.loads(notebook.read_text())
    made["metadata"]["domicile"] = {"project": "prj_none"}
    notebook.write_text(json.dumps(made))
    done = papermill(living, tmp_path, site, notebook)
    assert done.returncode != 0 and f"{living.project} (hospital)" in done.stderr
    shown = living.cli("researcher", "domicile", "project", "--json")
    assert living.project in [row["project"] for row in as_json(shown)]


DECLARED = {
    "code": {"type": "string", "max_length": 8},
    "older_than": {"type": "int", "min": 0, "max": 120},
    "since": {"type": "date", "default": "2023-01-01"},
}


def test_declared_parameters_are_read_as_declared_and_others_never_leave_the_laptop(
    living: Living, tmp_path: Path, site: Path
) -> None:
    path = book(tmp_path, "code = since = ''\nolder_than = 0", "assert (type(older_than), code) == (int, '007')")
    noted = nbformat.read(path, as_version=4)
    noted.metadata["domicile"] = {"parameters": DECLARED}
    path.write_text(nbformat.writes(noted))
    done = papermill(living, tmp_path, site, path, "-r", "code", "007", "-p", "older_than", "60")
    assert done.returncode == 0, done.stderr
    newest = listing(living.db, limit=1)[0]
    assert newest.parameters == {"code": "007", "older_than": 60, "since": "2023-01-01"}
    for words in (("-p", "code", "007"), ("-r", "code", "7", "-p", "older_than", "hunter2")):
        refused = papermill(living, tmp_path, site, path, "-p", "older_than", "60", *words)
        assert refused.returncode != 0 and "declared type" in refused.stderr
        assert refused.stderr.count("hunter2") == 0
    assert listing(living.db, limit=1)[0].run == newest.run, "nothing of them was handed in"
    lint = ("domicile", "lint", str(path), "-p", "code=007", "-p", "older_than=60", "--json")
    assert as_json(living.cli("researcher", *lint))["given"] == newest.parameters
    assert living.cli("researcher", "domicile", "lint", str(path), "-p", "code=007").returncode == 3
