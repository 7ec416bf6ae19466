"""What a greedy or hostile notebook gets: an end by name, and nothing of it is left."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Runner

pytestmark = pytest.mark.xdist_group("jail limits")  # one worker: the jail is shared

GREED = {
    "fill_tmp": """
written = 0
try:
    with open('/tmp/a', 'wb') as one, open('/tmp/b', 'wb') as two, open('/tmp/c', 'wb') as three:
        for file in (one, two, three):
            for _ in range(60):
                written += file.write(b'x' * (1 << 20)); file.flush()
except OSError as full: stopped = full.errno
import os
for name in 'abc': os.path.exists(f'/tmp/{name}') and os.unlink(f'/tmp/{name}')
declare([written >> 20, stopped])""",
    "fill_shm": """
written = 0
try:
    with open('/dev/shm/a', 'wb', buffering=0) as file:
        for _ in range(60): written += file.write(b'x' * (1 << 20))
except OSError as full: stopped = full.errno
declare([written >> 20, stopped])""",
    "inodes": """
import os
made = 0
try:
    while made < 20_000: os.close(os.open(f'/tmp/n{made}', os.O_CREAT | os.O_WRONLY)); made += 1
except OSError as full: stopped = full.errno
for n in range(made): os.unlink(f'/tmp/n{n}')
declare([made, stopped])""",
    "sparse": """
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try: open('/tmp/sparse', 'wb').truncate(1 << 40); declare([0, 0])
except OSError as large: declare([1, large.errno])""",
    "descriptors": """
held = []
try:
    while len(held) < 5000: held.append(open('/dev/null'))
except OSError as many: stopped = many.errno
count = len(held); held.clear()
declare([count, stopped])""",
    "threads": """
import threading
gate, started = threading.Event(), 0
try:
    while started < 500: threading.Thread(target=gate.wait).start(); started += 1
except RuntimeError: pass
gate.set()
declare([started, 0])""",
    "memory": """
try: x = bytearray(8 << 30); declare([8, 0])
except MemoryError: declare([0, 12])""",
    "process_1": """
import os, signal
for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGINT):
    try: os.kill(1, number)
    except OSError: pass
declare([1, 0])""",
}


@pytest.fixture(scope="session")
def greed(jailed: Runner) -> dict[str, list[int]]:
    """One notebook tries them all, one after the other."""
    return dict(zip(GREED, jailed.declared(*GREED.values()), strict=True))


def test_scratch_space_is_capped_in_bytes(greed: dict[str, list[int]]) -> None:
    assert 100 <= greed["fill_tmp"][0] <= 128 and greed["fill_tmp"][1] == 28  # ENOSPC
    assert 10 <= greed["fill_shm"][0] <= 16 and greed["fill_shm"][1] == 28


def test_scratch_space_is_capped_in_files(greed: dict[str, list[int]]) -> None:
    assert 3000 < greed["inodes"][0] <= 4096 and greed["inodes"][1] == 28


def test_no_file_may_be_huge_even_when_it_is_empty(greed: dict[str, list[int]]) -> None:
    assert greed["sparse"] == [1, 27]  # EFBIG


def test_descriptors_threads_and_memory_are_capped(greed: dict[str, list[int]]) -> None:
    assert greed["descriptors"][0] < 256 and greed["descriptors"][1] == 24  # EMFILE
    assert 5 < greed["threads"][0] < 64
    assert greed["memory"] == [0, 12]


def test_process_1_survives_what_the_notebook_sends_it(greed: dict[str, list[int]]) -> None:
    assert greed["process_1"] == [1, 0], "the run finished, so process 1 did not stop"


@pytest.mark.parametrize("cell", ["for i in range(1_000_000): print(i)", "for _ in range(1_000_000): print()"])
def test_a_notebook_that_prints_a_million_lines_is_ended_by_name(jailed: Runner, cell: str) -> None:
    outcome = jailed(cell)
    assert (outcome.state, outcome.why, outcome.notebook) == ("killed", "run.printed_too_much", None)
    assert outcome.wall_seconds < 30


def test_a_notebook_that_prints_a_little_is_not(jailed: Runner) -> None:
    assert jailed("for i in range(1000): print(i)").state == "finished"


def test_a_flood_on_the_raw_descriptors_is_ended(jailed: Runner) -> None:
    outcome = jailed("import os\nwhile True: os.write(1, b'x' * 65536); os.write(2, b'x' * 65536)", seconds=10)
    assert outcome.why in ("run.printed_too_much", "run.deadline")


def test_processor_time_is_capped(jailed: Runner) -> None:
    outcome = jailed("while True: pass", cpu_seconds=1)
    assert (outcome.state, outcome.why) == ("failed", "run.kernel_ended")


def test_an_endless_notebook_is_dead_at_its_deadline_with_everything_it_started(
    jailed: Runner, left_over: Callable[[str], list[int]]
) -> None:
    cell = (
        "import signal, threading\n"
        "for n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\n"
        "def spin():\n    while True: pass\n"
        "for _ in range(3): threading.Thread(target=spin).start()\nspin()"
    )
    seen: list[list[int]] = []
    mark = '"cpu_seconds": 871'

    def look() -> bool:
        seen.append(left_over(mark))
        return True

    outcome = jailed(cell, seconds=2, cpu_seconds=871, still_wanted=look)
    assert (outcome.state, outcome.why, outcome.notebook) == ("killed", "run.deadline", None)
    assert 2 <= outcome.wall_seconds < 6
    assert any(len(pids) >= 2 for pids in seen), "the control: while it ran, its processes were seen"
    assert left_over(mark) == []


def test_a_run_that_is_not_wanted_any_more_is_killed(jailed: Runner, left_over: Callable[[str], list[int]]) -> None:
    begun = time.monotonic()
    mark = '"cpu_seconds": 872'
    outcome = jailed("import time; time.sleep(50)", cpu_seconds=872, still_wanted=lambda: time.monotonic() - begun < 1)
    assert (outcome.state, outcome.why) == ("killed", "run.cancelled")
    assert left_over(mark) == []


SUPERVISOR = """
import dataclasses, sys
from enclave.run import JailSpec, Limits, SandboxFiles, Wall, prepare, Source
from enclave.run.jail import run
from enclave.run.notebook import Cell
sandbox = SandboxFiles.find()
wall = Wall(sandbox, prepare(sandbox), Limits.default(sandbox, seconds=60, cpu_seconds=873))
print("started", flush=True)
run(wall, JailSpec(Source((Cell("code", "while True: pass"),))), on_progress=lambda p: print(p.stage, flush=True))
"""


def test_nothing_is_left_when_the_worker_is_killed(left_over: Callable[[str], list[int]]) -> None:
    worker = subprocess.Popen([sys.executable, "-c", SUPERVISOR], stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    mark = '"cpu_seconds": 873'
    while "running" not in worker.stdout.readline():
        assert worker.poll() is None
    assert left_over(mark), "the control: the jail runs"
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    deadline = time.monotonic() + 5
    while left_over(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left_over(mark) == []


def test_a_starter_keeps_no_descriptor_of_a_jail_that_ended(jailed: Runner) -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    jailed("1")
    before = count()
    jailed("1")
    assert count() == before


def test_the_wall_text_gives_a_reason_for_every_line() -> None:
    import tomllib

    sandbox = Path(__file__).parents[2] / "sandbox"
    wall: dict[str, Any] = tomllib.loads((sandbox / "wall.toml").read_text())
    seccomp: dict[str, Any] = tomllib.loads((sandbox / "seccomp.toml").read_text())
    for entry in (*wall["mount"], *wall["variable"], *wall["limit"], *seccomp["allow"], *seccomp["rule"]):
        assert entry["reason"].strip(), entry
