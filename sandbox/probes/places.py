"""What is there at all, and what of it can be written to?"""

from __future__ import annotations

import os
from pathlib import Path

from sandbox.canary import NOBODY, USER, Planted, add, only_if, probe


@probe(3, USER)
def list_the_root(planted: Planted) -> None:
    only_if(
        {path.name for path in Path("/").iterdir()} - {"tmp", "home", "env", "inside", "usr", "lib", "lib64", "dev"}
    )


def exists(path: str, row: int, control: str) -> None:
    add(f"see {path}", row, lambda _: os.lstat(path), control)


for path in ("/etc/passwd", "/etc/group"):
    exists(path, 1, USER)
for path in ("/etc/shadow", "/etc/resolv.conf", "/etc/hosts", "/etc/hostname", "/etc/machine-id", "/etc/fstab"):
    exists(path, 1, NOBODY)
for path in ("/root", "/var", "/run", "/opt", "/bin/sh", "/usr/bin/env", "/usr/bin/mount", "/usr/sbin", "/usr/share"):
    exists(path, 3, USER)
for path in ("/srv", "/mnt", "/media", "/boot", "/usr/bin/bwrap", "/var/lib/domicile", "/usr/local", "/home/nb/.ssh"):
    exists(path, 3, NOBODY)
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
    exists(f"/proc/{path}", 4, NOBODY)
for path in ("class/net", "devices", "fs/cgroup", "block", "kernel"):
    exists(f"/sys/{path}", 5, USER)
for path in ("kernel/vmcoreinfo", "class/dmi/id/product_uuid", "kernel/debug", "kernel/security", "firmware"):
    exists(f"/sys/{path}", 5, NOBODY)
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
    exists(f"/dev/{path}", 6, NOBODY)
for path in ("port", "hpet", "input", "dri", "snapshot", "uinput", "vhost-net", "userfaultfd", "rtc0", "nvme0"):
    exists(f"/dev/{path}", 6, NOBODY)


# --- writing where nothing of its own is


def writes(path: str) -> None:
    """No control: root could, and would, change the machine."""
    add(f"write to {path}", 22, lambda _: Path(path, "planted").write_text("x"))


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


@probe(22)
def write_to_the_standard_library(planted: Planted) -> None:
    Path(os.__file__).with_name("planted.py").write_text("x")


@probe(22)
def change_the_runner(planted: Planted) -> None:
    with Path("/inside/runner.py").open("a") as file:
        file.write("#")


@probe(22)
def change_the_rights_of_the_runner(planted: Planted) -> None:
    Path("/inside/runner.py").chmod(0o777)
