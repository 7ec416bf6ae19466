"""The tutorial of batches, as it stands: twelve runs from one plan, priced, submitted, watched; and what goes wrong."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import nbformat
import pytest
from tests.living import ROOT, Living, as_json, granted

from domicile.client.plan import read
from domicile.client.problem import ProblemError
from enclave.run.job import listing

PAGE = (ROOT / "docs" / "tutorials" / "batches.md").read_text()
FENCE = re.compile(r"```(\w+) (\S+)\n(.*?)```", re.DOTALL)
COMMANDS = re.findall(r"^domicile (batch .*)$", PAGE, re.MULTILINE)


def written(folder: Path) -> Path:
    """The files of the page; the plan's path."""
    books: dict[str, Any] = {}
    for language, name, text in FENCE.findall(PAGE):
        if language == "toml":
            (folder / name).write_text(text)
            continue
        book = books.setdefault(name, nbformat.v4.new_notebook())
        if language == "json":
            book.metadata.update(json.loads(text))
        else:
            book.cells.append(nbformat.v4.new_code_cell(text))
    for name, book in books.items():
        (folder / name).write_text(nbformat.writes(book))
    return folder / "plan.toml"


@pytest.fixture
def plan(living: Living, tmp_path: Path) -> Path:
    """The page's plan, for a project of its own."""
    assert living.cli("researcher", "domicile", "login", living.settings.url).returncode == 0
    path = written(tmp_path)
    _, project = granted(living, title="A batch", epsilon_project="10", epsilon_researcher="8")
    path.write_text(f'project = "{project}"\ndataset = "hospital"\n{path.read_text()}')
    return path


def typed(living: Living, path: Path, command: str, *more: str) -> Any:
    """A command of the page, as a program reads it."""
    words = [str(path) if word == "plan.toml" else word for word in command.split()]
    return living.cli("researcher", "domicile", *words, *more)


def test_twelve_runs_from_one_plan(living: Living, plan: Path) -> None:
    assert COMMANDS[0] == "batch check plan.toml"
    priced = as_json(typed(living, plan, COMMANDS[0], "--json"))
    assert len(priced["steps"]) == 12 and priced["batch"] == "" and not priced["refusals"]
    assert priced["rho"] == sum(step["rho"] for step in priced["steps"]) > 0
    assert [a["kind"] for a in priced["accounts"]] == ["project", "researcher"]
    assert "12 runs" in typed(living, plan, COMMANDS[0]).stdout
    before = len(listing(living.db, limit=10_000))
    done = as_json(typed(living, plan, COMMANDS[1], "--json"))
    assert {step["state"] for step in done["steps"]} == {"finished"}, done
    jobs = {job.run: job for job in listing(living.db, limit=before + 12)}
    for step in done["steps"]:
        started = jobs[step["run"]].started_at or ""
        followed = [other["run"] for other in done["steps"] if other["step"] in step["after"]]
        assert all((jobs[run].ended_at or "z") <= started for run in followed), step
    again = as_json(typed(living, plan, COMMANDS[1], "--json"))
    assert again["batch"] == done["batch"] and len(listing(living.db, limit=10_000)) == before + 12
    shown = typed(living, plan, COMMANDS[2])
    assert shown.returncode == 0 and "12 finished" in shown.stdout
    assert as_json(living.cli("researcher", "domicile", "batch", "status", done["batch"], "--json")) == again
    spent = next(a for a in again["accounts"] if a["kind"] == "project")["rho_spent"]
    assert 0 < spent <= priced["rho"], "the price is an upper bound"
    assert done["batch"] in living.cli("researcher", "domicile", "batch", "list").stdout


def test_what_follows_a_run_that_failed_is_skipped_and_a_batch_is_called_off(living: Living, plan: Path) -> None:
    text = plan.read_text().replace('epsilon = ["0.3", "0.2"]', 'epsilon = ["0.3"]')
    plan.write_text(text)
    done = typed(living, plan, COMMANDS[1], "--json")
    assert done.returncode == 1
    steps = {step["step"]: step for step in json.loads(done.stdout)["steps"]}
    assert steps["everybody"]["state"] == "failed", "it asked for more than it declares"
    assert {step["state"] for name, step in steps.items() if name != "everybody"} == {"skipped"}
    plan.write_text(text.replace("How old are they?", "called off"))
    handed_in = as_json(typed(living, plan, COMMANDS[1].removesuffix(" --wait"), "--json"))
    assert COMMANDS[3] == "batch cancel plan.toml"
    called_off = as_json(typed(living, plan, COMMANDS[3], "--json"))
    assert called_off["batch"] == handed_in["batch"] and called_off["state"] == "cancelled"
    assert not {step["state"] for step in called_off["steps"]} & {"queued", "waiting", "running"}
    assert typed(living, plan, COMMANDS[3]).returncode == 3, "once"


def test_a_plan_that_cannot_be_is_refused_before_anything_starts(living: Living, plan: Path) -> None:
    text, before = plan.read_text(), len(listing(living.db, limit=10_000))
    dear = text.replace('epsilon = ["0.2"]', 'epsilon = ["3"]')
    for changed, words in (
        (dear, "is left. Ask for less"),
        (text.replace("[20, 40, 60, 80]", "[20, 400]"), "declared bounds"),
        (text.replace('after = ["everybody"]', 'after = ["once more"]'), "wait for each other"),
        (text.replace("all.ipynb", "none.ipynb"), "cannot be read"),
        (text.replace("[[run]]", "[[runs]]"), "form of a plan"),
        (text + "[", "TOML"),
    ):
        plan.write_text(changed)
        for command in COMMANDS[:2] if changed is dear else COMMANDS[:1]:
            refused = typed(living, plan, command)
            assert refused.returncode == 3 and words in refused.stdout + refused.stderr, (words, refused)
    plan.write_text(text)
    other = living.cli("stranger", "domicile", "login", living.settings.url)
    assert other.returncode == 0
    assert living.cli("stranger", "domicile", "batch", "submit", str(plan)).returncode == 3
    assert living.cli("stranger", "domicile", "batch", "status", "bat_0123456789abcdef").returncode == 3
    assert len(listing(living.db, limit=10_000)) == before


def test_a_colleague_sees_a_batch_and_neither_runs_it_twice_nor_calls_it_off(living: Living, tmp_path: Path) -> None:
    _, project = granted(living, title="Together", people=("stranger",))
    form, _ = read(written(tmp_path), project, "hospital")
    form = form.model_copy(update={"runs": form.runs[:1]})
    mine = living.api().submit_batch(form)
    theirs = living.api("stranger").submit_batch(form)
    assert theirs.batch == mine.batch == living.api("stranger").batch(mine.batch).batch
    assert len([job for job in listing(living.db, limit=10_000) if job.batch == mine.batch]) == 1
    with pytest.raises(ProblemError) as refused:
        living.api("stranger").cancel_batch(mine.batch)
    assert refused.value.code == "people.not_allowed"
    assert living.api().cancel_batch(mine.batch).state == "cancelled", "the control"
    with pytest.raises(ProblemError):
        living.api("officer").batch(mine.batch)
    other = living.api().submit_batch(form.model_copy(update={"name": "for the operator"}))
    called_off = living.api("operator").cancel_batch(other.batch)
    assert called_off.state == "cancelled" and called_off.accounts == (), "who keeps the house sees no budget"


def test_a_plan_that_recurs_starts_nothing_by_itself_and_is_bounded_by_its_grant(living: Living, plan: Path) -> None:
    text, before = plan.read_text(), len(listing(living.db, limit=10_000))
    (said,) = re.findall(r"```toml\n(\[schedule\].*?)```", PAGE, re.DOTALL)
    last = date.today() + timedelta(days=20)
    within = text + "\n" + said.replace("0 6 1 * *", "0 6 * * *").replace("2026-12-31", str(last)).replace("12 ", "3 ")
    plan.write_text(within.replace(str(last), str(last + timedelta(days=40))))
    refused = typed(living, plan, COMMANDS[1])
    assert refused.returncode == 3 and "cannot recur after it" in refused.stderr
    plan.write_text(within)
    priced = as_json(typed(living, plan, COMMANDS[0], "--json"))
    assert priced["occurrences"] == 3 and priced["rho"] == 3 * sum(step["rho"] for step in priced["steps"])
    made = as_json(typed(living, plan, COMMANDS[1].removesuffix(" --wait"), "--json"))
    assert made["state"] == "open" and made["schedule"]["fired"] == 0 and made["schedule"]["due_at"]
    shown = typed(living, plan, COMMANDS[2])
    assert "3 times at most" in shown.stdout and "Handed in 0 times" in shown.stdout
    assert len(listing(living.db, limit=10_000)) == before
    assert as_json(typed(living, plan, COMMANDS[3], "--json"))["state"] == "cancelled"
