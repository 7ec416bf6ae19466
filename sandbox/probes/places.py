"""What is there at all, and what of it can be written to?

`THINGS` and `FOLDERS` must lie on the machine that is made for the control: few machines have all of them, and who writes
into those folders changes the machine.
"""

from __future__ import annotations

import os
from pathlib import Path

from sandbox.canary import MADE, USER, Planted, add, only_if, probe

THINGS = ["/inside/runner.py"]
FOLDERS: list[str] = []
LIBRARY = os.__file__.rpartition("/")[0]


@probe(3, USER)
def list_the_root(planted: Planted) -> None:
    only_if(
        {path.name for path in Path("/").iterdir()} - {"tmp", "home", "env", "inside", "usr", "lib", "lib64", "dev"}
    )


def exists(path: str, row: int, control: str) -> None:
    THINGS.extend([path] if control == MADE else [])
    add(f"see {path}", row, lambda _: os.lstat(path), control)


for path in ("/etc/passwd", "/etc/group"):
    exists(path, 1, USER)
for path in ("/etc/shadow", "/etc/resolv.conf", "/etc/hosts", "/etc/hostname", "/etc/machine-id", "/etc/fstab"):
    exists(path, 1, MADE)
for path in ("/root", "/var", "/run", "/opt", "/bin/sh", "/usr/bin/env", "/usr/bin/mount", "/usr/sbin", "/usr/share"):
    exists(path, 3, USER)
for path in ("/srv", "/mnt", "/media", "/boot", "/usr/bin/bwrap", "/var/lib/domicile", "/usr/local", "/home/nb/.ssh"):
    exists(path, 3, MADE)
for path in (
    "self/status",
    "self/environ",
    "self/maps",
    "self/mem",
    "self/fd",
    "self/mountinfo",
    "self/root",
    "1/root",
):
    exists(f"/proc/{path}", 4, USER)
for path in ("cmdline", "cpuinfo", "meminfo", "mounts", "version", "uptime", "net/tcp", "sys/kernel/hostname"):
    exists(f"/proc/{path}", 4, USER)
for path in ("1/environ", "kcore", "kallsyms", "keys", "net/unix", "sys/vm/swappiness", "sys/kernel/core_pattern"):
    exists(f"/proc/{path}", 4, MADE)
for path in ("class/net", "devices", "fs/cgroup", "block", "kernel"):
    exists(f"/sys/{path}", 5, USER)
for path in ("kernel/vmcoreinfo", "class/dmi/id/product_uuid", "kernel/debug", "kernel/security", "firmware"):
    exists(f"/sys/{path}", 5, MADE)
for path in ("tty", "ptmx", "full", "fd", "stdin", "pts"):
    exists(f"/dev/{path}", 6, USER)
for path in (
    "mem",
    "kmsg",
    "vda",
    "sda",
    "fuse",
    "kvm",
    "vsock",
    "net/tun",
    "loop-control",
    "mapper/control",
    "console",
):
    exists(f"/dev/{path}", 6, MADE)
for path in ("port", "hpet", "input", "dri", "snapshot", "uinput", "vhost-net", "userfaultfd", "rtc0", "nvme0"):
    exists(f"/dev/{path}", 6, MADE)


# --- writing where nothing of its own is


def writes(path: str) -> None:
    FOLDERS.append(path)
    add(f"write to {path}", 22, lambda _: Path(path, "planted").write_text("x"), MADE)


for path in (
    "/",
    "/dev",
    "/etc",
    "/run",
    "/home",
    "/usr",
    "/usr/lib",
    "/lib64",
    "/env",
    "/env/lib",
    "/inside",
    "/proc",
):
    writes(path)
for path in ("/inside/site/domicile", "/sys", "/var"):
    writes(path)


FOLDERS.append(LIBRARY)


@probe(22, MADE)
def write_to_the_standard_library(planted: Planted) -> None:
    Path(LIBRARY, "planted.py").write_text("x")


@probe(22, MADE)
def change_the_runner(planted: Planted) -> None:
    with Path("/inside/runner.py").open("a") as file:
        file.write("#")


@probe(22, MADE)
def change_the_rights_of_the_runner(planted: Planted) -> None:
    Path("/inside/runner.py").chmod(0o777)
