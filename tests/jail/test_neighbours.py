"""Four greedy jails at once, and one that does its work: each bomb ends by name, the work is done, the machine is unharmed.

How much slower the work gets is measured in bench/neighbours.py; here nobody counts seconds.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from enclave.run import Outcome, Wall
from enclave.run.cgroup import Cages

from .conftest import Runner

pytestmark = pytest.mark.xdist_group("jail runs")

FORKS = """
import os, threading
def forever():
    while True:
        try: os.fork()
        except OSError: pass
        try: threading.Thread(target=forever).start()
        except RuntimeError: pass
forever()
"""
MEMORY = """
held = []
while True:
    try: held.append(bytearray(64 << 20))
    except MemoryError: pass
"""
BUSY = """
import hashlib, threading
def spin():
    while True: hashlib.sha256(bytes(1 << 20))  # gives the interpreter away while it works
for _ in range(30): threading.Thread(target=spin).start()
spin()
"""
BOMBS = {
    "fork": (FORKS, {"run.deadline"}),
    "memory": (MEMORY, {"run.deadline", "run.out_of_memory", "run.kernel_ended"}),
    "output": (
        "while True: print('x' * 10_000)",
        {"run.printed_too_much", "run.deadline"},
    ),  # whichever comes first on a busy machine
    "busy": (BUSY, {"run.deadline"}),
}
WORK = "import pandas as pd\ndeclare(int(pd.DataFrame({'x': range(1000)})['x'].sum()))"


def available() -> int:
    """Mebibytes the machine could still give."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")) // 1024


def test_a_bomb_in_one_jail_ends_by_name_and_the_work_of_another_is_done(
    jailed: Runner, left_over: Callable[[str], list[int]]
) -> None:
    ended: dict[str, Outcome] = {}
    mark = '"cpu_seconds": 884'

    def explode(name: str) -> None:
        ended[name] = jailed(BOMBS[name][0], seconds=6, cpu_seconds=884, memory_mib=1024)

    before = available()
    bombs = [threading.Thread(target=explode, args=(name,)) for name in BOMBS]
    for bomb in bombs:
        bomb.start()
    done = [jailed.declared(WORK) for _ in range(3)]
    while_they_burn = available()
    for bomb in bombs:
        bomb.join()
    assert done == [[499_500]] * 3
    assert {name: outcome.why in BOMBS[name][1] for name, outcome in ended.items()} == dict.fromkeys(BOMBS, True), ended
    assert all(outcome.notebook is None for outcome in ended.values())
    assert before - while_they_burn < 6 * 1024, "each of eight processes may hold 1 GiB, scratch space 0.2"
    assert left_over(mark) == []


def cgroups() -> Path | None:
    """Where this machine has cgroups of version 2 that we may make, whether or not they count memory."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, at, kind = line.split()[:3]
        if kind == "cgroup2" and os.access(at, os.W_OK):
            return Path(at)
    return None


@pytest.mark.skipif(cgroups() is None, reason="no cgroup of version 2 can be made here")
def test_a_jail_is_in_its_cgroup_from_its_first_instruction_and_the_cgroup_goes_with_it(
    jailed: Runner, left_over: Callable[[str], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = cgroups()
    assert root is not None
    monkeypatch.setattr("enclave.run.started.caps_of", lambda _: {})  # none of them may be there
    wall = Wall(jailed.wall.sandbox, jailed.wall.environment, jailed.wall.limits, Cages(root))
    seen: list[str] = []

    def look() -> bool:
        for number in left_over('"cpu_seconds": 885'):
            if Path(f"/proc/{number}/cmdline").read_bytes().startswith(b"/env/bin/python"):
                lines = Path(f"/proc/{number}/cgroup").read_text().splitlines()
                seen.extend(line for line in lines if line.startswith("0::"))
        return True

    outcome = Runner(wall)("import time; time.sleep(0.8)", cpu_seconds=885, still_wanted=look)
    assert outcome.state == "finished", outcome
    assert seen and all("/domicile-" in line for line in seen), seen
    assert list(root.glob(f"domicile-{os.getpid()}-*")) == []


@pytest.mark.skipif(Cages.find() is None, reason="no cgroup that counts memory can be made here: rlimits hold")
def test_a_jail_that_uses_all_its_memory_is_killed_by_that_name(jailed: Runner) -> None:
    wall = Wall(jailed.wall.sandbox, jailed.wall.environment, jailed.wall.limits, Cages.find())
    outcome = Runner(wall)("held = [bytearray(b'x' * (64 << 20)) for _ in range(100)]", jail_mib=600)
    assert (outcome.state, outcome.why) == ("killed", "run.out_of_memory")
