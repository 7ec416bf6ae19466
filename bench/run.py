"""How much slower is a notebook behind the wall than papermill at home?

The same notebook, interpreter and packages (the jail's own environment), cold on both sides: bare `papermill in out` as a
process, against the whole jailed run until its result is in hand and nothing of it is left. They take turns, the order
turned round each time, and each pair gives one ratio.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from enclave.run import JailSpec, Limits, SandboxFiles, Source, Wall, prepare
from enclave.run.jail import run
from enclave.run.output import collect

NOTEBOOK = Path(__file__).parent / "notebooks" / "small.ipynb"
PAIRS = 9
GOAL = 1.15


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


def measure() -> list[dict[str, Any]]:
    """One row: the jailed cold run, and its ratio to the bare one."""
    sandbox = SandboxFiles.find()
    wall = Wall(sandbox, prepare(sandbox), Limits.default(sandbox))
    source = Source.read(NOTEBOOK.read_bytes(), wall.limits)
    pairs: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory(prefix="domicile-bench-") as name:
        folder = Path(name)
        for turn in range(PAIRS + 1):
            if turn % 2:
                bare, jailed = _bare(wall, folder), _jailed(wall, source)
            else:
                jailed, bare = _jailed(wall, source), _bare(wall, folder)
            pairs += [(jailed, bare)] if turn else []  # the first turn warms caches of files and fonts on both sides
    ratio = median(jailed / bare for jailed, bare in pairs)
    return [
        {
            "name": "run.cold",
            "value": round(median(jailed for jailed, _ in pairs), 3),
            "unit": "s",
            "against": f"bare papermill, same interpreter and packages ({median(b for _, b in pairs):.3f} s)",
            "ratio": round(ratio, 3),
            "goal": f"<= {GOAL}",
            "holds": ratio <= GOAL,
        }
    ]


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
