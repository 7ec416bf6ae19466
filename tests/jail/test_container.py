"""The wall inside a container: an ordinary user, no capability, a read-only root, and the filter of sandbox/oci.

No container engine is needed: bubblewrap makes one by hand, with what sandbox/oci/README.md gives the container and no more.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import struct
import subprocess
from pathlib import Path

import pytest

from enclave.run import Wall
from enclave.run.environment import JailUser
from enclave.run.seccomp import ALLOW, AUDIT_ARCH, ERRNO, KILL
from enclave.run.wall import TOOLS

from .probes import PROBES, unexpected
from .test_probes import AS_A_USER

pytestmark = pytest.mark.xdist_group("jail probes")

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "sandbox" / "oci"
INSIDE = 10001
REFUSED = {name for rule in json.loads((RECIPE / "seccomp.json").read_text())["syscalls"] for name in rule["names"]}


def program(numbers: dict[str, int], machine: str) -> bytes:
    """The profile as the kernel takes it: let all pass but what is named."""
    code = [(0x20, 0, 0, 4), (0x15, 1, 0, AUDIT_ARCH[machine]), (0x06, 0, 0, KILL), (0x20, 0, 0, 0)]
    for number in sorted(numbers[name] for name in REFUSED if name in numbers):
        code += [(0x15, 0, 1, number), (0x06, 0, 0, ERRNO | 1)]
    return b"".join(struct.pack("<HBBI", *line) for line in (*code, (0x06, 0, 0, ALLOW)))


def contained(filter_: int) -> list[str]:
    """What a container engine does: namespaces and a read-only root by root, then the image's user without a right."""
    words = ["/usr/bin/bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net", "--die-with-parent"]
    words += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--ro-bind", "/dev/null", "/proc/meminfo"]
    words += [
        "--perms",
        "1777",
        "--tmpfs",
        "/tmp",
        "--ro-bind",  # as an image holds the product, wherever this checkout lies
        str(ROOT),
        str(ROOT),
        "--perms",
        "1777",
        "--tmpfs",
        "/dev/shm",
        "--chdir",
        "/",
        "--seccomp",
        str(filter_),
    ]
    words += [
        "--cap-drop",
        "ALL",
        "--cap-add",
        "CAP_SETUID",
        "--cap-add",
        "CAP_SETGID",
        "--cap-add",
        "CAP_SETPCAP",
        "--",
    ]
    user = ["--reuid", str(INSIDE), "--regid", str(INSIDE), "--clear-groups", "--no-new-privs"]
    return [*words, "/usr/bin/setpriv", *user, "--inh-caps=-all", "--bounding-set=-all"]


@pytest.mark.skipif(os.geteuid() != 0, reason="a container is made by root here")
def test_the_wall_holds_in_a_container_without_any_privilege(wall: Wall, for_others: dict[str, str]) -> None:
    environment = wall.environment
    mine = type(environment)(
        environment.interpreter, environment.packages, environment.layer, JailUser(INSIDE, INSIDE), environment.digest
    )
    machine = environment.interpreter.machine
    memory = os.memfd_create("filter")
    os.write(memory, program(wall.sandbox.syscalls[machine], machine))
    os.lseek(memory, 0, os.SEEK_SET)
    done = subprocess.run(
        [*contained(memory), str(environment.interpreter.path), "-B", "-c", AS_A_USER],
        input=pickle.dumps(Wall(wall.sandbox, mine, wall.limits)),
        env=for_others,
        cwd="/",
        capture_output=True,
        check=False,
        pass_fds=(memory,),
    )
    os.close(memory)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    found = json.loads(done.stdout)
    assert unexpected(found) == [] and list(found) == list(PROBES)


def test_the_profile_lets_through_what_a_wall_is_made_of() -> None:
    needed = {"clone", "clone3", "unshare", "mount", "umount2", "pivot_root", "setns", "prctl", "seccomp", "capset"}
    assert not needed & REFUSED


def test_the_recipe_brings_what_debian_must_and_the_tools_of_the_wall() -> None:
    text = (RECIPE / "Containerfile").read_text()
    installed = set(re.sub(r"[\\\n]", " ", text.partition("--no-install-recommends")[2].partition("&&")[0]).split())
    needed = {
        line for line in (ROOT / "requirements" / "debian.txt").read_text().split("\n") if line and line[0] != "#"
    }
    assert needed | set(TOOLS.values()) <= installed
    for copied in re.findall(r"^COPY (\S+)", text, re.MULTILINE):
        assert copied.startswith("dist/") or (ROOT / copied).is_file(), copied
    assert "USER 10001" in text and "--privileged" not in text
