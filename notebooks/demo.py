"""The main job, end to end, in the words people type: `make demo`.

A hospital's records come in, are de-identified and encrypted; a researcher asks and is granted; notebooks run behind the
wall; a release leaves and is verified. Every step is a command of `enclave` or `domicile` run as a process, shown as it
would be typed. It may be run again, and again after being killed: each step looks first at what is there.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "demo-home"
RELEASE = ROOT / "demo-release"
TOKENS = HOME / "demo-tokens.json"
BIN = Path(sys.executable).parent
MEMBERS = {
    "demo-steward": "steward",
    "demo-officer": "officer",
    "demo-researcher": "researcher",
    "demo-auditor": "auditor",
}
NOTEBOOKS = {"length_of_stay.ipynb": {"epsilon": "1.5"}, "diabetes_prevalence.ipynb": {"epsilon": "1.5"}}


class StepFailed(SystemExit):
    """A command ended otherwise than it should; its own words have been shown."""


def tokens() -> dict[str, str]:
    return json.loads(TOKENS.read_text()) if TOKENS.exists() else {}


def keep_token(member: str, token: str) -> None:
    draft = TOKENS.with_suffix(".draft")
    draft.write_text(json.dumps({**tokens(), member: token}))
    draft.replace(TOKENS)


def run(who: str, *words: str, quiet: bool = False) -> str:
    """Run one command as `who`, shown as typed; what it printed."""
    environment = {
        k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "LC_ALL", "HOME", "DOMICILE_LANG", "TERM")
    }
    environment |= {"ENCLAVE_HOME": str(HOME), "XDG_CONFIG_HOME": str(HOME / "laptop" / who)}
    token = tokens().get(who)
    if token:
        environment |= {"ENCLAVE_TOKEN": token, "DOMICILE_TOKEN": token}
    if not quiet:
        shown = " ".join(w.replace(f"{ROOT}/", "") for w in words)
        print(f"\n\033[2m{who}\033[0m $ \033[1m{shown}\033[0m", flush=True)
    done = subprocess.run(
        [BIN / words[0], *words[1:]], env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    if not quiet and done.stdout:
        print(done.stdout.rstrip().replace(token or "\0", "dom_…"), flush=True)
    if done.returncode:
        raise StepFailed(f"the step `{' '.join(words[:3])}` ended with {done.returncode}")
    return done.stdout


def ask(who: str, *words: str) -> Any:
    """Run one command that answers in JSON, without showing it."""
    return json.loads(run(who, *words, "--json", quiet=True))


@contextmanager
def chapter(title: str) -> Iterator[None]:
    print(f"\n\033[36m━━ {title}\033[0m", flush=True)
    start = time.monotonic()
    yield
    print(f"\033[2m   {time.monotonic() - start:.1f} s\033[0m", flush=True)


def free_port() -> int:
    """A port nobody listens on, below those the kernel hands out to clients."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def found_home() -> None:
    """A home with its members. One born without its operator's token being kept holds nothing yet, and is begun again."""
    if not (HOME / "home.json").exists() or not TOKENS.exists():
        if HOME.exists():
            shutil.rmtree(HOME)
        HOME.mkdir(mode=0o700)
        born = json.loads(run("founder", "enclave", "init", "--demo", "--port", str(free_port()), "--json", quiet=True))
        keep_token("operator", born["token"])
    known = {m["member"] for m in ask("operator", "enclave", "people", "list")}
    for member, role in MEMBERS.items():
        if member in tokens():
            continue
        verb = ("renew", member) if member in known else ("add", member, "--role", role, "--name", f"Demo {role}")
        keep_token(member, ask("operator", "enclave", "people", *verb)["token"])
    run("operator", "enclave", "people", "list")


def bring_records_in() -> None:
    raw = HOME / "raw"
    if not (raw / "generator.json").exists():
        print(f"\n\033[2mhospital\033[0m $ \033[1mpython datasets_synthetic/make.py {raw.relative_to(ROOT)}\033[0m")
        subprocess.run([sys.executable, ROOT / "datasets_synthetic" / "make.py", raw], check=True, cwd=ROOT)
    run("demo-officer", "enclave", "policy", "sign", "datasets/hospital/datapackage.yaml")
    run("demo-officer", "enclave", "policy", "sign", "budget.toml")
    run("demo-steward", "enclave", "intake", str(raw), "--as", "hospital")


def filled_form() -> Path:
    """The example form, with dates that begin today."""
    today = date.today()
    form = (ROOT / "notebooks" / "request.toml").read_text()
    form = re.sub(r"(?m)^starts_on = .*$", f"starts_on = {today}", form)
    form = re.sub(r"(?m)^ends_on = .*$", f"ends_on = {today + timedelta(days=180)}", form)
    path = HOME / "request.toml"
    path.write_text(form)
    return path


def be_granted() -> str:
    """The project of the demo's request, granted by steward and officer."""
    run("demo-researcher", "domicile", "datasets")
    run("demo-researcher", "domicile", "dataset", "hospital")
    mine = ask("demo-researcher", "domicile", "requests")
    request = next((r for r in mine if r["state"] not in ("refused", "withdrawn")), None)
    if request is None:
        request = ask("demo-researcher", "domicile", "request", str(filled_form()))
    for who in ("demo-steward", "demo-officer"):
        state = next(r["state"] for r in ask(who, "enclave", "requests") if r["request"] == request["request"])
        if (who, state) in {("demo-steward", "submitted"), ("demo-officer", "approved-in-part")}:
            run(
                who,
                "enclave",
                "approve",
                request["request"],
                "--reason",
                "demo: aggregate questions of public interest",
            )
    run("demo-researcher", "domicile", "requests")
    return next(
        r["project"] for r in ask("demo-researcher", "domicile", "requests") if r["request"] == request["request"]
    )


def ask_behind_the_wall(project: str) -> list[str]:
    """Run every notebook; the ids of the runs that finished."""
    runs = []
    for name, parameters in NOTEBOOKS.items():
        words = [word for key, value in parameters.items() for word in ("-p", f"{key}={value}")]
        run("demo-researcher", "domicile", "submit", f"notebooks/{name}", "--project", project, *words, "--wait")
        runs.append(ask("demo-researcher", "domicile", "runs")[0]["run"])
    for one in runs:
        wait_until_vetted(one)
    return runs


def wait_until_vetted(one: str) -> None:
    """The worker takes outputs in a moment after their run has finished."""
    for _ in range(100):
        states = [output["state"] for output in ask("demo-researcher", "domicile", "run", one)["outputs"]]
        if states and "declared" not in states:
            return
        time.sleep(0.3)
    raise StepFailed(f"the outputs of {one} were not vetted; demo-home/run/worker.log says why")


def release(runs: list[str]) -> list[str]:
    """What the steward passes leaves with a signed receipt; the files now in `demo-release/`."""
    for output in ask("demo-steward", "enclave", "outputs"):
        if output["run"] in runs:
            run(
                "demo-steward",
                "enclave",
                "pass",
                output["output"],
                "--reason",
                "noisy aggregates of a granted question",
            )
    staging = RELEASE.with_name("demo-release.new")
    shutil.rmtree(staging, ignore_errors=True)
    for one in runs:
        run("demo-researcher", "domicile", "fetch", one, "--to", str(staging / one))
    for one in runs:
        run("demo-researcher", "domicile", "verify", str(staging / one))
    return gather(staging, runs)


def gather(staging: Path, runs: list[str]) -> list[str]:
    """Put the fetched releases side by side: the first at the top, the others in folders named after their notebook."""
    shutil.rmtree(RELEASE, ignore_errors=True)
    for name, one in zip(NOTEBOOKS, runs, strict=True):
        target = RELEASE if name == next(iter(NOTEBOOKS)) else RELEASE / name.removesuffix(".ipynb")
        shutil.copytree(staging / one, target)
    shutil.rmtree(staging)
    return sorted(p.relative_to(ROOT).as_posix() for p in RELEASE.rglob("*") if p.is_file())


def main() -> None:
    os.umask(0o077)
    with chapter("A home for a hospital's records"):
        found_home()
    with chapter("Records come in, are de-identified and encrypted"):
        bring_records_in()
    with chapter("The processes start"):
        run("operator", "enclave", "up")
    try:
        with chapter("A researcher asks and is granted"):
            address = ask("operator", "enclave", "status")["url"]
            run("demo-researcher", "domicile", "login", address)
            project = be_granted()
        with chapter("Notebooks run behind the wall"):
            runs = ask_behind_the_wall(project)
        with chapter("Vetted aggregates leave"):
            released = release(runs)
        budget = next(a for a in ask("demo-researcher", "domicile", "budget") if a["kind"] == "project")
        run("demo-researcher", "domicile", "budget")
        proof = ask("demo-auditor", "enclave", "audit", "verify")
        run("demo-auditor", "enclave", "audit", "verify")
    finally:
        run("operator", "enclave", "down")
    last = {
        "released": released,
        "epsilon_spent": budget["epsilon_spent"],
        "epsilon_left": budget["epsilon_left"],
        "audit": "ok" if proof["ok"] else "broken",
        "events": proof["events"],
    }
    print(json.dumps(last))


if __name__ == "__main__":
    main()
