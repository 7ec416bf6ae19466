"""Which doors of the kernel stand open?

A call that is let through fails on arguments with which it does nothing; one that the filter stops does not get so far.
"""

from __future__ import annotations

import ctypes
import errno
import os
import time

from sandbox.canary import NOWHERE, ROOT, USER, Planted, add, call, libc, only_if, probe, reaches

CONTROLS = {
    "TIOCSTI (push keys into a terminal, CVE-2017-5226)": 0x5412,
    "TIOCSTI hidden in high bits (CVE-2019-10063)": 0x1_0000_5412,
    "TIOCLINUX (paste into a console, CVE-2023-28100)": 0x541C,
    "TIOCSCTTY": 0x540E, "TIOCSETD": 0x5423, "TIOCCONS": 0x541D, "FS_IOC_SETFLAGS": 0x40086602, "FICLONE": 0x40049409,
    "FIDEDUPERANGE": 0xC0189436, "FIEMAP": 0xC020660B, "TUNSETIFF": 0x400454CA, "SIOCGIFCONF": 0x8912,
    "SIOCSIFADDR": 0x8916, "LOOP_SET_FD": 0x4C00, "BLKGETSIZE64": 0x80081272, "KVM_CREATE_VM": 0xAE01,
    "VHOST_SET_OWNER": 0xAF01, "RNDADDENTROPY": 0x40085203,
}  # fmt: skip


def controls(name: str, request: int) -> None:
    """Refused before the kernel looks at the descriptor, which is none."""

    def attempt(planted: Planted) -> None:
        try:
            call("ioctl", -1, request, 0)
        except OSError as refused:
            only_if(refused.errno == errno.EBADF)

    add(f"ioctl {name}", 37, attempt, USER)


for control_name, number in CONTROLS.items():
    controls(control_name, number)

reaches(18, USER, umount2=(NOWHERE, 0), chroot=(NOWHERE,), open_tree=(-1, NOWHERE, 0), fsconfig=(-1, 0, 0, 0, 0))
reaches(18, USER, mount_setattr=(-1, NOWHERE, 0xDEAD0000, NOWHERE, 0))
reaches(18, ROOT, mount=(NOWHERE, NOWHERE, NOWHERE, 0, 0), pivot_root=(NOWHERE, NOWHERE), fsopen=(NOWHERE, 0))
reaches(18, ROOT, move_mount=(-1, NOWHERE, -1, NOWHERE, 0), fsmount=(-1, 0, 0), fspick=(-1, NOWHERE, 0))
reaches(18, ROOT, swapon=(NOWHERE, 0), swapoff=(NOWHERE,), acct=(NOWHERE,))
reaches(35, USER, keyctl=(0, -3, 0), add_key=(NOWHERE, NOWHERE, 0, 0, 0), request_key=(NOWHERE, NOWHERE, 0, 0))
reaches(36, USER, perf_event_open=(NOWHERE, 0, -1, -1, 0), userfaultfd=(1,), io_uring_setup=(1, NOWHERE))
reaches(36, USER, io_uring_enter=(-1, 0, 0, 0, 0, 0), io_uring_register=(-1, 0, 0, 0))
reaches(36, ROOT, bpf=(0, NOWHERE, 0))
reaches(38, USER, memfd_create=(NOWHERE, 0), memfd_secret=(0xDEAD0000,), shmget=(0, 0, 0), shmat=(-1, 0, 0))
reaches(38, USER, shmctl=(-1, 0, 0), shmdt=(NOWHERE,), msgget=(0x7F00DEAD, 0), msgsnd=(-1, NOWHERE, 0, 0))
reaches(38, USER, msgrcv=(-1, NOWHERE, 0, 0, 0x800), msgctl=(-1, 0, 0), semget=(0x7F00DEAD, 0, 0), semctl=(-1, 0, 0, 0))
reaches(38, USER, semop=(-1, NOWHERE, 1), semtimedop=(-1, NOWHERE, 1, 0), mq_open=(NOWHERE, 0, 0, 0))
reaches(38, USER, mq_unlink=(NOWHERE,), mq_timedsend=(-1, NOWHERE, 0, 0, 0), mq_timedreceive=(-1, NOWHERE, 0, 0, 0))
reaches(38, USER, mq_notify=(-1, 0), mq_getsetattr=(-1, 0, 0))
reaches(39, USER, name_to_handle_at=(-1, NOWHERE, NOWHERE, NOWHERE, 0), fanotify_init=(0x200, 0))
reaches(
    39, USER, fanotify_mark=(-1, 0, 0, 0, 0), statmount=(NOWHERE, NOWHERE, 0, 0), listmount=(NOWHERE, NOWHERE, 0, 0)
)
reaches(39, ROOT, open_by_handle_at=(-1, NOWHERE, 0))
reaches(41, USER, modify_ldt=(0, NOWHERE, 0), seccomp=(2, 0, NOWHERE), mlockall=(0,), remap_file_pages=(0, 0, 1, 0, 0))
reaches(41, USER, mbind=(0, 0, 9999, 0, 0, 0), set_mempolicy=(9999, 0, 0), get_mempolicy=(0, 0, 0, 0, 9999))
reaches(41, USER, pkey_alloc=(1, 0), pkey_free=(-1,), io_setup=(0, NOWHERE), io_destroy=(0,), io_submit=(0, 1, NOWHERE))
reaches(
    41, USER, settimeofday=(NOWHERE, 0), clock_settime=(0, NOWHERE), adjtimex=(NOWHERE,), clock_adjtime=(0, NOWHERE)
)
reaches(41, USER, iopl=(4,), ioperm=(0, 0, 0), ustat=(-1, NOWHERE), quotactl=(0xDEAD0000, 0, 0, 0))
reaches(41, ROOT, reboot=(0, 0, 0, 0), kexec_load=(0, 9999, 0, 0xFFFFFFFF), init_module=(NOWHERE, 0, NOWHERE))
reaches(41, ROOT, kexec_file_load=(-1, -1, 0, 0, 0xFFFFFFFF), finit_module=(-1, NOWHERE, 0xFFFFFFFF))
reaches(41, ROOT, delete_module=(NOWHERE, 0), syslog=(99, 0, 0))


@probe(40, USER)
def use_the_other_door_for_32_bit_pointers(planted: Planted) -> None:
    if libc.syscall(0x40000000 + 39) < 0:
        raise OSError(ctypes.get_errno(), "")  # ENOSYS outside: this kernel was built without that door


@probe(40)
def call_a_number_nobody_knows(planted: Planted) -> None:
    ctypes.set_errno(0)
    only_if(libc.syscall(600) >= 0 or ctypes.get_errno() != errno.ENOSYS)


@probe(38, USER)
def make_an_anonymous_file(planted: Planted) -> None:
    os.memfd_create("planted")


@probe(38, USER)
def share_memory_the_old_way(planted: Planted) -> None:
    call("shmctl", call("shmget", 0, 4096, 0o1600), 0, 0)  # made and removed


@probe(41, USER)
def fix_its_addresses(planted: Planted) -> None:
    before = call("personality", 0xFFFFFFFF)
    call("personality", before | 0x0040000)


@probe(19, USER)
def enter_a_new_user_namespace(planted: Planted) -> None:
    """The last: it changes who the process is. Of a process of two threads the kernel says EINVAL, and a thread that was
    waited for may take a moment to be gone."""
    for patience in (*[0.01] * 200, 0.0):
        try:
            call("unshare", 0x10000000)
        except OSError as refused:
            if refused.errno != errno.EINVAL or not patience:
                raise
            time.sleep(patience)
        else:
            return
