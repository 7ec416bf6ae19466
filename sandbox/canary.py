"""What can a notebook behind the wall do that it must not?

Each probe tries one thing and returns when it worked; an exception means that the wall held. The very same code is run
outside as a control: a probe that nothing stops *there* proves nothing here, so those marked `control` must work there.
`run` is told what was planted outside: a file, a listener, a variable, sockets, a process.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROBES: dict[str, Callable[[dict[str, Any]], object]] = {}
CONTROLS: set[str] = set()
libc = ctypes.CDLL(None, use_errno=True)
_CALLS = {  # numbers of calls that have no function in every libc
    "x86_64": {
        "add_key": 248,
        "bpf": 321,
        "io_uring_setup": 425,
        "userfaultfd": 323,
        "memfd_secret": 447,
        "clone3": 435,
    },
    "aarch64": {
        "add_key": 217,
        "bpf": 280,
        "io_uring_setup": 425,
        "userfaultfd": 282,
        "memfd_secret": 447,
        "clone3": 435,
    },
}[platform.machine()]


class Held(Exception):
    """The wall held, told by a value rather than by an error."""


def probe(control: bool = False) -> Callable[[Callable[[dict[str, Any]], object]], None]:
    def keep(function: Callable[[dict[str, Any]], object]) -> None:
        PROBES[function.__name__] = function
        if control:
            CONTROLS.add(function.__name__)

    return keep


def call(name: str | int, *arguments: Any) -> int:
    """A system call or libc function; OSError as Python's own."""
    if isinstance(name, str) and name not in _CALLS:
        result = getattr(libc, name)(*arguments)
    else:
        result = libc.syscall(_CALLS[name] if isinstance(name, str) else name, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(result)


def only_if(condition: bool) -> None:
    if not condition:
        raise Held


# --- data and files


@probe(control=True)
def read_a_data_file(planted: dict[str, Any]) -> None:
    Path(planted["file"]).read_bytes()


@probe(control=True)
def see_that_a_data_file_exists(planted: dict[str, Any]) -> None:
    os.stat(planted["file"])  # noqa: PTH116  the system call itself is meant


@probe(control=True)
def open_a_data_file_by_path_only(planted: dict[str, Any]) -> None:
    os.open(planted["file"], os.O_PATH)


@probe(control=True)
def reach_a_data_file_through_a_link(planted: dict[str, Any]) -> None:
    link = Path(os.environ.get("TMPDIR", "/tmp"), f"link{os.getpid()}{os.urandom(4).hex()}")
    link.symlink_to(planted["file"])
    link.read_bytes()


@probe(control=True)
def read_the_list_of_users(planted: dict[str, Any]) -> None:
    Path("/etc/passwd").read_bytes()


@probe(control=True)
def read_proc(planted: dict[str, Any]) -> None:
    Path("/proc/self/status").read_bytes()


@probe(control=True)
def list_sys(planted: dict[str, Any]) -> None:
    next(Path("/sys").iterdir())


@probe(control=True)
def find_a_shell(planted: dict[str, Any]) -> None:
    os.stat("/bin/sh")  # noqa: PTH116


@probe(control=True)
def see_what_others_left_in_shared_memory(planted: dict[str, Any]) -> None:
    Path(planted["shared"]).read_bytes()


@probe()
def write_to_the_root(planted: dict[str, Any]) -> None:
    Path("/planted").write_text("x")


@probe()
def write_to_the_environment(planted: dict[str, Any]) -> None:
    Path("/env/planted").write_text("x")


@probe()
def change_the_runner(planted: dict[str, Any]) -> None:
    with Path("/inside/runner.py").open("a") as file:
        file.write("#")


@probe()
def write_to_the_standard_library(planted: dict[str, Any]) -> None:
    Path(os.__file__).with_name("planted.py").write_text("x")


@probe()
def write_to_devices(planted: dict[str, Any]) -> None:
    Path("/dev/planted").write_text("x")


@probe(control=True)
def make_a_fifo(planted: dict[str, Any]) -> None:
    os.mkfifo(Path(os.environ.get("TMPDIR", "/tmp"), f"fifo{os.getpid()}{os.urandom(4).hex()}"))


@probe()
def open_kernel_memory(planted: dict[str, Any]) -> None:
    os.open("/dev/mem", os.O_RDONLY)


# --- what came along by mistake


@probe(control=True)
def see_the_starters_variables(planted: dict[str, Any]) -> None:
    only_if(planted["variable"] in os.environ)


@probe(control=True)
def read_a_descriptor_left_open(planted: dict[str, Any]) -> None:
    for descriptor in range(3, 256):
        try:
            if os.pread(descriptor, 64, 0).startswith(planted["content"].encode()):
                return
        except OSError:
            continue
    raise Held


@probe(control=True)
def learn_the_name_of_the_machine(planted: dict[str, Any]) -> None:
    only_if(os.uname().nodename != "jail")


# --- network and sockets


@probe(control=True)
def connect_to_a_loopback_listener(planted: dict[str, Any]) -> None:
    socket.create_connection(("127.0.0.1", planted["port"]), timeout=2)


@probe(control=True)
def resolve_a_name(planted: dict[str, Any]) -> None:
    socket.getaddrinfo("localhost", 80)


@probe(control=True)
def open_an_udp_socket(planted: dict[str, Any]) -> None:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


@probe(control=True)
def ask_netlink_for_interfaces(planted: dict[str, Any]) -> None:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)


@probe()
def open_a_vsock(planted: dict[str, Any]) -> None:
    socket.socket(40, socket.SOCK_STREAM)


@probe(control=True)
def hide_a_family_in_high_bits(planted: dict[str, Any]) -> None:
    number = {"x86_64": 41, "aarch64": 198}[platform.machine()]
    call(number, ctypes.c_long(0x1_0000_0002), ctypes.c_long(1), ctypes.c_long(0))


@probe(control=True)
def connect_to_an_abstract_socket(planted: dict[str, Any]) -> None:
    socket.socket(socket.AF_UNIX).connect("\0" + planted["abstract"])


@probe(control=True)
def connect_to_a_socket_by_path(planted: dict[str, Any]) -> None:
    socket.socket(socket.AF_UNIX).connect(planted["path"])


@probe(control=True)
def open_an_unix_datagram_socket(planted: dict[str, Any]) -> None:
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)


@probe(control=True)
def pass_a_descriptor_over_a_socket(planted: dict[str, Any]) -> None:
    here, _there = socket.socketpair()
    socket.send_fds(here, [b"x"], [0])


# --- processes


@probe(control=True)
def signal_a_process_outside(planted: dict[str, Any]) -> None:
    os.kill(planted["process"], 0)


@probe(control=True)
def fork(planted: dict[str, Any]) -> None:
    if os.fork() == 0:
        os._exit(0)


@probe(control=True)
def start_a_program(planted: dict[str, Any]) -> None:
    subprocess.run([sys.executable, "-I", "-S", "-c", "pass"], check=True)


@probe()
def replace_itself_by_a_program(planted: dict[str, Any]) -> None:
    if sys.stdin is None or "ipykernel" in sys.modules:  # only inside: outside it would work, and end the control
        os.execv(sys.executable, [sys.executable, "-c", "pass"])
    raise Held


@probe(control=True)
def read_memory_through_another_process(planted: dict[str, Any]) -> None:
    text = ctypes.create_string_buffer(b"x", 8)

    class Vector(ctypes.Structure):
        _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))

    there = Vector(ctypes.addressof(text), 1)
    here = Vector(ctypes.addressof(ctypes.create_string_buffer(8)), 1)
    call("process_vm_readv", os.getpid(), ctypes.byref(here), 1, ctypes.byref(there), 1, 0)


@probe()
def trace_process_1(planted: dict[str, Any]) -> None:
    call("ptrace", 16, 1, 0, 0)


# --- rights


@probe()
def mount_a_file_system(planted: dict[str, Any]) -> None:
    call("mount", b"none", b"/tmp", b"tmpfs", 0, None)


@probe()
def become_root(planted: dict[str, Any]) -> None:
    os.setuid(0)


@probe()
def have_capabilities(planted: dict[str, Any]) -> None:
    head = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)()
    call("capget", head, data)
    only_if(any(data))


@probe(control=True)
def gain_rights_from_set_uid_programs(planted: dict[str, Any]) -> None:
    only_if(libc.prctl(39, 0, 0, 0, 0) != 1)


@probe(control=True)
def use_as_much_memory_as_it_likes(planted: dict[str, Any]) -> None:
    only_if(resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY)


@probe()
def raise_its_own_limits(planted: dict[str, Any]) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard + 1, hard + 1))


@probe(control=True)
def make_an_anonymous_file(planted: dict[str, Any]) -> None:
    os.memfd_create("planted")


@probe(control=True)
def share_memory_the_old_way(planted: dict[str, Any]) -> None:
    call("shmctl", call("shmget", 0, 4096, 0o1600), 0, None)  # made and removed


@probe(control=True)
def fix_its_addresses(planted: dict[str, Any]) -> None:
    before = call("personality", ctypes.c_ulong(0xFFFFFFFF))
    call("personality", ctypes.c_ulong(before | 0x0040000))


@probe()
def keep_keys_in_the_kernel(planted: dict[str, Any]) -> None:
    call("add_key", b"user", b"planted", b"x", 1, -1)


@probe()
def load_a_kernel_program(planted: dict[str, Any]) -> None:
    call("bpf", 0, None, 0)


@probe()
def open_an_io_ring(planted: dict[str, Any]) -> None:
    call("io_uring_setup", 1, ctypes.create_string_buffer(256))


@probe()
def handle_its_own_page_faults(planted: dict[str, Any]) -> None:
    call("userfaultfd", 1)


@probe()
def push_keys_into_a_terminal(planted: dict[str, Any]) -> None:
    call("ioctl", 0, 0x5412, b"x")


@probe(control=True)
def enter_a_new_user_namespace(planted: dict[str, Any]) -> None:
    call("unshare", 0x10000000)


def run(planted: dict[str, Any]) -> dict[str, str]:
    """Every probe's name → "open", or what stopped it. In the order above: the last changes who the process is."""
    found = {}
    for name, function in PROBES.items():
        try:
            function(planted)
            found[name] = "open"
        except Exception as stopped:  # noqa: BLE001  whatever stopped it, it was stopped
            found[name] = f"held: {type(stopped).__name__} {getattr(stopped, 'errno', '') or ''}".strip()
    threading.Thread(target=lambda: None).start()  # and what notebooks need works
    return found
