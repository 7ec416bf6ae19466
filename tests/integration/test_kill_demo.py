"""`make demo` is killed with all its processes, at one moment after another, and run again: it ends as if nothing had been.

Slow (minutes), so it runs by `make audit`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.living import ROOT

from enclave.bootstrap import up
from enclave.store import Place

pytestmark = [pytest.mark.audit, pytest.mark.timeout(2400)]

MOMENTS = [
    ("A home for", 1.0),
    ("A home for", 3.0),
    ("Records come in", 1.0),
    ("Records come in", 8.0),
    ("The processes start", 1.5),
    ("A researcher asks", 2.5),
    ("Notebooks run", 3.0),
    ("Notebooks run", 8.0),
    ("Vetted aggregates", 2.5),
]
"""Chapter and seconds into it."""


def demo(tree: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, tree / "notebooks" / "demo.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        cwd=tree,
    )


def kill_all(tree: Path, process: subprocess.Popen[str]) -> None:
    """The demo, every command it runs, and the three processes: nobody gets to clean up."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    for seen in up.status(Place(tree / "demo-home")):
        if seen.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(seen.pid, signal.SIGKILL)


def killed_at(tree: Path, chapter: str, seconds: float) -> None:
    process, said = demo(tree), ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if chapter in line:
            break
    else:
        raise AssertionError(f"it ended before `{chapter}`:\n{said}")
    time.sleep(seconds)
    kill_all(tree, process)


def run_through(tree: Path) -> dict[str, Any]:
    process = demo(tree)
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 0, said
    last: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    return last


def test_the_demo_ends_well_after_being_killed_at_every_chapter(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    left_out = shutil.ignore_patterns(
        ".*", "demo-home", "demo-release*", "src", "tests", "bench", "docs", "__pycache__"
    )
    shutil.copytree(ROOT, tree, ignore=left_out)
    try:
        for chapter, seconds in MOMENTS:
            killed_at(tree, chapter, seconds)
        ended = run_through(tree)
        assert ended["audit"] == "ok" and ended["epsilon_spent"] > 0
        assert {Path(name).suffix for name in ended["released"]} >= {".csv", ".png", ".json"}
        again = run_through(tree)
        assert again["epsilon_spent"] == ended["epsilon_spent"], "stored answers are free"
        assert again["audit"] == "ok" and again["events"] > ended["events"]
    finally:
        up.down(Place(tree / "demo-home"))
