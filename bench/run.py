"""How much slower is a notebook behind the wall than papermill at home?

The same notebook, interpreter and packages (the jail's own environment). Bare `papermill in out` as a process takes turns
with the jailed run, the order turned round each time; each pair gives one ratio, and the median counts. Bare
papermill draws the notebook's picture; behind the wall nobody would see it and none is drawn (docs/decisions/0071).

    run.cold    a jail started for the run, until its result is in hand and nothing of it is left
    run.warm    handed in at the door of a running house, until it says finished; two jails wait
    run.row     eight runs handed in one after another, each as the one before finished: refilling included
    run.idle_mib  what one waiting jail holds, its share of what is shared (PSS), two waiting
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from tests.living import Living, born, granted, raw_hospital, shelved

from enclave.bootstrap import up
from enclave.run import JailSpec, Limits, SandboxFiles, Source, Wall, prepare
from enclave.run.jail import run
from enclave.run.output import collect

NOTEBOOK = Path(__file__).parent / "notebooks" / "small.ipynb"
PAIRS = 9
IN_A_ROW = 8
GOALS = {"run.cold": 0.85, "run.warm": 0.15, "run.row": 0.5, "run.idle_mib": 180}
Timed = Callable[[], float]


def _bare(wall: Wall, folder: Path) -> float:
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "JUPYTER_PLATFORM_DIRS": "1"}
    environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # as behind the wall
    command = [wall.environment.python, "-m", "papermill", NOTEBOOK, folder / "out.ipynb", "--no-progress-bar"]
    begun = time.perf_counter()
    subprocess.run([str(word) for word in command], env=environ, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - begun


def _jailed(wall: Wall, source: Source) -> float:
    begun = time.perf_counter()
    outcome = run(wall, JailSpec(source))
    assert outcome.notebook is not None, outcome
    collect(outcome.notebook, source, wall.limits)
    return time.perf_counter() - begun


def _pairs(one: Timed, bare: Timed, rest: Callable[[], object] = lambda: None) -> list[tuple[float, float]]:
    """(one, bare) of each turn but the first, which warms caches of files and fonts on both sides."""
    found: list[tuple[float, float]] = []
    for turn in range(PAIRS + 1):
        rest()
        if turn % 2:
            other, mine = bare(), one()
        else:
            mine, other = one(), bare()
        found += [(mine, other)] if turn else []
    return found


@contextmanager
def _house(folder: Path) -> Iterator[Living]:
    living = born(folder)
    shelved(living, raw_hospital(folder / "raw", 2000))
    living.request, living.project = granted(living)
    with living.up():
        yield living


def _through_the_door(living: Living) -> float:
    """Seconds from handing in to the first look that finds it finished."""
    begun = time.perf_counter()
    card = living.submit(NOTEBOOK.read_text())
    while card.state not in ("finished", "failed", "killed", "refused"):
        time.sleep(0.005)
        card = living.api().run(card.run)
    assert card.state == "finished", card
    return time.perf_counter() - begun


def _below(parent: int) -> list[int]:
    """The descendants of a process."""
    found: list[int] = []
    for task in Path(f"/proc/{parent}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *_below(int(child))]
    return found


def _mib(process: int) -> float:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _until_two_wait(living: Living) -> list[int]:
    """The processes below the worker once two jails wait: nobody starts anything, and nobody is busy any more."""
    (worker,) = (s.pid for s in up.status(living.place) if s.name == "worker")
    steady = 0.0
    seen: list[int] = []
    while steady < 1.0:
        now = _below(worker or 0)
        busy = any(Path(f"/proc/{p}/stat").read_text().rpartition(")")[2].split()[0] == "R" for p in now)
        steady = steady + 0.1 if now == seen and len(now) >= 6 and not busy else 0.0
        seen = now
        time.sleep(0.1)
    return seen


def _row(name: str, value: float, unit: str, against: str, ratio: float) -> dict[str, Any]:
    goal = GOALS[name]
    holds = (value if name == "run.idle_mib" else ratio) <= goal
    shown = {"value": round(value, 3), "unit": unit, "against": against, "ratio": round(ratio, 3)}
    return {"name": name, **shown, "goal": f"<= {goal:g}", "holds": holds}


def measure() -> list[dict[str, Any]]:
    """The rows of the head of this file."""
    sandbox = SandboxFiles.find()
    wall = Wall(sandbox, prepare(sandbox), Limits.default(sandbox))
    source = Source.read(NOTEBOOK.read_bytes(), wall.limits)
    rows = []
    with tempfile.TemporaryDirectory(prefix="domicile-bench-") as name:
        folder = Path(name)
        bare = partial(_bare, wall, folder)
        cold = _pairs(partial(_jailed, wall, source), bare)
        with _house(folder / "house") as living:
            warm = _pairs(partial(_through_the_door, living), bare, partial(_until_two_wait, living))
            idle = sum(map(_mib, _until_two_wait(living))) / 2
            begun = time.perf_counter()
            for _ in range(IN_A_ROW):
                _through_the_door(living)
            in_a_row = (time.perf_counter() - begun) / IN_A_ROW
    for label, pairs in (("run.cold", cold), ("run.warm", warm)):
        mine, other = median(m for m, _ in pairs), median(o for _, o in pairs)
        against = f"bare papermill, same interpreter and packages ({other:.3f} s)"
        rows.append(_row(label, mine, "s", against, median(m / o for m, o in pairs)))
    other = median(o for _, o in warm)
    rows.append(
        _row("run.row", in_a_row, "s a run", f"bare papermill ({other:.3f} s), {IN_A_ROW} in a row", in_a_row / other)
    )
    rows.append(
        _row("run.idle_mib", idle, "MiB", "the goal; one of two waiting jails, PSS", idle / GOALS["run.idle_mib"])
    )
    return rows


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
