"""Which bounds would a peer take if it knew the truth? Those with the least total error, by grid search.

A peer's way of bounding is done here in arrays, in expectation over what it draws at random, and its noise is added at the
scale its own accounting gives: the same numbers as running it on every point of the grid, in seconds. The peer itself then
runs at the best point, and that run is what is reported. Medians have no such short cut: a few bounds are run for real.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from bench.peers.budget import Budget, delta_of
from bench.peers.facts import Facts, Floats, Kinds
from bench.peers.registry import Peer

Bounds = Mapping[str, float]

ROWS = (1, 2, 3, 5, 8, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200)
GROUPS = (1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20)
EACH = (1, 2, 3, 4, 6, 8, 10, 15, 20, 30)
UPPERS = {
    "fee": (5_000, 10_000, 20_000, 30_000, 50_000, 80_000, 120_000, 200_000),
    "los_days": (8, 12, 16, 20, 25, 30, 40, 60),
}
TOTALS = (10_000, 20_000, 40_000, 70_000, 100_000, 150_000, 200_000, 300_000)
VISITS = (5, 10, 15, 20, 30, 40, 60, 80, 100, 150, 200)
MEDIANS: tuple[Bounds, ...] = (
    {"groups": 1, "each": 1},
    {"groups": 2, "each": 1},
    {"groups": 3, "each": 2},
    {"groups": 5, "each": 3},
)
DRAWS = 12
LEAST_NUMBERS = 600
"""Draws of noise at one point: so many at least, and more of few cells."""

SMARTNOISE_SCALE = 1e7
"""A larger scale of a sum SmartNoise refuses."""
CENTS = 100


@dataclass(frozen=True)
class Tried:
    """What bounding leaves of each cell, and the noise: counts and (centred) sums, in units of the answer."""

    count: Floats
    count_noise: float
    total: Floats | None = None
    total_noise: float = 0.0
    centre: float = 0.0
    laplace: bool = False


def candidates(peer: Peer, facts: Facts) -> Iterator[Bounds]:
    """The grid of one peer for one question."""
    measure, column = facts.shape.words.measure, facts.shape.words.column
    if measure == "median":
        yield from MEDIANS
        return
    if measure == "per_person":
        yield from ({"upper": n, "rows": n, "each": n, "clip": n} for n in VISITS)
        return
    uppers = UPPERS[column] if column else (1,)
    for bounds, upper in product(_ways(peer, measure), uppers):
        yield {**bounds, "upper": upper} if column else bounds
    if peer.name == "pipelinedp" and measure == "sum":
        yield from ({"groups": k, "total": t, "gaussian": g} for k in GROUPS for t in TOTALS for g in (0, 1))


def _ways(peer: Peer, measure: str) -> Iterator[Bounds]:
    """To bound persons; where persons are counted every cell is one row of theirs."""
    each: tuple[int, ...] = (1,) if measure == "persons" else EACH
    match peer.name:
        case "qrlew":
            yield from ({"clip": round(1.25**n, 3)} for n in range(26))
        case "smartnoise":
            yield from ({"rows": n} for n in ROWS)
        case "pipelinedp":
            yield from ({"groups": k, "each": m, "gaussian": g} for k in GROUPS for m in each for g in (0, 1))
        case "tumult":
            yield from ({"rows": n} for n in ROWS if measure != "persons")
            yield from ({"groups": k, "each": m} for k in GROUPS for m in each)
        case "opendp":
            yield from ({"rows": n} for n in ROWS)
            yield from ({"groups": k + 1, "each": m} for k in GROUPS for m in each)


def error(peer: Peer, facts: Facts, bounds: Bounds, budget: Budget, seed: int = 1) -> float:
    """Expected total error at one point."""
    tried = (
        _per_person(peer, facts, bounds, budget)
        if facts.shape.words.measure == "per_person"
        else _tried(peer, facts, bounds, budget)
    )
    rng = np.random.default_rng(seed)
    draw = rng.laplace if tried.laplace else rng.normal
    size = (max(DRAWS, LEAST_NUMBERS // len(tried.count)), len(tried.count))
    count = (
        tried.count + draw(0.0, tried.count_noise, size) if tried.count_noise else np.broadcast_to(tried.count, size)
    )
    if tried.total is None:
        told, truth = count, facts.by_cell(facts.rows)
    else:
        total = tried.total + draw(0.0, tried.total_noise, size)
        mean = facts.shape.words.measure != "sum"
        told = tried.centre + total / np.maximum(count, 1.0) if mean else total
        if facts.shape.limits:
            told = np.clip(told, *facts.shape.limits)
        whole = facts.by_cell(facts.exact)
        truth = whole / facts.by_cell(facts.rows) if facts.shape.words.measure == "mean" else whole
        if facts.shape.words.measure == "per_person":
            truth = whole / facts.by_cell(np.ones_like(facts.rows))
    return float(np.mean(np.abs(told - truth).sum(axis=1)) / np.abs(truth).sum())


def _kept(peer: Peer, kinds: Kinds, bounds: Bounds) -> Floats:
    """The expected share of the rows of each kind of line that bounding leaves."""
    share = np.ones_like(kinds.rows)
    if "each" in bounds:
        share = np.minimum(1.0, bounds["each"] / kinds.rows)
    if "rows" in bounds:
        share = np.minimum(1.0, bounds["rows"] / kinds.whole)  # no grid has both
    if "groups" in bounds and peer.name == "opendp":
        share = share * (kinds.place < bounds["groups"])
    elif "groups" in bounds:
        share = share * np.minimum(1.0, bounds["groups"] / kinds.groups)
    return share


def _tried(peer: Peer, facts: Facts, bounds: Bounds, budget: Budget) -> Tried:
    measure, upper = facts.shape.words.measure, float(bounds.get("upper", 1.0))
    if peer.name == "qrlew":
        return _scaled(facts, bounds, budget, upper)
    share = _kept(peer, facts.kinds[1], bounds)
    unit, laplace = _noise(peer, facts, bounds, budget)
    count = facts.kept("rows", facts.rows, share)
    if measure not in ("sum", "mean"):
        return Tried(count, unit, laplace=laplace)
    if "total" in bounds:
        most = bounds["total"]
        total = facts.kept(f"total {most}", np.minimum(facts.exact, most), share)
        return Tried(count, 0.0, total, unit * most, laplace=laplace)
    total = facts.kept(f"upper {upper}", facts.sums(upper), share)
    if measure == "sum":
        return Tried(count, 0.0, total, unit * upper, laplace=laplace)
    centre = upper / 2 if peer.name in ("tumult", "pipelinedp") else 0.0
    return Tried(count, unit, total - centre * count, unit * (upper - centre), centre, laplace)


def _scaled(facts: Facts, bounds: Bounds, budget: Budget, upper: float) -> Tried:
    """Qrlew: each vector of a person is scaled to its own l2 norm."""

    def clipped(values: Floats, norm: float) -> Floats:
        length = np.sqrt(facts.by_person(values * values))
        return facts.by_cell(values * np.minimum(1.0, norm / np.maximum(length, 1e-9)))

    count = clipped(facts.rows, bounds["clip"])
    noise = bounds["clip"] * budget["multiplier"]
    if facts.shape.words.column is None:
        return Tried(count, noise)
    total = clipped(facts.exact, bounds["clip"] * upper)
    return Tried(count, 0.0 if facts.shape.words.measure == "sum" else noise, total, noise * upper)


def _noise(peer: Peer, facts: Facts, bounds: Bounds, budget: Budget) -> tuple[float, bool]:
    """The noise of a count of rows, and whether it is Laplace; a mean spends half on each of its two numbers."""
    parts = 2 if facts.shape.words.measure in ("mean", "per_person") else 1
    rows, each = bounds.get("rows", math.inf), bounds.get("each", math.inf)
    if facts.shape.words.measure == "persons":
        each = 1
    groups = min(bounds.get("groups", math.inf), rows)
    l1 = min(rows, groups * each)
    l2 = min(rows, math.sqrt(groups) * each)
    if "rho" in budget:
        return l2 / math.sqrt(2 * budget["rho"] / parts), False
    if peer.name == "smartnoise":
        return l1 / budget["epsilon"], True
    if bounds.get("gaussian"):
        return l2 * _gaussian(budget["epsilon"] / parts, budget["delta"] / parts), False
    return l1 / (budget["epsilon"] / parts), True


def _gaussian(epsilon: float, delta: float) -> float:
    low, high = 1e-3, 1e6
    while high / low > 1.0001:
        middle = math.sqrt(low * high)
        low, high = (middle, high) if delta_of(middle, epsilon) > delta else (low, middle)
    return high


def _per_person(peer: Peer, facts: Facts, bounds: Bounds, budget: Budget) -> Tried:
    """The mean number of visits of a person: Σ min(n, bound) over the number of persons."""
    most = bounds["upper"]
    total = facts.by_cell(np.minimum(facts.rows, most))
    persons = facts.by_cell(np.ones_like(facts.rows))
    one = {"rows": 1.0, "each": 1.0, "groups": 1.0}
    unit, laplace = _noise(peer, facts, one, budget) if "multiplier" not in budget else (budget["multiplier"], False)
    if peer.name == "tumult":
        return Tried(persons, unit, total - most / 2 * persons, unit * most / 2, most / 2)
    of_persons = unit * most if peer.name == "smartnoise" else unit
    return Tried(persons, of_persons, total, unit * most, laplace=laplace)


def best(peer: Peer, facts: Facts, budget: Budget) -> Bounds:
    """The point of the grid with the least expected error."""
    allowed = (bounds for bounds in candidates(peer, facts) if _is_taken(peer, facts, bounds, budget))
    return told(peer, facts, min(allowed, key=lambda bounds: error(peer, facts, bounds, budget)))


def _is_taken(peer: Peer, facts: Facts, bounds: Bounds, budget: Budget) -> bool:
    """False where the peer would refuse the noise that these bounds need."""
    if peer.name != "smartnoise" or facts.shape.words.measure != "sum":
        return True
    return bounds["rows"] * bounds["upper"] / budget["epsilon"] <= SMARTNOISE_SCALE


def told(peer: Peer, facts: Facts, bounds: Bounds) -> Bounds:
    """As the peer's script reads them: whole numbers, only what it has."""
    known: Mapping[str, tuple[str, ...]] = {
        "opendp": ("rows", "groups", "each", "upper"),
        "smartnoise": ("rows", "upper"),
        "tumult": ("rows", "groups", "each", "upper"),
        "pipelinedp": ("groups", "each", "upper", "total", "gaussian"),
        "qrlew": ("clip", "upper"),
    }
    kept = {name: value for name, value in bounds.items() if name in known[peer.name]}
    if facts.shape.words.measure == "per_person":
        wanted = {"smartnoise": "rows", "pipelinedp": "each"}.get(peer.name, "upper")
        kept = {wanted: kept[wanted]} | ({"clip": 1} if peer.name == "qrlew" else {})
    return kept
