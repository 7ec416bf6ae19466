"""What is process 1 behind the wall, and what does it do?

It is ours and is trusted inside; what it writes is still treated as hostile outside, for the notebook may have broken it.

 1. It lowers its own limits and rights (rlimits, Landlock), then forks the process that executes the notebook.
 2. That process gives up starting processes (a second system call filter) and becomes the IPython kernel. The stock kernel
    launcher is never used, and only this process holds the broker channel.
 3. Process 1 reads one job from its pipe, runs papermill against that kernel, and writes frames to its other pipe:
    progress, the notebook with declared outputs alone, and how it ended. Text, pictures and tracebacks are dropped here.
 4. It ends without the kernel's polite shutdown (half a second of waiting): with process 1 the kernel of the machine ends
    everything else in the jail. When the host goes away (watchdog pipe), process 1 ends too.

Settings come as one JSON argument, because limits must hold before the first byte of a job is read.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import resource
import shutil
import signal
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

MIB = 1 << 20
PROGRESS, NOTEBOOK, END = b"P", b"N", b"E"
_LENGTHS = struct.Struct(">II")  # of a job: its head, its notebook
_FRAME = struct.Struct(">cI")  # of a frame: its kind, its length
_KERNEL = {"transport": "ipc", "ip": "/tmp/k", "shell_port": 1, "iopub_port": 2, "stdin_port": 3}
_KERNEL |= {"control_port": 4, "hb_port": 5}
_OUTPUT_MIME = "application/vnd.domicile.output+json"
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_OWN_LINE = re.compile(r"Cell In\[\d+\], line (\d+)")

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


# --- the process that executes the notebook ------------------------------------------------------------------------


def become_kernel(settings: dict[str, Any], key: bytes, landlock: int, ready: int) -> NoReturn:
    """Give up what only process 1 needs, and be an IPython kernel until the jail ends."""
    fds = settings["fds"]
    program = _read_all(fds["filter"])
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
    app = IPKernelApp.instance(config=config, **_KERNEL)
    app.initialize([])
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    os.write(ready, b"R")
    os.close(ready)
    app.start()
    os._exit(0)


# --- the job and the frames ----------------------------------------------------------------------------------------


def _read_all(fd: int) -> bytes:
    os.lseek(fd, 0, os.SEEK_SET)
    with os.fdopen(os.dup(fd), "rb") as file:
        return file.read()


def read_job(fd: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The one job of this jail: its head (parameters) and its notebook."""
    with os.fdopen(fd, "rb") as pipe:
        head, notebook = _LENGTHS.unpack(pipe.read(_LENGTHS.size))
        return json.loads(pipe.read(head)), json.loads(pipe.read(notebook))


class Frames:
    """The pipe to the host."""

    def __init__(self, fd: int, limits: dict[str, int]) -> None:
        self._fd = fd
        self.limits = limits

    def write(self, kind: bytes, payload: bytes) -> None:
        left = memoryview(_FRAME.pack(kind, len(payload)) + payload)
        while left:
            left = left[os.write(self._fd, left) :]

    def progress(self, stage: str, done: int, cells: int) -> None:
        self.write(PROGRESS, json.dumps({"stage": stage, "done": done, "cells": cells}).encode())

    def end(self, state: str, why: str = "", error: dict[str, Any] | None = None) -> NoReturn:
        """Say how it ended and end the jail: nobody waits for the kernel."""
        self.write(END, json.dumps({"state": state, "why": why, "error": error}).encode())
        os._exit(0)


class Receipts:
    """What the kernel sent: declared outputs are kept, the rest is counted and dropped."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._limits = frames.limits
        self._printed = self._lines = self._outputs = self._bytes = 0
        self.error: dict[str, Any] | None = None

    def dropped(self, text: str) -> None:
        self._printed += len(text)
        self._lines += 1 + text.count("\n")
        if self._printed > self._limits["printed_kib"] * 1024 or self._lines > self._limits["printed_lines"]:
            self._frames.end("killed", "run.printed_too_much")

    def declared(self, bundle: Any) -> None:
        size = len(json.dumps(bundle))
        self._outputs += 1
        self._bytes += size
        if self._outputs > self._limits["outputs"]:
            self._frames.end("failed", "run.too_many_outputs")
        if size > self._limits["output_mib"] * MIB or self._bytes > (self._limits["result_mib"] - 1) * MIB:
            self._frames.end("failed", "run.output_too_large")

    def failed(self, cell: dict[str, Any], reply: dict[str, Any]) -> None:
        lines = _OWN_LINE.findall(_ANSI.sub("", "\n".join(map(str, reply.get("traceback") or ()))))
        self.error = {
            "class": str(reply.get("ename", ""))[:80],
            "cell": str(cell.get("id", ""))[:64],
            "line": int(lines[0]) if lines else None,
            "left": reply.get("ename") == "SystemExit" and reply.get("evalue") in ("", "0"),
        }


# --- papermill against the kernel ------------------------------------------------------------------------------------


def run_papermill(job: dict[str, Any], notebook: dict[str, Any], frames: Frames, key: bytes, kernel: int) -> NoReturn:
    """Execute the notebook with papermill, and write what came of it."""
    import nbformat
    import papermill
    from jupyter_client.manager import AsyncKernelManager
    from jupyter_core.utils import run_sync
    from nbclient.exceptions import DeadKernelError
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import NBClientEngine, papermill_engines
    from papermill.exceptions import PapermillExecutionError

    receipts = Receipts(frames)
    managed: list[Any] = []
    cells = len(notebook["cells"])

    class ForkedKernel(AsyncKernelManager):  # type: ignore[misc]
        """The manager of a kernel that already runs."""

        @property
        def has_kernel(self) -> bool:
            return True

        async def _async_is_alive(self) -> bool:
            return os.waitpid(kernel, os.WNOHANG) == (0, 0)

        is_alive = _async_is_alive

    class Client(PapermillNotebookClient):  # type: ignore[misc]
        """papermill's own client, with our kernel and our ears."""

        @contextlib.contextmanager
        def setup_kernel(self, **_: Any) -> Iterator[None]:
            self.kc = self.km.client()
            self.kc.start_channels()
            self.kc.allow_stdin = False
            run_sync(self._await_kernel)()
            yield

        async def _await_kernel(self) -> None:
            """A question answered on both sockets; nothing of it is left to be mistaken for a cell's output."""
            while True:
                asked = self.kc.kernel_info()
                with contextlib.suppress(Exception):
                    while (await self.kc.shell_channel.get_msg(timeout=1))["parent_header"].get("msg_id") != asked:
                        pass
                    while True:
                        heard = await self.kc.iopub_channel.get_msg(timeout=0.2)
                        idle = heard["msg_type"] == "status" and heard["content"]["execution_state"] == "idle"
                        if idle and heard["parent_header"].get("msg_id") == asked:
                            return

        def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
            kind, content = msg["msg_type"], msg["content"]
            if kind == "status":
                return super().process_message(msg, cell, cell_index)
            if kind == "display_data" and _OUTPUT_MIME in content["data"]:
                bundle = content["data"][_OUTPUT_MIME]
                receipts.declared(bundle)
                kept = {"output_type": "display_data", "data": {_OUTPUT_MIME: bundle}, "metadata": {}}
                cell.outputs.append(nbformat.NotebookNode(kept))  # type: ignore[no-untyped-call]
            else:
                receipts.dropped(str(content.get("text", "")))
            return None

        def note_error(self, cell: Any, cell_index: int, execute_reply: dict[str, Any]) -> None:
            receipts.failed(cell, execute_reply["content"])

        def note_done(self, cell: Any, cell_index: int, execute_reply: dict[str, Any]) -> None:
            frames.progress("running", cell_index + 1, cells)

    class Engine(NBClientEngine):  # type: ignore[misc]
        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **_: Any) -> Any:
            managed.append(nb_man)
            client = Client(nb_man, km=ForkedKernel(session=_session(key), **_KERNEL), timeout=None)
            client.on_cell_error, client.on_cell_executed = client.note_error, client.note_done
            return client.execute()

    papermill_engines.register("forked", Engine)
    node: Any = nbformat.reads(json.dumps(notebook), as_version=4)  # type: ignore[no-untyped-call]
    frames.progress("running", 0, cells)
    try:
        options = {"engine_name": "forked", "kernel_name": "python3", "language": "python", "progress_bar": False}
        papermill.execute_notebook(node, None, parameters=job["parameters"], **options)
    except PapermillExecutionError:
        if receipts.error is None or not receipts.error.pop("left"):
            frames.end("failed", "run.notebook_error", receipts.error)
    except DeadKernelError:
        frames.end("failed", "run.kernel_ended")
    frames.progress("collecting", cells, cells)
    frames.write(NOTEBOOK, _returned(managed[0].nb))
    frames.end("finished")


def _returned(executed: Any) -> bytes:
    """The notebook as it goes back: cells by id with their declared outputs, and nothing else."""
    cells = [
        {"id": cell.id, "cell_type": cell.cell_type, "outputs": cell.get("outputs", [])} for cell in executed.cells
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()


def _session(key: bytes) -> Any:
    from jupyter_client.session import Session

    return Session(key=key)


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
    frames = Frames(fds["frames"], settings["limits"])
    import papermill  # noqa: F401  while the kernel starts

    if os.read(heard, 1) != b"R":
        frames.end("failed", "run.kernel_ended")
    job, notebook = read_job(fds["job"])
    run_papermill(job, notebook, frames, key, kernel)


if __name__ == "__main__":
    main()
