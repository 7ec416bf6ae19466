"""The probes of `sandbox/` without the wall: by the jail's own user, by root, and by root on a machine made for it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from sandbox.canary import MADE, ROOT, USER

from enclave.run import Wall

_DRIVER = """
import json, os, resource, subprocess, sys

def make_a_machine(at):
    '''Root's, of empty files and folders in memory: whatever is done to it ends with it. Its first process can be traced,
    and limits are low enough to be raised.'''
    subprocess.run(["/usr/bin/mount", "-t", "tmpfs", "made", at], check=True)
    for folder in (*FOLDERS, "/tmp", "/home/nb", "/dev/shm"):
        os.makedirs(at + folder, exist_ok=True)
    for thing in (*THINGS, "/env/pyvenv.cfg"):
        if not os.path.lexists(at + thing):
            os.makedirs(os.path.dirname(at + thing), exist_ok=True)
            open(at + thing, "w").close()
    first = os.fork()
    if first:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]))
    os.chroot(at)
    os.chdir("/")
    for name in LIMITS:
        which = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(which)[1]
        low = {"NOFILE": 4096, "CPU": 3600}.get(name, 1 << 40 if hard == resource.RLIM_INFINITY else hard)
        resource.setrlimit(which, (low, low))

given = json.load(sys.stdin)
for text in given["texts"]:
    exec(compile(text, "probes", "exec"), globals())
NUMBERS.update(given["numbers"])
with open("/proc/net/protocols") as kernel:
    listed = {line.split()[0] for line in kernel}
unlisted = [name for name, protocol in PROTOCOLS.items() if protocol not in listed]
with open("/proc/self/status") as status:
    (rights,) = [int(line.split()[1], 16) for line in status if line.startswith("CapEff")]
missing = {}
if given["control"] == ROOT:
    missing = {f"open a socket: {name}": given["no family"] for name in unlisted}
if given["control"] == MADE:
    missing = {f"raise its own limit {name}": given["no right"] for name in LIMITS if not rights >> 24 & 1}
    make_a_machine(given["made"])
for name in missing:
    PROBES.pop(name)
print(json.dumps(run(given["planted"], given["control"]) | missing))
"""
_APART = {ROOT: ("--mount", "--uts", "--ipc", "--net"), MADE: ("--mount", "--uts", "--ipc", "--net", "--pid", "--fork")}
NO_SUCH_FAMILY = "no such family"
"""This kernel has none that is there already; to ask for it would have it look for a driver, and load it."""
NO_SUCH_RIGHT = "no such right"
"""Root itself lacks CAP_SYS_RESOURCE here, as in most containers: nobody raises a limit."""


def control(wall: Wall, planted: dict[str, Any], who: str, made: Path, *descriptors: int) -> dict[str, str]:
    """What came of the probes that must work for `who`; `made` is an empty folder."""
    numbers = wall.sandbox.syscalls[wall.environment.interpreter.machine]
    given = {"texts": wall.sandbox.canary, "numbers": numbers, "planted": planted, "control": who, "made": str(made)}
    given |= {"no family": NO_SUCH_FAMILY, "no right": NO_SUCH_RIGHT}
    apart = ["/usr/bin/unshare", *_APART[who]] if who in _APART else []
    uid, gid, groups = wall.environment.user.change if who == USER else (None, None, None)
    done = subprocess.run(
        [*apart, str(wall.environment.python), "-I", "-B", "-c", _DRIVER],
        input=json.dumps(given),
        env={"PATH": "/usr/bin:/bin", planted["variable"]: "x"},
        cwd="/tmp",
        pass_fds=descriptors,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        user=uid,
        group=gid,
        extra_groups=groups,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


__all__ = ["NO_SUCH_FAMILY", "NO_SUCH_RIGHT", "control"]
