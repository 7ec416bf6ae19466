"""Can it gain rights, or learn what it was not given?"""

from __future__ import annotations

import ctypes
import os
import resource
import stat
import time
from pathlib import Path

from sandbox.canary import MADE, NOBODY, NOWHERE, ROOT, USER, Planted, add, call, libc, only_if, probe, reaches

LIMITS = ("NPROC", "NOFILE", "CORE", "FSIZE", "AS", "CPU", "MSGQUEUE", "MEMLOCK")
NAMESPACES = {
    "time": 0x80, "mount": 0x20000, "cgroup": 0x2000000, "uts": 0x4000000, "ipc": 0x8000000, "net": 0x40000000,
    "pid": 0x20000000,
}  # fmt: skip


@probe(20, ROOT)
def have_capabilities(planted: Planted) -> None:
    head = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)()
    call("capget", head, data)
    only_if(any(data))


@probe(20, USER)
def gain_rights_from_set_uid_programs(planted: Planted) -> None:
    only_if(libc.prctl(39, 0, 0, 0, 0) != 1)


@probe(21, USER)
def find_a_set_uid_program(planted: Planted) -> None:
    for name in ("mount", "su", "passwd", "newgrp", "chsh"):
        path = Path("/usr/bin", name)
        if path.exists() and path.stat().st_mode & stat.S_ISUID:
            return
    only_if(False)


@probe(21, MADE)
def have_scratch_space_that_obeys_set_uid(planted: Planted) -> None:
    for place in ("/tmp", "/home/nb", "/dev/shm"):
        only_if(not os.statvfs(place).f_flag & os.ST_NOSUID)


def prctl(name: str, control: str, *arguments: int) -> None:
    def attempt(planted: Planted) -> None:
        words = [ctypes.c_ulong(a) for a in (*arguments, 0, 0, 0, 0)[:5]]
        only_if(libc.prctl(*words) >= 0)

    add(f"prctl {name}", 20, attempt, control)


prctl("keep capabilities", USER, 8, 1)
prctl("read secure bits", USER, 27)
prctl("ask for ambient capabilities", USER, 47, 1, 0)
prctl("become the reaper of orphans", USER, 36, 1)
prctl("set secure bits", ROOT, 28, 0)
prctl("move its memory map", NOBODY, 35, 1, 0)
reaches(20, USER, capset=(NOWHERE, NOWHERE), setfsuid=(-1,), setfsgid=(-1,))
reaches(20, ROOT, setuid=(0,), setgid=(0,), setreuid=(0, 0), setregid=(0, 0), setresuid=(0, 0, 0), setresgid=(0, 0, 0))
reaches(20, ROOT, setgroups=(0x7FFFFFFF, 0), sethostname=(NOWHERE, -1), setdomainname=(NOWHERE, -1))


def raises(name: str) -> None:
    def attempt(planted: Planted) -> None:
        which = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(which)
        only_if(hard != resource.RLIM_INFINITY)
        resource.setrlimit(which, (hard + 1, hard + 1))

    add(f"raise its own limit {name}", 34, attempt, MADE)


for limit in LIMITS:
    raises(limit)


@probe(32, USER)
def use_as_much_memory_as_it_likes(planted: Planted) -> None:
    only_if(resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY)


@probe(55, USER)
def leave_its_memory_in_a_core_file(planted: Planted) -> None:
    only_if(resource.getrlimit(resource.RLIMIT_CORE)[1] != 0)


@probe(43, USER)
def see_the_starters_variables(planted: Planted) -> None:
    only_if(planted["variable"] in os.environ)


@probe(43, USER)
def learn_the_name_of_the_machine(planted: Planted) -> None:
    only_if(os.uname().nodename != "jail")


@probe(43, USER)
def learn_who_started_it(planted: Planted) -> None:
    only_if(os.getuid() != 65534)


@probe(56, USER, "a notebook needs the time; replies leave at moments fixed beforehand")
def read_a_clock_to_the_nanosecond(planted: Planted) -> None:
    time.perf_counter_ns()


@probe(56, USER, "uname(2) has no namespace for it; nothing depends on its being unknown")
def learn_the_release_of_the_kernel(planted: Planted) -> None:
    only_if(os.uname().release)


@probe(56, USER, "only ever narrows what its own process may do")
def give_up_rights_by_landlock(planted: Planted) -> None:
    only_if(call("landlock_create_ruleset", 0, 0, 1) > 0)


@probe(56, USER, "timers of one's own; no more than the clock")
def make_a_timer(planted: Planted) -> None:
    os.close(call("timerfd_create", 1, 0))


def parts(name: str, flag: int, control: str) -> None:
    add(f"enter a new namespace: {name}", 19, lambda _: call("unshare", flag), control)


@probe(19, USER)
def be_cloned_into_a_new_user_namespace(planted: Planted) -> None:
    if call("clone", 0x10000000 | 17, 0, 0, 0, 0) == 0:
        os._exit(0)


@probe(19, USER)
def be_cloned_into_a_new_network_namespace(planted: Planted) -> None:
    if call("clone", 0x10000000 | 0x40000000 | 17, 0, 0, 0, 0) == 0:
        os._exit(0)


reaches(19, USER, setns=(-1, 0))
for namespace, bits in NAMESPACES.items():
    parts(namespace, bits, ROOT)
