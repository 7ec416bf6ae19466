"""How is a peer spoken to? One JSON object a line, both ways; `engines/loop.py` is the other end."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.peers.registry import HERE, Peer

Bounds = Mapping[str, float]


class Failed(Exception):
    """The peer could not answer; the words are its own."""


@dataclass(frozen=True)
class Answer:
    seconds: float
    cells: list[list[Any]]
    """Keys, then the value."""


class Spoken:
    """A peer at work."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def load(self, rows: Path, scratch: Path) -> float:
        """Seconds until it stands ready."""
        found: float = self._say({"verb": "load", "rows": str(rows), "scratch": str(scratch)})["seconds"]
        return found

    def ask(self, shape: Mapping[str, Any], bounds: Bounds, budget: Mapping[str, float]) -> Answer:
        told = self._say({"verb": "ask", "shape": shape, "bounds": bounds, "budget": budget})
        if "failed" in told:
            raise Failed(told["failed"])
        return Answer(told["seconds"], told["cells"])

    def _say(self, words: dict[str, Any]) -> dict[str, Any]:
        if self._process.stdin is None or self._process.stdout is None:
            raise Failed("no pipe")
        try:
            self._process.stdin.write(json.dumps(words) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise Failed(f"it ended with code {self._process.wait()}")
        told: dict[str, Any] = json.loads(line)
        return told


@contextmanager
def spoken(peer: Peer, python: Path, heard: Path) -> Iterator[Spoken]:
    """The peer as a process; what it prints goes to the file `heard`."""
    command = [str(python), "-W", "ignore", str(HERE / "engines" / peer.script)]
    with (
        heard.open("w") as words,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=words, text=True) as process,
    ):
        try:
            yield Spoken(process)
        finally:
            if process.stdin is not None:
                process.stdin.close()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
