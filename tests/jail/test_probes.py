"""What a notebook must not be able to do, tried behind the wall, and outside as the control.

The code of the probes is `sandbox/canary.py`, word for word the same on both sides; the control runs as the same user,
with the same interpreter, with a data file left open and a variable set, as a careless starter would.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from enclave.run import Wall
from enclave.run.selfcheck import planting, probe, selfcheck

pytestmark = pytest.mark.xdist_group("jail probes")  # one worker: the jail is shared

CANARY = Path(__file__).parents[2] / "sandbox" / "canary.py"
_DEFINED = runpy.run_path(str(CANARY))
PROBES, CONTROLS = sorted(_DEFINED["PROBES"]), sorted(_DEFINED["CONTROLS"])


class Found(NamedTuple):
    inside: dict[str, str]
    outside: dict[str, str]


def control(wall: Wall, planted: dict[str, Any], descriptor: int) -> dict[str, str]:
    uid, gid, groups = wall.environment.user.change
    code = CANARY.read_text() + "\nimport json\nprint(json.dumps(run(json.loads(sys.argv[1]))))"
    done = subprocess.run(
        [str(wall.environment.python), "-I", "-B", "-c", code, json.dumps(planted)],
        env={"PATH": "/usr/bin:/bin", planted["variable"]: "x"},
        cwd="/tmp",
        pass_fds=(descriptor,),
        capture_output=True,
        text=True,
        check=True,
        user=uid,
        group=gid,
        extra_groups=groups,
    )
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="session")
def found(wall: Wall) -> Iterator[Found]:
    uid, gid, groups = wall.environment.user.change
    asleep = subprocess.Popen(["/bin/sleep", "60"], user=uid, group=gid, extra_groups=groups)
    try:
        with planting() as planted, pytest.MonkeyPatch.context() as patch:
            planted["process"] = asleep.pid
            patch.setenv(planted["variable"], "x")
            descriptor = os.open(planted["file"], os.O_RDONLY)
            os.set_inheritable(descriptor, True)
            yield Found(probe(wall, planted), control(wall, planted, descriptor))
            os.close(descriptor)
    finally:
        asleep.kill()
        asleep.wait()


@pytest.mark.parametrize("name", PROBES)
def test_the_wall_holds(name: str, found: Found) -> None:
    assert found.inside[name].startswith("held"), found.inside[name]


@pytest.mark.parametrize("name", CONTROLS)
def test_nothing_stops_the_same_probe_outside(name: str, found: Found) -> None:
    assert found.outside[name] == "open", found.outside[name]


def test_every_probe_ran_on_both_sides(found: Found) -> None:
    assert sorted(found.inside) == sorted(found.outside) == PROBES


def test_the_self_check_finds_nothing_open_and_leaves_nothing_running(wall: Wall) -> None:
    begun = time.monotonic()
    checks = selfcheck(wall)
    assert [check for check in checks if not check.ok] == []
    assert {"run_past_the_deadline", *PROBES} == {check.name for check in checks}
    assert time.monotonic() - begun < 20
