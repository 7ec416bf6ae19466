"""Ten things that are known to go wrong with jails made of bubblewrap, each tried (docs/decisions/0010 and 0072).

Findings 4, 5, 7 and 8 (a writable root, files without end, a process 1 that can be stopped, a shared folder) are tried by
probes and by `test_limits`; docs/reference/probes.md says where.
"""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from enclave.errors import NoWall
from enclave.run import JailSpec, Wall
from enclave.run.jail import Jail, run

from .conftest import Runner, notebook

pytestmark = pytest.mark.xdist_group("jail runs")
Marked = Callable[[str], list[int]]


def waiting(wall: Wall, mark: int) -> Jail:
    """A jail that waits, recognised on the machine by a limit of its own."""
    jail = Jail(wall, dataclasses.replace(wall.limits, cpu_seconds=mark))
    give_up = time.monotonic() + 60
    while not jail.is_ready:
        assert jail.attend() and time.monotonic() < give_up, "it did not get ready"
        time.sleep(0.01)
    return jail


@pytest.fixture
def jail(wall: Wall) -> Iterator[Jail]:
    jail = waiting(wall, 881)
    yield jail
    jail.end()


def kernels(left_over: Marked, mark: int) -> list[int]:
    """The processes of one jail: those that run our runner."""
    found = left_over(f'"cpu_seconds": {mark}')
    return [n for n in found if Path(f"/proc/{n}/cmdline").read_bytes().startswith(b"/env/bin/python")]


def about(process: int, field: str) -> list[str]:
    status = Path(f"/proc/{process}/status").read_text()
    (line,) = re.findall(rf"^{field}:\s+(.*)$", status, re.MULTILINE)
    return str(line).split()


def test_1_and_2_no_process_of_a_jail_is_root_on_the_machine_or_has_a_right(jail: Jail, left_over: Marked) -> None:
    """Root's own bubblewrap with a /proc could write to the machine's /proc/sys, and no limit on processes binds root."""
    processes = kernels(left_over, 881)
    assert len(processes) == 2
    for number in processes:
        assert "0" not in about(number, "Uid") + about(number, "Gid")
        assert about(number, "NoNewPrivs") == ["1"] and about(number, "Seccomp") == ["2"]
        assert {int(word, 16) for kind in ("CapEff", "CapPrm", "CapBnd", "CapInh") for word in about(number, kind)} == {
            0
        }


def test_3_where_a_user_namespace_cannot_be_made_there_is_no_jail(wall: Wall, tmp_path: Path) -> None:
    """`--unshare-all` alone goes on without one."""
    uid, gid, groups = wall.environment.user.change

    def under(limit: str, *command: str) -> int:
        few = f'echo {limit} > /proc/sys/user/max_user_namespaces && exec "$@"'
        words = ["/usr/bin/unshare", "--user", "--map-root-user", "/bin/sh", "-c", few, "sh", *command]
        return subprocess.run(
            words, capture_output=True, check=False, user=uid, group=gid, extra_groups=groups
        ).returncode

    plain = ("/usr/bin/bwrap", "--unshare-all", "--ro-bind", "/", "/", "/bin/true")
    ours = ("/usr/bin/bwrap", "--unshare-all", "--unshare-user", "--ro-bind", "/", "/", "/bin/true")
    assert (under("0", *plain), under("9", *ours)) == (0, 0), (
        "the controls: it goes on without; ours works where it can"
    )
    assert under("0", *ours) != 0


def test_3_a_jail_that_does_not_start_is_said_so(wall: Wall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Wall, "command", lambda *_, **__: ["/usr/bin/bwrap", "--unshare-user", "--no-such-flag"])
    with pytest.raises(NoWall, match="no-such-flag"):
        run(wall, JailSpec(notebook("1")))


def test_6_a_jail_whose_starter_thread_ended_is_ended_whole(wall: Wall, left_over: Marked) -> None:
    """bubblewrap's --die-with-parent counts threads: it alone may kill the outer process and leave the inner ones."""
    started: list[Jail] = []
    thread = threading.Thread(target=lambda: started.append(waiting(wall, 882)))
    thread.start()
    thread.join()
    assert started
    started[0].end()
    assert kernels(left_over, 882) == []


def test_6_a_killed_outer_process_takes_the_jail_with_it(wall: Wall, left_over: Marked) -> None:
    jail = waiting(wall, 883)
    (outer,) = set(left_over('"cpu_seconds": 883')) - set(kernels(left_over, 883))
    os.kill(outer, 9)
    jail.end()
    assert kernels(left_over, 883) == []


def test_9_no_file_of_the_machine_is_open_in_a_jail(jail: Jail, left_over: Marked) -> None:
    """What is inherited as stdin or stdout can be opened anew, and written from its beginning."""
    allowed = re.compile(r"pipe:|socket:|anon_inode:|/dev/null|/memfd:")
    for number in kernels(left_over, 881):
        opened = [str(link.readlink()) for link in Path(f"/proc/{number}/fd").iterdir()]
        assert opened and all(allowed.match(path) for path in opened), opened


def test_10_no_process_of_ours_is_left_unburied(jailed: Runner) -> None:
    def zombies() -> set[str]:
        children = " ".join(p.read_text() for p in Path("/proc/self/task").glob("*/children")).split()
        return {child for child in children if about(int(child), "State")[0] == "Z"}

    before = zombies()
    jailed("1")
    jailed("import os; os._exit(0)")
    assert zombies() <= before, "those of other tests may be buried meanwhile"
