"""What did the runner say on its pipe?

Frames of one byte kind, four bytes length, and a payload; each kind has a cap, and so has the number of frames. A frame
that breaks a rule ends the run: nothing more is read from it.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Any

from enclave.run.bounded import Malformed, read_json
from enclave.run.limits import MIB, Limits
from enclave.run.notebook import Source

_FRAME = struct.Struct(">cI")
_SMALL = 4096
_STAGES = ("running", "collecting")
_ENDS = {
    "finished": ("",),
    "failed": ("run.notebook_error", "run.kernel_ended", "run.too_many_outputs", "run.output_too_large"),
    "killed": ("run.printed_too_much",),
}
_CLASS = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,79}")


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    stage: str
    done: int
    cells: int


@dataclass(frozen=True)
class OwnError:
    """Where the notebook's own code failed: class, cell and line; never the message, which may hold anything."""

    name: str
    cell: int | None
    line: int | None


@dataclass(frozen=True)
class End:
    """How the runner says it ended."""

    state: str
    why: str
    error: OwnError | None


class FrameReader:
    """Turns bytes from the pipe into progress, a notebook and an end; Malformed when a rule is broken."""

    def __init__(self, limits: Limits) -> None:
        self._caps = {b"R": 0, b"P": _SMALL, b"N": limits.result_mib * MIB, b"E": _SMALL}
        self._source: Source | None = None
        self._frames_left = 1
        self._waiting = bytearray()
        self.ready = False
        self.notebook: bytes | None = None
        self.end: End | None = None
        self.progress: Progress | None = None

    def expect(self, source: Source) -> None:
        """From here on frames are of the run of this notebook; before, the runner may only say that it is ready."""
        self._source = source
        self._frames_left += 2 * len(source.cells) + 10

    def feed(self, data: bytes) -> None:
        """Take what was read; nothing after the end counts."""
        self._waiting += data
        while self.end is None and len(self._waiting) >= _FRAME.size:
            kind, size = _FRAME.unpack_from(self._waiting)
            if size > self._caps.get(kind, -1) or self._frames_left == 0:
                raise Malformed("frame")
            if len(self._waiting) < _FRAME.size + size:
                return
            payload = bytes(self._waiting[_FRAME.size : _FRAME.size + size])
            del self._waiting[: _FRAME.size + size]
            self._frames_left -= 1
            self._take(kind, payload)

    def _take(self, kind: bytes, payload: bytes) -> None:
        if kind == b"R":
            if self.ready or self.progress is not None:
                raise Malformed("ready twice, or late")
            self.ready = True
            return
        if self._source is None:
            raise Malformed("an answer before the job")
        if kind == b"N":
            if self.notebook is not None:
                raise Malformed("a second notebook")
            self.notebook = payload
            return
        value = read_json(payload, _SMALL)
        if not isinstance(value, dict):
            raise Malformed("frame")
        if kind == b"P":
            self.progress = self._read_progress(value, self._source)
        else:
            self.end = self._read_end(value, self._source)

    def _number(self, value: Any, most: int) -> int | None:
        return value if type(value) is int and 0 <= value <= most else None

    def _read_progress(self, value: dict[str, Any], source: Source) -> Progress:
        cells = len(source.cells)
        done = self._number(value.get("done"), cells + 1)
        if value.get("stage") not in _STAGES or done is None:
            raise Malformed("progress")
        return Progress(value["stage"], min(done, cells), cells)

    def _read_end(self, value: dict[str, Any], source: Source) -> End:
        state, why, error = value.get("state"), value.get("why"), value.get("error")
        if not isinstance(state, str) or why not in _ENDS.get(state, ()):
            raise Malformed("end")
        if state == "finished" and self.notebook is None:
            raise Malformed("an end without a notebook")
        return End(state, str(why), self._read_error(error, source) if isinstance(error, dict) else None)

    def _read_error(self, error: dict[str, Any], source: Source) -> OwnError:
        name, cell = error.get("class"), error.get("cell")
        place = int(cell[1:]) if isinstance(cell, str) and re.fullmatch(r"c\d{1,6}", cell) else None
        if place is not None and place >= len(source.cells):
            place = None
        lines = source.cells[place].source.count("\n") + 1 if place is not None else 0
        known = name if isinstance(name, str) and _CLASS.fullmatch(name) else "Error"
        return OwnError(known, place, self._number(error.get("line"), lines))
