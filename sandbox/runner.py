"""What is process 1 behind the wall, and what does it do?

It is ours and is trusted inside; what it writes is still treated as hostile outside, for the notebook may have broken it.

 1. It lowers its own limits and rights (rlimits, Landlock), then forks the process that executes the notebook.
 2. That process gives up starting processes (a second system call filter) and becomes the IPython kernel. The stock kernel
    launcher is never used, and only this process holds the broker channel.
 3. Process 1 reads one job from its pipe, runs papermill against that kernel, and writes frames to its other pipe:
    progress, the notebook with declared outputs alone, and how it ended. Text, pictures and tracebacks are dropped here.
 4. A warm one has loaded what notebooks use before it forks, says that it is ready, and waits; its job comes later or never.
 5. It ends without the kernel's polite shutdown (half a second of waiting): with process 1 the kernel of the machine ends
    everything else in the jail. When the host goes away (watchdog pipe), process 1 ends too.

Settings come as one JSON argument, because limits must hold before the first byte of a job is read.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import resource
import shutil
import signal
import struct
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

MIB = 1 << 20
_KERNEL = {"transport": "ipc", "ip": "/tmp/k", "shell_port": 1, "iopub_port": 2, "stdin_port": 3}
_KERNEL |= {"control_port": 4, "hb_port": 5}

libc = ctypes.CDLL(None, use_errno=True)


# --- rights that are given up -------------------------------------------------------------------------------------


def lower_limits(limits: dict[str, int]) -> None:
    """Soft and hard alike, so that nothing inside can raise them again."""
    wanted = {
        resource.RLIMIT_NPROC: limits["processes"],
        resource.RLIMIT_NOFILE: limits["files"],
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: limits["file_mib"] * MIB,
        resource.RLIMIT_AS: limits["memory_mib"] * MIB,
        resource.RLIMIT_CPU: limits["cpu_seconds"],
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_MEMLOCK: 0,
    }
    for which, value in wanted.items():
        hard = resource.getrlimit(which)[1]
        capped = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (capped, capped))


_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every machine
_READ_FILE, _READ_DIR, _EXECUTE = 1 << 2, 1 << 3, 1 << 0
_NEVER = _EXECUTE | 1 << 6 | 1 << 10 | 1 << 11  # execute; make a character device, a fifo, a block device
_FILE_RIGHTS = _EXECUTE | 1 << 1 | _READ_FILE | 1 << 14 | 1 << 15  # those that make sense on a single file
_NEWEST_RIGHT = {1: 13, 2: 14, 3: 15, 4: 15}  # interface version → how many file system rights it knows


def _ruleset(version: int, *, files: bool) -> int:
    """A Landlock ruleset (include/uapi/linux/landlock.h): file rights, TCP, and signals and abstract sockets to outside."""
    rights = (1 << _NEWEST_RIGHT.get(version, 16)) - 1 if files else 0
    fields = struct.pack("QQQ", rights, 0b11 if version >= 4 else 0, 0b11 if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset: int = libc.syscall(_CREATE_RULESET, fields, ctypes.c_size_t(size), 0)
    if ruleset < 0:
        raise OSError(ctypes.get_errno(), "Landlock is there, but refused our rules")
    return ruleset


def _restrict(ruleset: int) -> None:
    if libc.syscall(_RESTRICT_SELF, ruleset, 0) != 0:
        raise OSError(ctypes.get_errno(), "Landlock is there, but refused our rules")
    os.close(ruleset)


def landlock_version() -> int:
    """0 where the kernel of the machine has none."""
    return max(0, int(libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1)))


def confine_files(version: int, read: list[str], write: list[str]) -> None:
    """Only the mounts of the wall, even if a mount were too many: reading `read`, also writing `write`."""
    every = (1 << _NEWEST_RIGHT.get(version, 16)) - 1
    ruleset = _ruleset(version, files=True)
    for paths, rights in ((read, _READ_FILE | _READ_DIR | _EXECUTE), (write, every & ~_NEVER)):
        for path in paths:
            folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
            granted = rights & every & (-1 if Path(path).is_dir() else _FILE_RIGHTS)
            rule = struct.pack("=Qi", granted, folder)
            if libc.syscall(_ADD_RULE, ruleset, 1, rule, 0) != 0:
                raise OSError(ctypes.get_errno(), f"Landlock refused the rule for {path}")
            os.close(folder)
    _restrict(ruleset)


def install_filter(program: bytes) -> None:
    """The second system call filter; it adds to the one bubblewrap installed."""

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))

    wanted = Program(len(program) // 8, program)
    if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, ctypes.byref(wanted), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the second system call filter was refused")


# --- what is loaded before a job comes ------------------------------------------------------------------------------


def warm_up() -> None:
    """Load, and use once, what most notebooks use. Nothing here starts a thread: the kernel is forked from it."""
    import pandas as pd
    from matplotlib import pyplot

    import domicile

    frame = pd.DataFrame({"k": ["a", "b"] * 4, "x": range(8)})
    frame.groupby("k")["x"].agg(["mean", "count"]).to_string()
    frame.merge(frame.groupby("k", as_index=False)["x"].sum(), on="k").describe()
    figure, axes = pyplot.subplots()
    axes.bar(["a", "b"], [1, 2])
    axes.set_title("x")
    figure.canvas.draw()
    pyplot.close(figure)
    for name in domicile.__all__:  # each is loaded when it is first used, and the first use is not the notebook's
        getattr(domicile, name)


# --- the process that executes the notebook ------------------------------------------------------------------------


def become_kernel(settings: dict[str, Any], key: bytes, landlock: int, ready: int) -> NoReturn:
    """Give up what only process 1 needs, and be an IPython kernel until the jail ends."""
    fds = settings["fds"]
    with os.fdopen(os.dup(fds["filter"]), "rb") as file:
        program = file.read()
    for name in ("job", "frames", "watchdog", "filter"):
        os.close(fds[name])
    null = os.open(os.devnull, os.O_RDWR)
    for stdio in (0, 1, 2):  # bubblewrap's error pipe stays with process 1
        os.dup2(null, stdio)
    os.close(null)
    if landlock >= 6:
        _restrict(_ruleset(landlock, files=False))  # a domain of its own: no signals to process 1
    install_filter(program)
    if fds["channel"] is not None:
        os.environ["DOMICILE_CHANNEL"] = str(fds["channel"])
    from ipykernel.kernelapp import IPKernelApp
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.Session.key = key
    config.InlineBackend.figure_formats = set()  # pictures never leave: none is drawn, figures are closed as ever
    app = IPKernelApp.instance(config=config, **_KERNEL)
    app.initialize([])
    if settings["warm"]:
        warm_up()
        app.shell.run_cell("None", store_history=False, silent=True)  # the first cell of a kernel loads more of it
        gc.collect()
        libc.malloc_trim(0)  # it may wait for long
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    os.write(ready, b"R")
    os.close(ready)
    app.start()
    os._exit(0)


# --- process 1 ----------------------------------------------------------------------------------------------------


def watch_host(fd: int) -> None:
    """The host holds the other end; when it is gone, so are we."""
    os.read(fd, 1)
    os._exit(1)


def main() -> None:
    settings = json.loads(sys.argv[1])
    fds = settings["fds"]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lower_limits(settings["limits"])
    landlock = landlock_version()
    if landlock:
        confine_files(landlock, settings["read"], settings["write"])
    with contextlib.suppress(FileNotFoundError):
        shutil.copytree(settings["font_cache"], os.environ["MPLCONFIGDIR"])
    key = os.urandom(16).hex().encode()
    heard, ready = os.pipe()
    kernel = os.fork()
    if kernel == 0:
        os.close(heard)
        become_kernel(settings, key, landlock, ready)
    os.close(ready)
    if fds["channel"] is not None:
        os.close(fds["channel"])
    threading.Thread(target=watch_host, args=(fds["watchdog"],), daemon=True).start()
    sys.path.insert(0, str(Path(__file__).parent))  # after the fork: only process 1 needs it
    sys.modules["pyarrow"] = None  # type: ignore[assignment]  # papermill would load it, to read from a Hadoop we never see
    client = importlib.import_module("client")  # papermill is imported while the kernel starts
    client.converse(settings, client.Kernel(kernel, key, _KERNEL, heard))


if __name__ == "__main__":
    main()
