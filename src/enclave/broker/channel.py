"""How does a jail get a channel, so that the descriptor is the identity?

The broker makes a connected socket pair, keeps one end and passes the other to the worker by SCM_RIGHTS over its control
socket (0600, peer credentials checked). The connection stays open as the *line* of that channel: the worker says on it
which run the jail was given, once, and the broker binds the channel to (run, lease epoch) when the database shows that run
leased so. Whoever speaks on a channel before it is bound has it ended. An older epoch is refused, and a new channel of a
run closes the one before. Afterwards the line is the jail's bell (`broker.bell`).
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from domicile.wire import frame
from domicile.wire.words import LANGUAGES
from enclave.broker.bell import Bell
from enclave.errors import EnclaveError, Incident, Refused
from enclave.store import Place

log = logging.getLogger("enclave.broker")
SOCKET = "broker.sock"
T = TypeVar("T")
_SOON = 10  # seconds either side of the control socket waits for the other

Serve = Callable[[socket.socket, Bell], None]
Bound = Callable[[str, int, str], Serve]
"""(run, epoch, worker) → what serves the channel; raises a refusal when that run is not leased so."""

Acts = Callable[[dict[str, Any]], object]
"""Carries out what an officer said of an account, or a steward of a profile; raises a refusal."""

MOST_UNBOUND = 64
"""Channels of jails that wait for a run, on one machine."""

_CREDENTIALS = struct.Struct("3i")


def _peer_user(connection: socket.socket) -> int:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(raw)[1])


def _end(channel: socket.socket) -> None:
    """End a channel that its own thread may be reading: a mere close would not wake it."""
    with contextlib.suppress(OSError):
        channel.shutdown(socket.SHUT_RDWR)


def _spoke(channel: socket.socket) -> bool:
    """True when something waits to be read, or nobody is at the other end any more."""
    try:
        channel.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    return True


def control_path(place: Place) -> Path:
    """Where workers of this machine find the broker."""
    return place.run / SOCKET


class ControlSocket:
    """The broker's door for workers, officers' and stewards' commands on this machine."""

    def __init__(self, path: Path, bind: Bound, act: Acts) -> None:
        self._bind = bind
        self._act = act
        self._live: dict[str, socket.socket] = {}
        self._unbound: set[socket.socket] = set()
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
            for channel in (*self._live.values(), *self._unbound):
                _end(channel)

    def _speak(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(EOFError, OSError, frame.FrameError):
            if _peer_user(connection) not in (os.geteuid(), 0):
                return
            connection.settimeout(_SOON)
            head, _ = frame.receive(connection, max_body=0)
            if "act" in head:
                self._reply(connection, lambda: self._act(head))
            elif "channel" in head:
                self._give_channel(connection)

    def _reply(self, connection: socket.socket, do: Callable[[], T]) -> T | None:
        """Say whether it was done, in the words of the refusal where it was not."""
        try:
            done = do()
        except (EnclaveError, KeyError, ValueError) as refused:
            words = {lang: refused.words(lang) for lang in LANGUAGES} if isinstance(refused, EnclaveError) else {}
            frame.send(connection, {"ok": False, "words": words})
            return None
        frame.send(connection, {"ok": True})
        return done

    def _give_channel(self, line: socket.socket) -> None:
        """A channel of nobody's yet; it is served once the worker has said whose it is."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with ours:
            with theirs:
                with self._lock:
                    refused = self._closing or len(self._unbound) >= MOST_UNBOUND
                    self._unbound |= set() if refused else {ours}
                frame.send(line, {"ok": not refused, "words": {}})
                if refused:
                    return
                socket.send_fds(line, [b"c"], [theirs.fileno()])
            try:
                named = self._named(line, ours)
            finally:
                with self._lock:
                    self._unbound.discard(ours)
            if named is not None:
                self._serve(line, ours, *named)

    def _named(self, line: socket.socket, channel: socket.socket) -> tuple[str, Serve] | None:
        """Wait for the worker's one word on whose channel this is; None when the jail spoke first, or it is nobody's."""
        ready, _, _ = select.select([line, channel], [], [])
        if line not in ready or channel in ready:
            log.error("a jail spoke before it was given a run, or ended: its channel is closed")
            return None
        head, _ = frame.receive(line, max_body=0)
        run = str(head.get("run"))

        def bound() -> Serve:
            serve = self._bind(run, int(head["epoch"]), str(head["worker"]))
            if _spoke(channel):
                raise Refused("broker.spoke_unbound")
            return serve

        serve = self._reply(line, bound)
        return (run, serve) if serve is not None else None

    def _serve(self, line: socket.socket, channel: socket.socket, run: str, serve: Serve) -> None:
        with self._lock:
            older = self._live.pop(run, None)
            self._live[run] = channel
        if older is not None:
            _end(older)
        try:
            serve(channel, Bell(line))
        finally:
            with self._lock:
                if self._live.get(run) is channel:
                    del self._live[run]


def say_to_broker(path: Path, said: dict[str, Any], lang: str, *, seconds: float = 30) -> None:
    """An officer's or a steward's act; Refused in the broker's own words, Incident when it does not answer in time."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
            control.settimeout(seconds)
            control.connect(str(path))
            frame.send(control, said)
            head, _ = frame.receive(control, max_body=0)
    except (OSError, EOFError) as gone:
        raise Incident("broker.not_there") from gone
    if not head.get("ok"):
        raise Refused("broker.act_failed", why=head.get("words", {}).get(lang, ""))


class Line:
    """The worker's side of one channel: `channel` goes into a jail, `control` binds it and becomes the jail's bell."""

    def __init__(self, path: Path) -> None:
        """Ask for a channel of nobody's yet; Refused or Incident when the broker gives none."""
        self.control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.control.settimeout(_SOON)
            self.control.connect(str(path))
            frame.send(self.control, {"channel": True})
            head, _ = frame.receive(self.control, max_body=0)
            if not head.get("ok"):
                raise Refused("broker.no_more_channels", limit=MOST_UNBOUND)
            _, descriptors, _, _ = socket.recv_fds(self.control, 1, 1)
            self.channel = socket.socket(fileno=descriptors[0])
        except (OSError, EOFError, IndexError) as gone:
            self.control.close()
            raise Incident("broker.not_there") from gone
        except Refused:
            self.control.close()
            raise

    def bind(self, *, run: str, epoch: int, worker: str) -> None:
        """Say whose the channel is, once; Refused when that run is not leased so, Incident when nobody listens."""
        try:
            frame.send(self.control, {"run": run, "epoch": epoch, "worker": worker})
            head, _ = frame.receive(self.control, max_body=0)
        except (OSError, EOFError) as gone:
            raise Incident("broker.not_there") from gone
        if not head.get("ok"):
            raise Refused("broker.no_such_lease")

    def close(self) -> None:
        self.channel.close()
        self.control.close()

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def ask_for_channel(path: Path, *, run: str, epoch: int, worker: str) -> socket.socket:
    """A bound channel alone, for one who starts no jail."""
    line = Line(path)
    try:
        line.bind(run=run, epoch=epoch, worker=worker)
    except (Refused, Incident):
        line.close()
        raise
    line.control.close()
    return line.channel
