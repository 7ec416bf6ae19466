"""How does one peer do beside us, question by question, in turns?

Every answer of either side is timed and held against the truth. The first of each is a warm-up: its error counts, its time
does not. Ours is parse, price, emitted SQL, noise, post-processing and Arrow on the encrypted extract; the peer's is what
`engines/loop.py` says.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
from bench.hospital import Hospital
from bench.peers import oracle
from bench.peers.budget import Budget, share_of
from bench.peers.facts import Facts
from bench.peers.ours import Ours
from bench.peers.registry import Peer
from bench.peers.rows import read
from bench.peers.shapes import Shape
from bench.peers.talk import Failed, Spoken
from bench.suite import Cells, plain_on, total_error, true

MOST_ROUNDS = 15
PATIENCE_S = 10.0
"""Rounds of one question: at least the peer's `answers`, at most so many (always so many of a single number, whose error is
that of one draw), and no more once this long has passed."""

CLOSE = {("opendp", "distinct_persons"), ("tumult", "distinct_persons")}
"""Whose error is so near ours that a few answers would not tell which is less: asked as often as a single number."""

PEER_S, LEAST_ROUNDS = 420.0, 2
"""When one peer has been asked for so long, every further question has so many rounds: one to warm up, and one.
That of a single number keeps its own."""


@dataclass
class Compared:
    """One form asked of one peer. Seconds and errors are one per answer; `cannot` says why there is none."""

    peer: str
    form: str
    bounds: oracle.Bounds = field(default_factory=dict)
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    our_errors: list[float] = field(default_factory=list)
    their_errors: list[float] = field(default_factory=list)
    cannot: str = ""

    @property
    def speedup(self) -> float:
        return median(t / o for t, o in zip(self.theirs, self.ours, strict=True))

    @property
    def error(self) -> float:
        return median(self.their_errors)

    def kept(self) -> dict[str, Any]:
        """What is written down."""
        if self.cannot:
            return {"peer": self.peer, "form": self.form, "cannot": self.cannot}
        return {
            "peer": self.peer,
            "form": self.form,
            "bounds": dict(self.bounds),
            "seconds": median(self.theirs),
            "ours": median(self.ours),
            "speedup": self.speedup,
            "error": self.error,
            "answers": len(self.their_errors),
        }


def truths(hospital: Hospital, shapes: Sequence[Shape]) -> dict[str, Cells]:
    with plain_on(hospital) as plain:
        return {shape.form.name: true(shape.form, plain) for shape in shapes}


def compared(
    peer: Peer, spoken: Spoken, ours: Ours, shapes: Sequence[Shape], truth: dict[str, Cells], rows: Path
) -> Iterator[Compared]:
    """Every form of `shapes`, whether the peer can ask it or not."""
    until = time.perf_counter() + PEER_S
    with read(rows) as database:
        for shape in shapes:
            if reason := cannot(peer, shape):
                yield Compared(peer.name, shape.form.name, cannot=reason)
                continue
            budget = share_of(peer, shape, ours.shapes, ours.dataset.delta)
            yield _one(peer, spoken, ours, shape, budget, truth[shape.form.name], database, until)


def cannot(peer: Peer, shape: Shape) -> str:
    return peer.cannot.get(shape.words.measure) or peer.cannot.get(shape.form.name) or ""


def _one(
    peer: Peer,
    spoken: Spoken,
    ours: Ours,
    shape: Shape,
    budget: Budget,
    truth: Cells,
    database: duckdb.DuckDBPyConnection,
    until: float,
) -> Compared:
    made = Compared(peer.name, shape.form.name)
    try:
        often = not shape.words.keys or (peer.name, shape.form.name) in CLOSE
        enough, least = (MOST_ROUNDS, MOST_ROUNDS) if often else (peer.answers, LEAST_ROUNDS)
        made.bounds = _bounds(peer, spoken, shape, budget, truth, database)
        started = time.perf_counter()
        for turn in range(MOST_ROUNDS):
            our_seconds, our_cells = ours.ask(shape)
            told = spoken.ask(shape.told(), made.bounds, budget)
            made.our_errors.append(total_error(shape.form, shape.asked_of(our_cells, truth), truth))
            made.their_errors.append(total_error(shape.form, cells(shape, told.cells), truth))
            if turn:
                made.ours.append(our_seconds)
                made.theirs.append(told.seconds)
            now = time.perf_counter()
            if (turn + 1 >= enough and now - started > PATIENCE_S) or (turn + 1 >= least and now > until):
                break
    except Failed as failure:
        return Compared(peer.name, shape.form.name, cannot=f"failed: {failure}")
    return made


def _bounds(
    peer: Peer, spoken: Spoken, shape: Shape, budget: Budget, truth: Cells, database: duckdb.DuckDBPyConnection
) -> oracle.Bounds:
    if shape.words.measure != "median":
        return oracle.best(peer, Facts(shape, database), budget)

    def tried(bounds: oracle.Bounds) -> float:
        return total_error(shape.form, cells(shape, spoken.ask(shape.told(), bounds, budget).cells), truth)

    return min(oracle.MEDIANS, key=tried)


def cells(shape: Shape, told: Sequence[Sequence[Any]]) -> Cells:
    """A peer's answer as the suite writes ours."""
    (name,) = shape.form.compared
    return {shape.cell(line[:-1]): {name: shape.brought(line[-1])} for line in told}
