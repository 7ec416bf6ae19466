"""What a notebook must not be able to do, tried behind the wall, and outside as the control.

The code of the probes is `sandbox/canary.py` and `sandbox/probes/`, word for word the same on both sides. The control runs
as the same user, with the same interpreter, with a data file, its folder and a listener left open and a variable set, as a
careless starter would; what only root may do is tried by root, in namespaces of its own, and what would change this
machine on one that is made for it (`outside.py`).
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from sandbox.canary import MADE, ROOT, USER

from enclave.run import Wall
from enclave.run.environment import JailUser
from enclave.run.selfcheck import BY_DESIGN, planting, probe, selfcheck

from .conftest import Runner
from .outside import NO_SUCH_FAMILY, NO_SUCH_RIGHT, control
from .probes import PROBES, controlled, unexpected

pytestmark = pytest.mark.xdist_group("jail probes")  # one worker: the jail is shared

NO_SUCH_CALL = "held: OSError 38"
"""Outside: this kernel was built without it, so there is nothing to stop."""


class Found(NamedTuple):
    inside: dict[str, str]
    outside: dict[str, str]
    as_root: dict[str, str]
    on_a_made_machine: dict[str, str]


@pytest.fixture(scope="session")
def found(wall: Wall, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    uid, gid, groups = wall.environment.user.change
    asleep = subprocess.Popen(["/bin/sleep", "60"], user=uid, group=gid, extra_groups=groups)
    try:
        with planting() as planted, pytest.MonkeyPatch.context() as patch:
            planted["process"] = asleep.pid
            patch.setenv(planted["variable"], "x")
            left_open = [os.open(planted[name], os.O_RDONLY) for name in ("file", "folder")]
            for descriptor in (*left_open, planted["listener"]):
                os.set_inheritable(descriptor, True)
            inside = probe(wall, planted)
            made = tmp_path_factory.mktemp("made")
            outside = control(wall, planted, USER, made, *left_open, planted["listener"])
            roots = [control(wall, planted, who, made) if os.geteuid() == 0 else {} for who in (ROOT, MADE)]
            yield Found(inside, outside, *roots)
            for descriptor in left_open:
                os.close(descriptor)
    finally:
        asleep.kill()
        asleep.wait()


@pytest.mark.parametrize("name", PROBES)
def test_the_wall_holds(name: str, found: Found) -> None:
    assert unexpected({name: found.inside[name]}) == []


@pytest.mark.parametrize("name", controlled("user"))
def test_nothing_stops_the_same_probe_outside(name: str, found: Found) -> None:
    assert found.outside[name] in ("open", BY_DESIGN, NO_SUCH_CALL)


@pytest.mark.skipif(os.geteuid() != 0, reason="what only root may do is tried outside by root alone")
@pytest.mark.parametrize("name", controlled("root"))
def test_root_is_not_stopped_outside(name: str, found: Found) -> None:
    if found.as_root[name] == NO_SUCH_FAMILY:
        pytest.skip("this kernel has not loaded that family, and would load it for the asking")
    assert found.as_root[name] in ("open", NO_SUCH_CALL)


@pytest.mark.skipif(os.geteuid() != 0, reason="a machine is made by root alone")
@pytest.mark.parametrize("name", controlled("made"))
def test_nothing_stops_the_same_probe_on_a_made_machine(name: str, found: Found) -> None:
    if found.on_a_made_machine[name] == NO_SUCH_RIGHT:
        pytest.skip("root itself lacks CAP_SYS_RESOURCE here")
    assert found.on_a_made_machine[name] == "open"


def test_every_probe_ran_on_both_sides(found: Found) -> None:
    assert list(found.inside) == list(PROBES)
    assert list(found.outside) == controlled("user")
    missing = [name for name in controlled("user") if found.outside[name] == NO_SUCH_CALL]
    assert len(missing) < 12, "a control that this kernel cannot run is the exception"


AS_A_USER = """
import json, pickle, sys
from enclave.run.selfcheck import planting, probe
wall = pickle.load(sys.stdin.buffer)
with planting() as planted:
    print(json.dumps(probe(wall, planted)))
"""
ORDINARY = 64_211


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests of this file are run as an ordinary user already")
def test_the_wall_holds_for_an_ordinary_user_who_starts_the_jail(wall: Wall, for_others: dict[str, str]) -> None:
    """Nothing of root's: the starter itself is the user whose jail it is, as on a machine of one's own."""
    environment = wall.environment
    mine = Wall(
        wall.sandbox,
        type(environment)(
            environment.interpreter,
            environment.packages,
            environment.layer,
            JailUser(ORDINARY, ORDINARY),
            environment.digest,
        ),
        wall.limits,
    )
    done = subprocess.run(
        [environment.interpreter.path, "-B", "-c", AS_A_USER],
        input=pickle.dumps(mine),
        env=for_others,
        cwd="/",
        capture_output=True,
        check=False,
        user=ORDINARY,
        group=ORDINARY,
        extra_groups=(),
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    found = json.loads(done.stdout)
    assert unexpected(found) == [] and list(found) == list(PROBES)


INT_80 = """
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, 20 (getpid of 32 bits); int 0x80; ret
print(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))())
"""


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="another machine's door")
def test_calls_of_32_bit_programs_end_whoever_makes_them(jailed: Runner) -> None:
    outcome = jailed(INT_80)
    assert (outcome.state, outcome.why) == ("failed", "run.kernel_ended")
    outside = subprocess.run([sys.executable, "-c", INT_80], capture_output=True, text=True, check=False)
    assert outside.returncode == 0, "the control: outside the call is made, or answers that it is not there"


def test_the_self_check_finds_nothing_open_and_leaves_nothing_running(wall: Wall) -> None:
    begun = time.monotonic()
    checks = selfcheck(wall)
    assert [check for check in checks if not check.ok] == []
    assert {"run_past_the_deadline", *PROBES} == {check.name for check in checks}
    assert time.monotonic() - begun < 20
