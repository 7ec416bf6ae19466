"""How much slower does a run get when another one is a bomb?

The small notebook in a waiting jail, alone and beside a jail that forks and starts threads, takes memory, prints, or spins
on every processor; the two take turns, the order turned round each time; each pair gives one ratio, and the median counts.

    run.beside_a.fork_bomb, memory_bomb, output_bomb, busy_loop     with / without; the goal is below 2
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from statistics import median
from typing import Any

from bench.run import NOTEBOOK
from tests.jail.test_neighbours import BOMBS

from enclave.run import JailSpec, Limits, SandboxFiles, Source, Wall, prepare
from enclave.run.cgroup import Cages
from enclave.run.jail import Jail, run
from enclave.run.notebook import Cell

PAIRS = 7
GOAL = 2.0
NAMES = {"fork": "fork_bomb", "memory": "memory_bomb", "output": "output_bomb", "busy": "busy_loop"}
_SETTLE = 1.0
"""Seconds a bomb gets to be at its worst before the work begins."""


@contextmanager
def _burning(wall: Wall, cell: str) -> Iterator[None]:
    """A jail with this bomb, started anew as often as it ends."""
    put_out, burning = threading.Event(), threading.Event()
    spec = JailSpec(Source((Cell("code", cell),)))

    def burn() -> None:
        while not put_out.is_set():
            run(wall, spec, still_wanted=lambda: not put_out.is_set(), on_progress=lambda _: burning.set())

    bomb = threading.Thread(target=burn)
    bomb.start()
    try:
        burning.wait(60)
        time.sleep(_SETTLE)
        yield
    finally:
        put_out.set()
        bomb.join()


def _worked(wall: Wall, source: Source, bomb: str | None) -> float:
    """Seconds of the small notebook in a jail that waited."""
    with closing(_Ready(wall)) as waiting, _burning(wall, bomb) if bomb else nullcontext():
        begun = time.perf_counter()
        outcome = waiting.jail.carry_out(JailSpec(source))
        took = time.perf_counter() - begun
    assert outcome.state == "finished", outcome
    return took


class _Ready:
    """A jail whose kernel waits."""

    def __init__(self, wall: Wall) -> None:
        self.jail = Jail(wall, wall.limits, warm=True)
        while not self.jail.is_ready:
            assert self.jail.attend()
            time.sleep(0.01)

    def close(self) -> None:
        self.jail.end()


def measure() -> list[dict[str, Any]]:
    """One row for each bomb."""
    sandbox = SandboxFiles.find()
    wall = Wall(sandbox, prepare(sandbox), Limits.default(sandbox), Cages.find())
    source = Source.read(NOTEBOOK.read_bytes(), wall.limits)
    rows = []
    for name, (cell, _) in BOMBS.items():
        pairs = []
        for turn in range(PAIRS):
            both = [_worked(wall, source, bomb) for bomb in ((cell, None) if turn % 2 else (None, cell))]
            pairs.append(tuple(reversed(both)) if turn % 2 else tuple(both))
        ratio = median(beside / alone for alone, beside in pairs)
        alone, beside = (median(times) for times in zip(*pairs, strict=True))
        row = {"name": f"run.beside_a.{NAMES[name]}", "value": round(beside, 3), "unit": "s"}
        row |= {"against": f"the same run alone ({alone:.3f} s)", "ratio": round(ratio, 3)}
        rows.append({**row, "goal": f"< {GOAL:g}", "holds": ratio < GOAL})
    return rows


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
