"""How does process 1 run the notebook, and what does it tell the host?

papermill whole, with two things exchanged: the kernel already runs (`runner.py` forked it), and of what the kernel sends
only declared outputs are kept. Text, pictures, widgets and tracebacks are counted and dropped as they arrive, so that a
flood ends the run instead of the memory. Frames to the host: progress, the notebook, the end (see `enclave.run.frames`).
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import logging
import os
import re
import signal
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import nbformat
import papermill
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.session import Session
from jupyter_core.utils import run_sync
from nbclient.exceptions import DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError

MIB = 1 << 20
READY, PROGRESS, NOTEBOOK, END = b"R", b"P", b"N", b"E"
_LENGTHS = struct.Struct(">II")  # of a job: its head, its notebook
_FRAME = struct.Struct(">cI")  # of a frame: its kind, its length
_OUTPUT_MIME = "application/vnd.domicile.output+json"
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_OWN_LINE = re.compile(r"Cell In\[\d+\], line (\d+)")


@dataclass(frozen=True)
class Kernel:
    """The process that executes the notebook: its number here, its key, its sockets, and the pipe that says it is up."""

    process: int
    key: bytes
    sockets: dict[str, Any]
    ready: int


class Frames:
    """The pipe to the host."""

    def __init__(self, fd: int, limits: dict[str, int]) -> None:
        self._fd = fd
        self.limits = limits

    def write(self, kind: bytes, payload: bytes) -> None:
        left = memoryview(_FRAME.pack(kind, len(payload)) + payload)
        while left:
            left = left[os.write(self._fd, left) :]

    def ready(self) -> None:
        """The kernel waits for a job."""
        self.write(READY, b"")

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
        self.left = False

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

    def failed(self, cell: Any, reply: dict[str, Any]) -> None:
        """Class, cell and line of the notebook's own code; `sys.exit()` is no failure."""
        lines = _OWN_LINE.findall(_ANSI.sub("", "\n".join(map(str, reply.get("traceback") or ()))))
        name = str(reply.get("ename", ""))
        self.left = name == "SystemExit" and reply.get("evalue") in ("", "0")
        line = int(lines[0]) if lines else None
        self.error = {"class": name[:80], "cell": str(cell.get("id", ""))[:64], "line": line}


class ForkedKernel(AsyncKernelManager):  # type: ignore[misc]  # no stubs are shipped
    """The manager of a kernel that already runs."""

    process: int = 0

    @property
    def has_kernel(self) -> bool:
        return True

    async def _async_is_alive(self) -> bool:
        return os.waitpid(self.process, os.WNOHANG) == (0, 0)

    is_alive = _async_is_alive  # nbclient asks the one, jupyter_client the other


class Connected:
    """The kernel's manager and a client that it has answered, made before there is a notebook to run."""

    def __init__(self, kernel: Kernel) -> None:
        self.manager = ForkedKernel(session=Session(key=kernel.key), **kernel.sockets)
        self.manager.process = kernel.process
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.allow_stdin = False
        run_sync(self._await_kernel)()

    async def _await_kernel(self) -> None:
        """A question answered on both sockets; nothing of it is left to be mistaken for a cell's output."""
        while True:
            asked = self.client.kernel_info()
            with contextlib.suppress(Exception):
                while (await self.client.shell_channel.get_msg(timeout=1))["parent_header"].get("msg_id") != asked:
                    pass
                while True:
                    heard = await self.client.iopub_channel.get_msg(timeout=0.2)
                    idle = heard["msg_type"] == "status" and heard["content"]["execution_state"] == "idle"
                    if idle and heard["parent_header"].get("msg_id") == asked:
                        return
            if not await self.manager.is_alive():
                raise DeadKernelError("the kernel ended before it answered")


class Client(PapermillNotebookClient):  # type: ignore[misc]  # no stubs are shipped
    """papermill's own client, with our kernel and our ears."""

    def __init__(self, managed: Any, connected: Connected, frames: Frames, receipts: Receipts) -> None:
        super().__init__(managed, km=connected.manager, timeout=None)
        self._connected = connected
        self._frames, self._receipts, self._cells = frames, receipts, len(managed.nb.cells)
        self.on_cell_error, self.on_cell_executed = self._note_error, self._note_done

    @contextlib.contextmanager
    def setup_kernel(self, **_: Any) -> Iterator[None]:
        self.kc = self._connected.client
        yield

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        kind, content = msg["msg_type"], msg["content"]
        if kind == "status":
            return super().process_message(msg, cell, cell_index)
        if kind == "display_data" and _OUTPUT_MIME in content["data"]:
            bundle = content["data"][_OUTPUT_MIME]
            self._receipts.declared(bundle)
            kept = {"output_type": "display_data", "data": {_OUTPUT_MIME: bundle}, "metadata": {}}
            cell.outputs.append(nbformat.NotebookNode(kept))
        else:
            self._receipts.dropped(str(content.get("text", "")))
        return None

    def _note_error(self, cell: Any, cell_index: int, execute_reply: dict[str, Any]) -> None:
        self._receipts.failed(cell, execute_reply["content"])

    def _note_done(self, cell: Any, cell_index: int, execute_reply: dict[str, Any]) -> None:
        self._frames.progress("running", cell_index + 1, self._cells)


def read_job(fd: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The one job of this jail: its head (parameters) and its notebook."""
    with os.fdopen(fd, "rb") as pipe:
        head, notebook = _LENGTHS.unpack(pipe.read(_LENGTHS.size))
        return json.loads(pipe.read(head)), json.loads(pipe.read(notebook))


def _returned(executed: Any) -> bytes:
    """The notebook as it goes back: cells by id with their declared outputs, and nothing else."""
    cells = [
        {"id": cell.id, "cell_type": cell.cell_type, "outputs": cell.get("outputs", [])} for cell in executed.cells
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()


def rehearse() -> None:
    """What papermill loads when it first meets a notebook: schemas above all."""
    cell = nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["parameters"]})
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    node = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": spec})
    nbformat.validate(nbformat.reads(nbformat.writes(node), as_version=4))


def converse(settings: dict[str, Any], kernel: Kernel) -> NoReturn:
    """Wait for the kernel and the job, run it with papermill, and say what came of it."""
    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    frames = Frames(settings["fds"]["frames"], settings["limits"])
    receipts = Receipts(frames)
    running: list[Any] = []

    class Engine(NBClientEngine):  # type: ignore[misc]  # papermill asks for a class, not for an object
        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **_: Any) -> Any:
            running.append(nb_man)
            return Client(nb_man, connected, frames, receipts).execute()

    papermill_engines.register("forked", Engine)
    if settings["warm"]:
        rehearse()
    try:
        if os.read(kernel.ready, 1) != b"R":
            raise DeadKernelError("the kernel ended while it started")
        connected = Connected(kernel)
    except DeadKernelError:
        frames.end("failed", "run.kernel_ended")
    if settings["warm"]:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)  # it may wait for long
    frames.ready()
    job, notebook = read_job(settings["fds"]["job"])
    frames.progress("running", 0, len(notebook["cells"]))
    node: Any = nbformat.reads(json.dumps(notebook), as_version=4)
    options = {"engine_name": "forked", "kernel_name": "python3", "language": "python", "progress_bar": False}
    try:
        papermill.execute_notebook(node, None, parameters=job["parameters"], **options)
    except PapermillExecutionError:
        if not receipts.left:
            frames.end("failed", "run.notebook_error", receipts.error)
    except DeadKernelError:
        frames.end("failed", "run.kernel_ended")
    os.kill(kernel.process, signal.SIGKILL)  # all it said is here: its memory is given back while the rest is done
    frames.progress("collecting", len(notebook["cells"]), len(notebook["cells"]))
    frames.write(NOTEBOOK, _returned(running[0].nb))
    frames.end("finished")
