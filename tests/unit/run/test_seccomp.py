"""The system call filters, run by a simulator of the kernel's own machine."""

from __future__ import annotations

import errno
import hashlib
import struct

import pytest

from enclave.run.sandbox import SandboxFiles
from enclave.run.seccomp import ALLOW, AUDIT_ARCH, ERRNO, KILL, Program, assemble

SANDBOX = SandboxFiles.find()
TABLE, NUMBERS = SANDBOX.seccomp, SANDBOX.syscalls
MACHINES = sorted(AUDIT_ARCH)
CLONE_THREAD, CLONE_NEWUSER, CLONE_VM = 0x10000, 0x10000000, 0x100

GOLDEN = {
    ("x86_64", False): "51958ae7034003dd",
    ("x86_64", True): "16bb138bad9dbf09",
    ("aarch64", False): "34d4513606ef1f91",
    ("aarch64", True): "c8c307d28a4bbbe2",
}
"""SHA-256 of each program: a change of the table must be seen in review."""


def simulate(program: Program, number: int, *arguments: int, arch: int) -> int:
    """Classic BPF over struct seccomp_data, for the instructions seccomp allows and we emit."""
    padded = (*arguments, *(0,) * (6 - len(arguments)))
    data = struct.pack("<IIQ6Q", number, arch, 0, *(value & (1 << 64) - 1 for value in padded))
    accumulator, place = 0, 0
    while True:
        code, jump_true, jump_false, value = program.instructions[place]
        place += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, value)
            case 0x54:
                accumulator &= value
            case 0x15:
                place += jump_true if accumulator == value else jump_false
            case 0x35:
                place += jump_true if accumulator >= value else jump_false
            case 0x06:
                return value
            case _:
                raise AssertionError(f"unknown instruction {code:#x}")


def verdict(machine: str, call: str | int, *arguments: int, notebook: bool = False) -> int | str:
    program = assemble(TABLE, NUMBERS[machine], machine, notebook=notebook)
    number = NUMBERS[machine][call] if isinstance(call, str) else call
    found = simulate(program, number, *arguments, arch=AUDIT_ARCH[machine])
    if found == ALLOW:
        return "allow"
    return errno.errorcode[found & 0xFFFF] if found & 0xFFFF0000 == ERRNO else found


@pytest.mark.parametrize("machine", MACHINES)
def test_another_machines_calls_kill(machine: str) -> None:
    program = assemble(TABLE, NUMBERS[machine], machine)
    assert simulate(program, NUMBERS[machine]["read"], arch=0x40000003) == KILL  # int 0x80


def test_calls_with_32_bit_pointers_do_not_exist() -> None:
    assert verdict("x86_64", 0x40000000 + NUMBERS["x86_64"]["getpid"]) == "ENOSYS"


@pytest.mark.parametrize("machine", MACHINES)
def test_every_named_call_is_known_somewhere_and_allowed_where_it_exists(machine: str) -> None:
    for group in TABLE["allow"]:
        for call in group["calls"].split():
            assert any(call in numbers for numbers in NUMBERS.values()), call
            if call in NUMBERS[machine]:
                assert verdict(machine, call) == "allow"


@pytest.mark.parametrize("machine", MACHINES)
def test_what_is_not_named_is_refused(machine: str) -> None:
    """The whole table, not a sample: an allow-list is only as good as its last line."""
    ruled = {rule["call"] for rule in TABLE["rule"]}
    named = {call for group in TABLE["allow"] for call in group["calls"].split()}
    missing = set(TABLE["missing"]["calls"].split())
    for call in NUMBERS[machine].keys() - ruled - named:
        assert verdict(machine, call) == ("ENOSYS" if call in missing else "EPERM"), call
    for call in ("ptrace", "mount", "unshare", "setns", "bpf", "sendmsg", "memfd_create", "setuid", "process_vm_readv"):
        assert call not in named | ruled


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_newer_than_the_table_do_not_exist(machine: str) -> None:
    assert [verdict(machine, number) for number in (463, 600, 0x3FFFFFFF)] == ["ENOSYS"] * 3


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        ("socket", (1, 1, 0), "allow"),
        ("socket", (1, 1 | 0o2000000 | 0o4000, 0), "allow"),  # close on exec, non-blocking
        ("socket", (1, 2, 0), "EPROTONOSUPPORT"),
        ("socket", (1, 5, 0), "EPROTONOSUPPORT"),
        ("socket", (2, 1, 0), "EAFNOSUPPORT"),
        ("socket", (0x100000002, 1, 0), "EAFNOSUPPORT"),
        ("socket", (0x100000001, 1, 0), "allow"),  # the kernel reads 32 bits: this is a unix socket
        ("socket", (10, 1, 0), "EAFNOSUPPORT"),
        ("socket", (16, 3, 0), "ENOTSUP"),  # the other name of EOPNOTSUPP
        ("socket", (40, 1, 0), "EAFNOSUPPORT"),
        ("socketpair", (1, 2, 0), "allow"),
        ("socketpair", (2, 1, 0), "EAFNOSUPPORT"),
        ("clone", (CLONE_VM | CLONE_THREAD,), "allow"),
        ("clone", (17,), "allow"),
        ("clone", (CLONE_NEWUSER,), "EPERM"),
        ("clone", (CLONE_NEWUSER | CLONE_THREAD,), "EPERM"),
        ("clone", (0x80,), "allow"),
        ("ioctl", (0, 0x5401), "allow"),
        ("ioctl", (0, 0x5412), "ENOTTY"),
        ("ioctl", (0, 0x100005412), "ENOTTY"),
        ("ioctl", (0, 0x541C), "ENOTTY"),
        ("ioctl", (0, 0x5421), "allow"),
        ("prctl", (38,), "allow"),
        ("prctl", (8,), "EINVAL"),
        ("personality", (0xFFFFFFFF,), "allow"),
        ("personality", (0x0040000,), "EPERM"),
        ("clone3", (), "ENOSYS"),
        ("io_uring_setup", (), "ENOSYS"),
    ],
)
def test_arguments_are_ruled(machine: str, call: str, arguments: tuple[int, ...], expected: str) -> None:
    assert verdict(machine, call, *arguments) == expected


@pytest.mark.parametrize("machine", MACHINES)
def test_the_notebooks_process_starts_threads_but_no_processes(machine: str) -> None:
    assert verdict(machine, "clone", CLONE_VM | CLONE_THREAD, notebook=True) == "allow"
    assert verdict(machine, "clone", 17, notebook=True) == "EAGAIN"
    assert verdict(machine, "clone", CLONE_NEWUSER | CLONE_THREAD, notebook=True) == "EPERM"
    for call in {"fork", "vfork", "execve", "execveat"} & NUMBERS[machine].keys():
        assert verdict(machine, call, notebook=True) == "EPERM"
        assert verdict(machine, call) == "allow", "the control: the first filter lets the interpreter start"


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("notebook", [False, True])
def test_every_jump_lands_inside_and_the_program_is_short_enough(machine: str, notebook: bool) -> None:
    program = assemble(TABLE, NUMBERS[machine], machine, notebook=notebook)
    length = len(program.instructions)
    assert length < 4096 and len(bytes(program)) == 8 * length
    for place, (code, jump_true, jump_false, _) in enumerate(program.instructions):
        if code in (0x15, 0x35):
            assert place + 1 + max(jump_true, jump_false) < length and max(jump_true, jump_false) < 256
    assert program.instructions[-1][0] == 0x06


@pytest.mark.parametrize(("machine", "notebook"), GOLDEN)
def test_the_programs_are_those_that_were_reviewed(machine: str, notebook: bool) -> None:
    program = bytes(assemble(TABLE, NUMBERS[machine], machine, notebook=notebook))
    assert hashlib.sha256(program).hexdigest()[:16] == GOLDEN[machine, notebook]
