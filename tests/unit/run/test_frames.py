"""What the runner may say, and what breaks the agreement."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest

from enclave.run.bounded import Malformed
from enclave.run.frames import FrameReader, OwnError, Progress
from enclave.run.limits import Limits
from enclave.run.notebook import Cell, Source
from enclave.run.sandbox import SandboxFiles

LIMITS = Limits.default(SandboxFiles.find(), result_mib=1)
SOURCE = Source((Cell("code", "a\nb"), Cell("markdown", "x")))


def frame(kind: bytes, value: Any) -> bytes:
    payload = value if isinstance(value, bytes) else json.dumps(value).encode()
    return struct.pack(">cI", kind, len(payload)) + payload


def read(*frames: bytes) -> FrameReader:
    reader = FrameReader(LIMITS)
    reader.expect(SOURCE)
    for byte in b"".join(frames):  # one byte at a time: a pipe gives what it likes
        reader.feed(bytes([byte]))
    return reader


def end(state: str = "failed", why: str = "run.notebook_error", **error: Any) -> bytes:
    return frame(b"E", {"state": state, "why": why, "error": error or None})


def test_progress_notebook_and_end_are_read() -> None:
    reader = read(frame(b"P", {"stage": "running", "done": 1}), frame(b"N", b"{}"), end("finished", ""))
    assert reader.progress == Progress("running", 1, 2)
    assert reader.notebook == b"{}"
    assert reader.end is not None and reader.end.state == "finished"


def test_nothing_counts_after_the_end() -> None:
    reader = read(end(), frame(b"N", b"{}"), b"garbage")
    assert reader.notebook is None


@pytest.mark.parametrize(
    "said",
    [
        b"XXXXXXXX",
        struct.pack(">cI", b"P", 5000),
        struct.pack(">cI", b"N", (1 << 20) + 1),
        frame(b"P", b"{"),
        frame(b"P", []),
        frame(b"P", {"stage": "<script>", "done": 0}),
        frame(b"P", {"stage": "running", "done": -1}),
        frame(b"P", {"stage": "running", "done": True}),
        frame(b"P", {"stage": "running", "done": 1e3}),
        frame(b"P", b"[" * 4000),
        frame(b"P", {"stage": "running", "done": 0}) * 20,
        frame(b"N", b"{}") * 2,
        end("finished", ""),  # without a notebook
        end("released", ""),
        end("failed", "<b>why</b>"),
        frame(b"E", {"state": ["finished"], "why": ""}),
    ],
)
def test_a_broken_rule_ends_the_reading(said: bytes) -> None:
    with pytest.raises(Malformed):
        read(said)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"class": "ValueError", "cell": "c0", "line": 2}, OwnError("ValueError", 0, 2)),
        ({"class": "my.Error", "cell": "c1", "line": 9}, OwnError("my.Error", 1, None)),
        ({"class": "the patient is called Li", "cell": "c0", "line": 1}, OwnError("Error", 0, 1)),
        ({"class": 7, "cell": "c9", "line": 1}, OwnError("Error", None, None)),
        ({"class": "E", "cell": "x", "line": "1"}, OwnError("E", None, None)),
        ({"class": "E", "cell": None, "line": True}, OwnError("E", None, None)),
    ],
)
def test_of_an_error_only_class_cell_and_line_are_believed(error: dict[str, Any], expected: OwnError) -> None:
    found = read(end(**error)).end
    assert found is not None and found.error == expected


def test_before_its_job_the_runner_may_say_once_that_it_is_ready_and_nothing_else() -> None:
    reader = FrameReader(LIMITS)
    assert not reader.ready
    reader.feed(frame(b"R", b""))
    assert reader.ready
    for other in (frame(b"R", b""), frame(b"P", {"stage": "running", "done": 0}), frame(b"N", b"{}"), end()):
        with pytest.raises(Malformed):
            reader.feed(other)
    early = FrameReader(LIMITS)
    with pytest.raises(Malformed):
        early.feed(frame(b"P", {"stage": "running", "done": 0}))


def test_ready_is_said_once_and_not_after_progress() -> None:
    with pytest.raises(Malformed):
        read(frame(b"R", b""), frame(b"R", b""))
    with pytest.raises(Malformed):
        read(frame(b"P", {"stage": "running", "done": 0}), frame(b"R", b""))
    with pytest.raises(Malformed):
        read(frame(b"R", b"x"))
