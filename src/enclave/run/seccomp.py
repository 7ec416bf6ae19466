"""Which system calls pass, as the program the kernel of the machine runs?

The table is `sandbox/seccomp.toml`; this module assembles classic BPF (linux/filter.h, linux/seccomp.h) from it, in
plain Python, so that no library of the distribution decides what the wall is. Rules compare the low 32 bits of an
argument, as the kernel does with the calls they guard.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

KILL, ERRNO, ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32 = 0x40000000  # x86-64 calls with 32-bit pointers: another door to the same kernel
_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_JUMP_EQUAL, _JUMP_AT_LEAST = 0x15, 0x35
_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data (little endian: low word first)

Instruction = tuple[int, int, int, int]


@dataclass(frozen=True)
class Program:
    """An assembled filter."""

    instructions: tuple[Instruction, ...]

    def __bytes__(self) -> bytes:
        return b"".join(struct.pack("<HBBI", *instruction) for instruction in self.instructions)


def _return(value: int) -> Instruction:
    return (_RETURN, 0, 0, value)


def _refuse(name: str) -> Instruction:
    return _return(ERRNO | int(getattr(errno, name)))


def _check(check: Mapping[str, Any]) -> list[Instruction]:
    """One check of a rule: fall through when it holds, return its `else` when not."""
    code: list[Instruction] = [(_LOAD, 0, 0, _ARGUMENTS + 8 * int(check["arg"]))]
    if "mask" in check:
        code.append((_AND, 0, 0, int(check["mask"])))
    wanted = [int(value) for value in check.get("is", ())]
    unwanted = [int(value) for value in check.get("is_not", ())]
    # a wanted value jumps over the refusal; an unwanted one jumps to it; after unwanted ones, anything else is fine
    for place, value in enumerate(wanted):
        code.append((_JUMP_EQUAL, len(wanted) - place, 0, value))
    for place, value in enumerate(unwanted):
        last = place == len(unwanted) - 1
        code.append((_JUMP_EQUAL, len(unwanted) - place - 1, 1 if last else 0, value))
    return [*code, _refuse(check["else"])]


def _rule(number: int, checks: Iterable[Mapping[str, Any]]) -> list[Instruction]:
    """All checks of a call; the accumulator is not restored, for a rule always returns."""
    body = [instruction for check in checks for instruction in _check(check)] + [_return(ALLOW)]
    return [(_JUMP_EQUAL, 0, len(body), number), *body]


def assemble(table: Mapping[str, Any], numbers: Mapping[str, int], machine: str, *, notebook: bool = False) -> Program:
    """The program for `machine`; with `notebook`, the second one, for the process that executes the notebook."""
    refused = set(table["notebook"]["refused"].split()) if notebook else set()
    rules = {rule["call"]: rule["checks"] for rule in table["rule"]}
    if notebook:
        rules |= {rule["call"]: rule["checks"] for rule in table["notebook"]["rule"]}
    allowed = {name for group in table["allow"] for name in group["calls"].split()} - refused
    newest, unknown = int(table["newest"]), table["unknown"]
    code: list[Instruction] = [
        (_LOAD, 0, 0, _MACHINE),
        (_JUMP_EQUAL, 1, 0, AUDIT_ARCH[machine]),
        _return(KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_AT_LEAST, 0, 1, X32),
        _refuse(unknown),
    ]
    for number in sorted(numbers[name] for name in allowed if name in numbers):
        code += [(_JUMP_EQUAL, 0, 1, number), _return(ALLOW)]
    for name, checks in rules.items():
        code += _rule(numbers[name], checks) if name in numbers else []
    for name in sorted(table["missing"]["calls"].split()):
        code += [(_JUMP_EQUAL, 0, 1, numbers[name]), _refuse("ENOSYS")] if name in numbers else []
    code += [(_JUMP_AT_LEAST, 0, 1, newest + 1), _refuse(unknown), _refuse(table["refusal"])]
    return Program(tuple(code))
