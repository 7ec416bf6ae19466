"""The commands people type, as processes: what they print, with which code they end."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.living import ROOT, Living, as_json, granted, notebook_of

from domicile.client import ProblemError

FENCE = re.compile(r"```python\n(.*?)```", re.DOTALL)


def test_a_command_without_a_token_is_refused_with_what_to_do(living: Living) -> None:
    done = living.cli("nobody", "enclave", "requests")
    assert done.returncode == 3
    assert "ENCLAVE_TOKEN" in done.stderr and "Traceback" not in done.stderr


def test_refusals_are_said_in_chinese_to_those_who_read_it(living: Living) -> None:
    import os
    import subprocess
    import sys

    environ = {"PATH": os.environ["PATH"], "LANG": "zh_CN.UTF-8", "ENCLAVE_HOME": str(living.place.home)}
    command = [str(Path(sys.executable).parent / "enclave"), "requests"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 3 and "令牌" in done.stderr


def test_a_home_that_is_not_there_is_named(living: Living, tmp_path: Path) -> None:
    done = living.cli("operator", "enclave", "status", home=tmp_path / "nowhere")
    assert done.returncode == 4 and "nowhere" in done.stderr


def test_a_home_is_never_made_twice(living: Living) -> None:
    done = living.cli("operator", "enclave", "init", "--demo")
    assert done.returncode == 3 and "already a home" in done.stderr


def test_status_says_what_runs_and_what_it_does_not_protect_against(living: Living) -> None:
    done = living.cli("operator", "enclave", "status")
    assert done.returncode == 0
    assert "DEMO" in done.stdout and "one user" in done.stdout
    found = as_json(living.cli("operator", "enclave", "status", "--json"))
    assert {p["process"]: p["state"] for p in found["processes"]} == dict.fromkeys(("broker", "worker", "serve"), "up")


def test_a_researcher_may_not_decide_and_a_steward_may_not_verify_the_trace(living: Living) -> None:
    assert living.cli("researcher", "enclave", "pass", "out_0000000000000000").returncode in (3, 4)
    assert living.cli("steward", "enclave", "audit", "verify").returncode == 3
    proof = as_json(living.cli("auditor", "enclave", "audit", "verify", "--json"))  # the control
    assert proof["ok"] is True and proof["events"] > 10


def test_a_steward_drafts_a_descriptor_that_nobody_can_sign_before_it_is_settled(
    living: Living, tmp_path: Path
) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    rows = "".join(f"P{n},{'12'[n % 2]},欧阳娜{n}\n" for n in range(40))
    (raw / "patients.csv").write_text("patient_id,sex,name\n" + rows)
    assert living.typed("researcher", "enclave", "draft", str(raw)).returncode == 3
    place = living.place.policies / "datasets" / "drafted" / "datapackage.yaml"
    place.parent.mkdir()
    asked = ("enclave", "draft", str(raw), "--out", str(place), "--name", "drafted")
    done = living.typed("steward", *asked)
    assert done.returncode == 0 and "to be settled" in done.stdout, done.stderr
    assert "欧阳" not in done.stdout + place.read_text()
    assert living.typed("steward", *asked).returncode == 3  # what was settled is never overwritten
    sign = ("enclave", "policy", "sign", "datasets/drafted/datapackage.yaml")
    refused = living.typed("officer", *sign)
    assert refused.returncode == 2 and "not settled" in refused.stderr
    settled = "\n".join(line for line in place.read_text().splitlines() if "SETTLE:" not in line)
    place.write_text(settled.replace("presets: []", "presets: [cn-39725]"))
    checked = living.typed("officer", "enclave", "policy", "check", "datasets/drafted/datapackage.yaml")
    assert checked.returncode == 3 and "to whom the dataset may be opened" in checked.stdout, checked.stderr
    assert living.typed("officer", *sign).returncode == 3
    place.write_text(settled)
    assert living.typed("officer", *sign).returncode == 0
    searched = living.typed("auditor", "enclave", "audit", "search", "--kind", "draft.", "--json")
    assert [row["actor"] for row in as_json(searched)] == ["steward"]


def test_a_steward_takes_a_list_of_opt_outs_in_and_no_researcher_does(living: Living, tmp_path: Path) -> None:
    refused = tmp_path / "refused.txt"
    refused.write_text("4.4052E+17\n")
    asked = ("enclave", "optout", str(refused), "--as", "hospital")
    assert living.typed("researcher", *asked).returncode == 3
    done = living.typed("steward", *asked)
    assert done.returncode == 2 and "line 1" in done.stderr and "4.4052" not in done.stderr
    consented = tmp_path / "consented.txt"
    consented.write_text("nobody of this hospital\n")
    taken = as_json(living.typed("steward", "enclave", "consent", str(consented), "--as", "hospital", "--json"))
    assert taken == {"register": "hospital_patients", "changed": 1, "barred": []}
    events = as_json(living.typed("auditor", "enclave", "audit", "search", "--kind", "choices.", "--json"))
    assert [row["actor"] for row in events] == ["steward"]


def test_the_auditor_finds_who_signed_the_policy(living: Living) -> None:
    rows = as_json(living.cli("auditor", "enclave", "audit", "search", "--kind", "policy.", "--json"))
    assert {row["actor"] for row in rows} == {"officer"}


def test_a_researcher_asks_for_more_budget_and_the_officer_grants_or_refuses(living: Living) -> None:
    question = "domicile.open('hospital').sql('SELECT COUNT(*) AS n FROM visits', epsilon='0.2')"
    assert living.run("import domicile", question).state == "finished"  # accounts are open from the first question on
    ask = ("domicile", "budget", "ask", "--project", living.project, "--reason", "A finer table.", "--json")
    assert living.typed("researcher", "domicile", "login", living.settings.url).returncode == 0
    assert living.typed("stranger", "domicile", "login", living.settings.url).returncode == 0
    assert living.typed("stranger", *ask, "--epsilon-project", "305").returncode == 3
    assert living.typed("researcher", *ask).returncode == 3  # it names no cap
    (one,), (two,) = (as_json(living.typed("researcher", *ask, "--epsilon-project", e)) for e in ("305", "900"))
    waiting = as_json(living.typed("officer", "enclave", "budget", "requests", "--json"))
    assert {w["increase"] for w in waiting} == {one["increase"], two["increase"]}
    refuse = ("enclave", "budget", "refuse", two["increase"], "--reason", "Too much.")
    assert living.typed("steward", *refuse).returncode == 3
    assert living.typed("officer", *refuse).returncode == 0
    grant = ("enclave", "budget", "raise", "project", living.project, "--request", one["increase"])
    before = account(living, "project")
    done = living.typed("officer", *grant, "--to", "305", "--why", "agreed")
    assert done.returncode == 0 and "granted" in done.stdout, done.stderr
    assert account(living, "project") > before
    assert living.typed("officer", *grant, "--to", "306").returncode == 3  # granted once
    mine = as_json(living.typed("researcher", "domicile", "budget", "requests", "--json"))
    assert {m["increase"]: (m["state"], m["answer"]) for m in mine} == {
        one["increase"]: ("granted", "agreed"),
        two["increase"]: ("refused", "Too much."),
    }


def test_an_officer_freezes_thaws_and_raises_an_account_through_the_broker(living: Living) -> None:
    card = living.run(
        "import domicile", "domicile.open('hospital').sql('SELECT COUNT(*) AS n FROM visits', epsilon='0.2')"
    )
    assert card.state == "finished", card.why
    words = ("enclave", "budget")
    assert living.typed("steward", *words, "freeze", "project", living.project).returncode == 3
    ask = "domicile.open('hospital').sql('SELECT COUNT(*) AS n FROM visits WHERE los_days > 3', epsilon='0.2')"
    try:
        done = living.typed("officer", *words, "freeze", "project", living.project, "--why", "test")
        assert done.returncode == 0, done.stderr
        assert living.run("import domicile", ask).state == "failed"
    finally:
        done = living.typed("officer", *words, "thaw", "project", living.project, "--why", "test")
    assert done.returncode == 0, done.stderr
    assert living.run("import domicile", ask).state == "finished"
    (spent,) = as_json(living.typed("officer", *words, "report", "--project", living.project, "--json"))
    assert spent["rho"] == sum(line["rho"] for line in spent["lines"]) > 0
    assert 0 < spent["epsilon_pld"] <= spent["epsilon"]
    assert living.typed("researcher", *words, "report").returncode == 3
    before = account(living, "project")
    done = living.typed("officer", *words, "raise", "project", living.project, "--to", "310", "--why", "test")
    assert done.returncode == 0, done.stderr
    assert account(living, "project") > before
    lower = living.typed("officer", *words, "raise", "project", living.project, "--to", "1", "--why", "test")
    assert lower.returncode == 3 and "only goes up" in lower.stderr


def account(living: Living, kind: str) -> int:
    rows = as_json(living.typed("officer", "enclave", "budget", "show", "--json"))
    return max(int(row["rho_cap"]) for row in rows if row["kind"] == kind and living.project in row["name"])


def test_an_intake_rehearsed_writes_nothing(living: Living) -> None:
    shelf = sorted(p.name for p in living.place.extracts.rglob("*"))
    raw = living.place.home.parent / "raw"
    done = living.cli("steward", "enclave", "intake", str(raw), "--as", "hospital", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["lineage"]["visits"]["dept"]
    assert sorted(p.name for p in living.place.extracts.rglob("*")) == shelf


def test_an_intake_again_finds_the_same_content(living: Living) -> None:
    raw = living.place.home.parent / "raw"
    made = as_json(living.cli("steward", "enclave", "intake", str(raw), "--as", "hospital", "--json"))
    assert (made["version"], made["unchanged"]) == (1, True)


def test_the_readme_runs_behind_the_wall(living: Living) -> None:
    code = FENCE.findall((ROOT / "README.md").read_text())
    assert code, "the README shows a notebook"
    card = living.run(*code)
    assert card.state == "finished", card.why
    assert [o.kind for o in living.settled(card.run).outputs] == ["chart"]


def test_quote_and_catalogue_are_shown_without_spending(living: Living) -> None:
    assert living.typed("researcher", "domicile", "login", living.settings.url).returncode == 0
    done = living.cli("researcher", "domicile", "dataset", "hospital")
    assert done.returncode == 0 and "los_days" in done.stdout
    assert "enclave profile hospital" in done.stdout and "ε = 0.3 would give" in done.stdout, (
        "nothing bought: the price"
    )
    assert "2021-01-01 to 2024-12-31" in done.stdout
    undrawn = living.typed("researcher", "domicile", "dataset", "hospital", "--variable", "visits.dept")
    assert undrawn.returncode == 3 and "visits.dept" in undrawn.stderr
    assert living.typed("researcher", "enclave", "value", "hospital").returncode == 3
    worth = as_json(living.typed("steward", "enclave", "value", "hospital", "--json"))
    assert worth["tables"] == 5 and worth["freshness"]["renewed"] == "never"
    said = living.typed("auditor", "enclave", "value", "hospital")
    assert said.returncode == 0 and "completeness" in said.stdout and "on record" in said.stdout, said.stderr
    sql = "SELECT dept, AVG(los_days) AS los FROM visits GROUP BY dept"
    done = living.typed("researcher", "domicile", "quote", sql, "--epsilon", "0.3", "--project", living.project)
    assert done.returncode == 0, done.stderr
    assert "0.3" in done.stdout and "researcher" in done.stdout
    done = living.typed("researcher", "domicile", "quote", "SELECT MIN(los_days) FROM visits", "--epsilon", "0.3")
    assert done.returncode == 3 and "MIN" in done.stderr and "line 1" in done.stderr


def test_a_project_in_pure_epsilon_is_asked_for_shown_and_quoted_as_such(living: Living) -> None:
    form = tomllib.loads((ROOT / "notebooks" / "request.toml").read_text()) | {"pure": True}
    days = {"starts_on": str(date.today()), "ends_on": str(date.today() + timedelta(days=30))}
    stranger = living.api("stranger")
    asked = stranger.request({**form, **days})
    shown = {
        row["request"]: row["measure"] for row in as_json(living.typed("officer", "enclave", "requests", "--json"))
    }
    assert (shown[asked["request"]], shown[living.request]) == ("pure", "zcdp")
    for role in ("steward", "officer"):
        assert living.typed(role, "enclave", "approve", asked["request"]).returncode == 0
    project = next(row["project"] for row in stranger.requests() if row["request"] == asked["request"])
    sql = "SELECT dept, AVG(los_days) AS los FROM visits GROUP BY dept"
    found = stranger.quote("hospital", sql, "0.3", project)
    assert (found.pure, found.delta, stranger.quote("hospital", sql, "0.3").pure) == (True, 0.0, False)
    assert stranger.ask("hospital", sql, "0.3", project).head.quote.pure, "the twin is asked at the same price"
    median = stranger.quote("hospital", "SELECT MEDIAN(los_days) AS m FROM visits", "0.3", project)
    assert {m.mechanism for m in median.mechanisms} == {"permute_and_flip"}
    with pytest.raises(ProblemError, match="pure"):
        stranger.quote("hospital", "SELECT dx_code, COUNT(*) AS n FROM visits GROUP BY dx_code", "0.3", project)


def test_a_notebook_is_read_before_it_runs_where_policy_says_so(living: Living, tmp_path: Path) -> None:
    _, project = granted(living, title="Read first")
    policy = living.place.policies / "run.toml"
    policy.write_text(policy.read_text().replace("projects = []", f"projects = ['{project}']"))
    assert living.typed("researcher", "domicile", "login", living.settings.url).returncode == 0
    path = tmp_path / "read.ipynb"

    def submit(*cells: str, waits: bool = False) -> Any:
        path.write_text(notebook_of(*cells))
        words = ("domicile", "submit", str(path), "--project", project, "--dataset", "hospital", "--json")
        return as_json(living.typed("researcher", *words, *(["--wait"] if waits else [])))

    first = submit("import os", "x = 1")
    assert first["state"] == "submitted" and "read its code" in first["why"]
    for who in ("researcher", "officer", "stranger"):
        assert living.typed(who, "enclave", "pass", first["run"]).returncode in (3, 4)
        assert as_json(living.typed(who, "enclave", "reviews", "--json")) == []
    assert first["run"] in living.typed("steward", "enclave", "reviews").stdout
    seen = living.typed("steward", "enclave", "review", first["run"]).stdout
    assert "import os" in seen and "read the whole" in seen
    assert living.typed("steward", "enclave", "pass", first["run"]).returncode == 0
    assert living.wait(living.api().run(first["run"])).state == "finished"
    assert submit("import os", "x = 1", waits=True)["state"] == "finished", "the same code is not read twice"
    changed = submit("import os", "x = os.environ")
    seen = living.typed("steward", "enclave", "review", changed["run"]).stdout
    assert "+    x = os.environ" in seen and "-    x = 1" in seen and "cell 1, line 1" in seen
    assert living.typed("steward", "enclave", "refuse", changed["run"], "--reason", "what for?").returncode == 0
    ended = living.api().run(changed["run"])
    assert ended.state == "refused" and "what for?" in ended.why
    found = as_json(living.typed("researcher", "domicile", "lint", str(path), "--json"))["findings"]
    assert [(f["rule"], f["place"]) for f in found] == [("code_environment", "cell 1, line 1")]


def test_what_holds_on_this_machine_is_said(living: Living) -> None:
    told = as_json(living.cli("operator", "enclave", "selfcheck", "wall", "--json"))
    assert {"kernel", "landlock", "bubblewrap", "jails_run_as", "environment"} <= set(told["machine"])
    assert len(told["checks"]) > 300 and {row["holds"] for row in told["checks"]} == {"yes"}
    shown = living.cli("operator", "enclave", "selfcheck")
    assert shown.returncode == 0, shown.stderr
    words = " ".join(shown.stdout.split())
    assert "things tried from inside" in words and "bubblewrap" in words and "memory" in words
    assert "see /proc/self/maps" not in words, "only with --all"


def test_the_lock_at_home_is_the_one_behind_the_wall(living: Living) -> None:
    from enclave.run import SandboxFiles, prepare

    told = living.api().environment()
    jail = prepare(SandboxFiles.find())
    assert told.digest == jail.lock
    refused = living.cli("researcher", "domicile", "lab")
    assert (refused.returncode, "domicile[lab]" in refused.stderr) == (3, True), "JupyterLab is not installed here"
