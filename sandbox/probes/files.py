"""Can it see, read or change files that are not its own?"""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

from sandbox.canary import MADE, NOWHERE, ROOT, USER, Planted, libc, only_if, probe, reaches

SCRATCH = os.environ.get("TMPDIR", "/tmp")


def fresh(kind: str) -> str:
    """A path nothing is at."""
    return str(Path(SCRATCH, f"{kind}{os.getpid()}{os.urandom(4).hex()}"))


# --- the data


@probe(2, USER)
def read_a_data_file(planted: Planted) -> None:
    Path(planted["file"]).read_bytes()


@probe(2, USER)
def see_that_a_data_file_exists(planted: Planted) -> None:
    os.stat(planted["file"])  # noqa: PTH116  the system call itself is meant


@probe(2, USER)
def open_a_data_file_by_path_only(planted: Planted) -> None:
    os.open(planted["file"], os.O_PATH)


@probe(2, USER)
def reach_a_data_file_through_a_link(planted: Planted) -> None:
    link = Path(fresh("link"))
    link.symlink_to(planted["file"])
    link.read_bytes()


@probe(2, USER)
def reach_a_data_file_by_dots(planted: Planted) -> None:
    Path(f"{SCRATCH}/../..{planted['file']}").read_bytes()


@probe(2, USER)
def list_the_folder_of_a_data_file(planted: Planted) -> None:
    next(Path(planted["folder"]).iterdir())


@probe(2, USER)
def ask_for_access_to_a_data_file(planted: Planted) -> None:
    only_if(os.access(planted["file"], os.F_OK))


@probe(2, USER)
def read_the_attributes_of_a_data_file(planted: Planted) -> None:
    os.listxattr(planted["file"])


@probe(2, USER)
def learn_of_the_disk_under_a_data_file(planted: Planted) -> None:
    os.statvfs(planted["file"])


@probe(2, USER)
def watch_a_data_file(planted: Planted) -> None:
    only_if(libc.inotify_add_watch(libc.inotify_init1(0), planted["file"].encode(), 0xFFF) >= 0)


@probe(2, USER)
def enter_the_folder_of_a_data_file(planted: Planted) -> None:
    before = Path.cwd()
    os.chdir(planted["folder"])
    os.chdir(before)


@probe(54, USER)
def see_what_others_left_in_shared_memory(planted: Planted) -> None:
    Path(planted["shared"]).read_bytes()


@probe(23, USER)
def remove_a_file_outside(planted: Planted) -> None:
    Path(planted["spare"], "removed").unlink()


@probe(23, USER)
def rename_a_file_outside(planted: Planted) -> None:
    Path(planted["spare"], "renamed").rename(Path(planted["spare"], "other"))


@probe(24, USER)
def make_a_fifo(planted: Planted) -> None:
    os.mkfifo(fresh("fifo"))


@probe(24, USER)
def make_a_file_by_mknod(planted: Planted) -> None:
    os.mknod(fresh("node"), 0o600 | stat.S_IFREG)


@probe(24, ROOT)
def make_a_block_device(planted: Planted) -> None:
    path = fresh("block")
    os.mknod(path, 0o600 | stat.S_IFBLK, os.makedev(254, 0))
    os.unlink(path)  # noqa: PTH108


@probe(24, ROOT)
def make_a_character_device(planted: Planted) -> None:
    path = fresh("character")
    os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 1))
    os.unlink(path)  # noqa: PTH108


@probe(25, MADE)
def link_a_file_of_the_wall_into_scratch_space(planted: Planted) -> None:
    os.link("/env/pyvenv.cfg", fresh("hard"))


@probe(26, USER)
def find_a_folder_it_shares_with_the_machine(planted: Planted) -> None:
    only_if(os.access(planted["spare"], os.W_OK))


# --- what came along by mistake


@probe(42, USER)
def read_a_descriptor_left_open(planted: Planted) -> None:
    for descriptor in range(3, 256):
        try:
            if os.pread(descriptor, 64, 0).startswith(planted["content"].encode()):
                return
        except OSError:
            continue
    only_if(False)


@probe(42, USER)
def walk_from_a_folder_left_open(planted: Planted) -> None:
    for descriptor in range(3, 256):
        try:
            os.close(os.open("file", os.O_RDONLY, dir_fd=descriptor))
        except OSError:
            continue
        return
    only_if(False)


@probe(42, USER)
def use_a_network_socket_left_open(planted: Planted) -> None:
    for descriptor in range(3, 256):
        try:
            found = socket.socket(fileno=descriptor)
        except OSError:
            continue
        family = found.family
        found.detach()
        if family == socket.AF_INET:
            return
    only_if(False)


reaches(25, USER, chown=(NOWHERE, -1, -1), lchown=(NOWHERE, -1, -1), fchown=(-1, -1, -1), mknod=(NOWHERE, 0, 0))
reaches(25, USER, fchownat=(-1, NOWHERE, -1, -1, 0), mknodat=(-1, NOWHERE, 0, 0))
reaches(25, USER, setxattr=(NOWHERE, NOWHERE, 0, 0, 0), lsetxattr=(NOWHERE, NOWHERE, 0, 0, 0))
reaches(25, USER, fsetxattr=(-1, NOWHERE, 0, 0, 0), removexattr=(NOWHERE, NOWHERE), fremovexattr=(-1, NOWHERE))
reaches(25, USER, lremovexattr=(NOWHERE, NOWHERE), syncfs=(-1,), vmsplice=(-1, NOWHERE, 0, 0))
