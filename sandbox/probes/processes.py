"""Can it start, see, stop or look into processes?"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading

from sandbox.canary import MADE, NOBODYS, NOWHERE, USER, Planted, call, libc, only_if, probe, reaches


@probe(16, USER)
def signal_a_process_outside(planted: Planted) -> None:
    os.kill(planted["process"], 0)


@probe(16, USER)
def hold_a_process_outside(planted: Planted) -> None:
    held = os.pidfd_open(planted["process"])
    signal.pidfd_send_signal(held, 0)  # 0: whether it could be


@probe(16, USER)
def signal_a_thread_outside(planted: Planted) -> None:
    call("tkill", planted["process"], 0)


@probe(16, USER)
def ask_for_the_group_of_a_process_outside(planted: Planted) -> None:
    os.getpgid(planted["process"])


@probe(16, USER)
def ask_for_the_processors_of_a_process_outside(planted: Planted) -> None:
    os.sched_getaffinity(planted["process"])


@probe(16, USER)
def ask_for_the_limits_of_a_process_outside(planted: Planted) -> None:
    only_if(libc.prlimit(planted["process"], 7, None, ctypes.create_string_buffer(16)) == 0)


@probe(17, USER)
def signal_the_group_of_a_process_outside(planted: Planted) -> None:
    os.killpg(os.getpgid(planted["process"]), 0)


@probe(17, USER)
def see_who_started_it(planted: Planted) -> None:
    only_if(os.getppid() > 1)


@probe(29, USER)
def fork(planted: Planted) -> None:
    if os.fork() == 0:
        os._exit(0)


@probe(29, USER)
def start_a_program(planted: Planted) -> None:
    subprocess.run([sys.executable, "-I", "-S", "-c", "pass"], check=True)


@probe(29, USER)
def spawn_a_program(planted: Planted) -> None:
    os.waitpid(os.posix_spawn(sys.executable, [sys.executable, "-I", "-S", "-c", ""], {}), 0)


@probe(29, USER)
def start_a_shell(planted: Planted) -> None:
    only_if(os.system("true") == 0)  # noqa: S605  the shell itself is meant


@probe(29, USER)
def open_a_terminal(planted: Planted) -> None:
    os.openpty()


@probe(29, USER)
def replace_itself_by_a_program(planted: Planted) -> None:
    inside = "ipykernel" in sys.modules
    child = 0 if inside else os.fork()  # outside it works: a child is what ends
    if child:
        only_if(os.waitpid(child, 0)[1] == 0)
        return
    os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", "pass"])


@probe(34, USER)
def leave_its_session(planted: Planted) -> None:
    os.setsid()  # the kernel's scheduler would take it for another jail, with a share of its own


@probe(31, USER, "threads are what libraries work with; their number is capped (tests/jail/test_limits.py)")
def start_a_thread(planted: Planted) -> None:
    one = threading.Thread(target=lambda: None)
    one.start()
    one.join()


@probe(15, USER)
def read_memory_through_another_process(planted: Planted) -> None:
    text = ctypes.create_string_buffer(b"x", 8)

    class Vector(ctypes.Structure):
        _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))

    there = Vector(ctypes.addressof(text), 1)
    here = Vector(ctypes.addressof(ctypes.create_string_buffer(8)), 1)
    call("process_vm_readv", os.getpid(), ctypes.byref(here), 1, ctypes.byref(there), 1, 0)


@probe(15, MADE)
def trace_process_1(planted: Planted) -> None:
    call("ptrace", 0x4206, 1, 0, 0)  # PTRACE_SEIZE: takes hold of it without a stop


reaches(29, USER, execve=(NOWHERE, 0, 0), execveat=(-1, NOWHERE, 0, 0, 0), clone3=(NOWHERE, 0))
reaches(15, USER, ptrace=(16, NOBODYS, 0, 0), process_vm_writev=(NOBODYS, NOWHERE, 1, NOWHERE, 1, 0))
reaches(15, USER, kcmp=(NOBODYS, NOBODYS, 0, 0, 0), pidfd_getfd=(-1, 0, 0), process_mrelease=(-1, 0))
reaches(15, USER, process_madvise=(-1, NOWHERE, 1, 0, 0), rt_sigqueueinfo=(NOBODYS, 0, NOWHERE))
reaches(15, USER, rt_tgsigqueueinfo=(NOBODYS, NOBODYS, 0, NOWHERE), migrate_pages=(NOBODYS, 0, 0, 0))
reaches(15, USER, move_pages=(NOBODYS, 0, 0, 0, 0, 0), sched_setattr=(0, NOWHERE, 1), ioprio_set=(9, 0, 0))
