"""How does a worker get a channel for a run, so that the descriptor is the identity?

The broker makes a connected socket pair, keeps one end and passes the other to the worker by SCM_RIGHTS over its control
socket (0600, peer credentials checked). A channel is bound to (run, lease epoch) before its far end leaves the broker, so
nothing can be sent into an unbound one; an older epoch is refused, and a new channel of a run closes the one before.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from domicile.wire import frame
from domicile.wire.words import LANGUAGES
from enclave.broker.bell import Bell
from enclave.errors import EnclaveError, Incident, Refused

Serve = Callable[[socket.socket, Bell], None]
Bound = Callable[[str, int, str], Serve]
"""(run, epoch, worker) → what serves the channel; raises a refusal when that run is not leased so."""

Acts = Callable[[dict[str, Any]], object]
"""Carries out what an officer said of an account; raises a refusal."""

_CREDENTIALS = struct.Struct("3i")


def _peer_user(connection: socket.socket) -> int:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(raw)[1])


def _end(channel: socket.socket) -> None:
    """End a channel that its own thread may be reading: a mere close would not wake it."""
    with contextlib.suppress(OSError):
        channel.shutdown(socket.SHUT_RDWR)


class ControlSocket:
    """The broker's door for workers and officers' commands on this machine."""

    def __init__(self, path: Path, bind: Bound, act: Acts) -> None:
        self._bind = bind
        self._act = act
        self._live: dict[str, socket.socket] = {}
        self._lock = threading.Lock()
        self._closing = False
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        before = os.umask(0o177)
        try:
            self._listener.bind(str(path))
        finally:
            os.umask(before)
        self._listener.listen(128)  # a full queue refuses at once, it does not wait

    def serve_forever(self) -> None:
        """Accept workers until closed; each speaks on a thread of its own."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                if self._listener.fileno() < 0 or self._closing:
                    return
                time.sleep(0.1)  # out of descriptors, for instance: that passes
                continue
            threading.Thread(target=self._speak, args=(connection,), daemon=True).start()

    def close(self) -> None:
        """Stop accepting and drop every channel."""
        self._closing = True
        # shutdown wakes the thread that waits in accept(); close alone would not
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for channel in self._live.values():
                _end(channel)

    def _speak(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(EOFError, OSError, frame.FrameError):
            if _peer_user(connection) not in (os.geteuid(), 0):
                return
            connection.settimeout(10)
            head, _ = frame.receive(connection, max_body=0)
            try:
                if "act" in head:
                    self._act(head)
                    frame.send(connection, {"ok": True})
                    return
                run, epoch, worker = str(head["run"]), int(head["epoch"]), str(head["worker"])
                serve = self._bind(run, epoch, worker)
            except (EnclaveError, KeyError, ValueError) as refused:
                words = {lang: refused.words(lang) for lang in LANGUAGES} if isinstance(refused, EnclaveError) else {}
                frame.send(connection, {"ok": False, "words": words})
                return
            self._hand_over(connection, run, serve)

    def _hand_over(self, connection: socket.socket, run: str, serve: Serve) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with self._lock:
            older = self._live.pop(run, None)
            self._live[run] = ours
        if older is not None:
            _end(older)
        line = connection.dup()  # stays open for the run, when the worker keeps its end
        threading.Thread(target=self._serve, args=(run, ours, line, serve), daemon=True).start()
        with theirs:
            frame.send(connection, {"ok": True})
            socket.send_fds(connection, [b"c"], [theirs.fileno()])

    def _serve(self, run: str, channel: socket.socket, line: socket.socket, serve: Serve) -> None:
        try:
            serve(channel, Bell(line))
        finally:
            channel.close()
            line.close()
            with self._lock:
                if self._live.get(run) is channel:
                    del self._live[run]


def say_to_broker(path: Path, said: dict[str, Any], lang: str) -> None:
    """An officer's act on an account; Refused in the broker's own words, Incident when it does not answer."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
            control.settimeout(30)
            control.connect(str(path))
            frame.send(control, said)
            head, _ = frame.receive(control, max_body=0)
    except (OSError, EOFError) as gone:
        raise Incident("broker.not_there") from gone
    if not head.get("ok"):
        raise Refused("broker.act_failed", why=head.get("words", {}).get(lang, ""))


def ask_for_line(path: Path, *, run: str, epoch: int, worker: str) -> tuple[socket.socket, socket.socket]:
    """The worker's side: a channel for a run it leased, and the connection that says when its jail is to stand still;
    Refused or Incident when the broker gives none."""
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        control.settimeout(10)
        control.connect(str(path))
        frame.send(control, {"run": run, "epoch": epoch, "worker": worker})
        head, _ = frame.receive(control, max_body=0)
        if not head.get("ok"):
            raise Refused("broker.no_such_lease")
        _, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        return socket.socket(fileno=descriptors[0]), control
    except (OSError, EOFError, IndexError) as gone:
        control.close()
        raise Incident("broker.not_there") from gone
    except Refused:
        control.close()
        raise


def ask_for_channel(path: Path, *, run: str, epoch: int, worker: str) -> socket.socket:
    """A channel alone, for one who starts no jail."""
    channel, line = ask_for_line(path, run=run, epoch=epoch, worker=worker)
    line.close()
    return channel
