"""What does a private profile of an extract cost, and what is drawn for it?

One histogram of persons for each stored norm and each variable (`profile.things`), every bin with discrete Gaussian noise.
A row adds 65536 / (rows of its person), rounded down, to one bin of each histogram: a person adds no more than 65536 to
one, in l1 and so in l2. T draws of sensitivity 1 at one scale are one draw of all bins at sensitivity √T: the same noise
at the same price. The price is from text alone; `drawn` runs once, after a durable reservation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from enclave.catalogue.dataset import NORM_STEP, WEIGHT_ONE, Dataset, Kind
from enclave.catalogue.profile import Histogram, Of, Profile
from enclave.errors import Refused
from enclave.profile import Thing, things
from enclave.query import mechanisms
from enclave.query.emit import Statement
from enclave.query.price import checked_epsilon
from enclave.query.written import CATALOG, text

NORMS_SHARE = Fraction(3, 4)
"""Of the price for the norms, from which every C is chosen; the rest is for the variables."""

ROW_NS = 200.0
"""Time per row and histogram on a loaded machine."""

OPENING_MS = 5_000
MARGIN = 10
"""The engine is interrupted after so many times what it needs."""


@dataclass(frozen=True)
class Portrait:
    """A profile understood and priced: which histograms, the scale of the noise in each (1/65536 persons)."""

    dataset: Dataset
    epsilon: str
    things: tuple[Thing, ...]
    scales: tuple[int, ...]
    rho: int

    @property
    def statements(self) -> tuple[Statement, ...]:
        return tuple(Statement(_select(thing), 1, (at,), thing.bins) for at, thing in enumerate(self.things))

    @property
    def turn_ms(self) -> int:
        """How long it holds its turn at the engines, from the public size: others who wait learn nothing else."""
        return OPENING_MS + int(self.dataset.size_class * len(self.things) * ROW_NS / 1e6)

    @property
    def cap_ms(self) -> int:
        return MARGIN * self.turn_ms


def portrayed(dataset: Dataset, epsilon: str | None) -> Portrait:
    """The priced profile of a dataset. BadInput for an ε that is none, Refused for one that buys nothing."""
    asked = checked_epsilon(epsilon)
    found = things(dataset)
    norms = sum(thing.of is Of.NORM for thing in found)
    rho = mechanisms.rho_for(asked, dataset.delta)
    both = 0 < norms < len(found)
    shares = {
        Of.NORM: int(rho * (NORMS_SHARE if both else 1)) // max(norms, 1),
        Of.VARIABLE: int(rho * (1 - NORMS_SHARE if both else 1)) // max(len(found) - norms, 1),
    }
    if not found or min(shares[thing.of] for thing in found) < 1:
        raise Refused("profile.epsilon_too_small", epsilon=asked, histograms=len(found))
    scales = {of: mechanisms.scale_for(share, WEIGHT_ONE) for of, share in shares.items() if share}
    each = tuple(scales[thing.of] for thing in found)
    return Portrait(dataset, asked, found, each, sum(mechanisms.price(scale, WEIGHT_ONE) for scale in each))


def drawn(portrait: Portrait, totals: Sequence[list[int]], *, reservation: int = 0) -> Profile:
    """What the mechanism makes of the exact numbers."""
    histograms = tuple(
        Histogram(thing.table.name, thing.column, thing.of, thing.edges, tuple(mechanisms.noisy(exact, scale)), scale)
        for thing, scale, exact in zip(portrait.things, portrait.scales, totals, strict=True)
    )
    return Profile(portrait.epsilon, portrait.rho, histograms, reservation)


# --- the statements -------------------------------------------------------------------------------------------------


def _select(thing: Thing) -> str:
    """One number for each bin that somebody falls into: the number of the bin, then the weight of its rows."""
    weight = f"{WEIGHT_ONE * NORM_STEP} // CAST(unit_rows AS BIGINT)"
    rows = f'(SELECT "{thing.column}" AS v, {weight} AS w FROM {CATALOG}."main"."{thing.table.name}")'
    if thing.variable is not None and thing.variable.codes:
        rows = f"(SELECT v, sum(w) AS w FROM {rows} GROUP BY 1)"  # few words, so each is looked up once
    return f"SELECT k, sum(w) AS a0 FROM (SELECT {_bin(thing)} AS k, w FROM {rows}) GROUP BY 1"


def _bin(thing: Thing) -> str:
    """The number of the bin of v."""
    last = thing.bins - 1
    if thing.variable is None:
        return _searched("v", [edge * NORM_STEP for edge in thing.edges], 0, last)
    if thing.variable.codes:
        words = "".join(f" WHEN {text(word)} THEN {at}" for at, word in enumerate(thing.variable.codes))
        return f"CASE CAST(v AS VARCHAR){words} ELSE {last} END"
    if thing.variable.kind is Kind.BOOLEAN:
        found = "CAST(v AS INTEGER)"
    else:
        value = "(v - DATE '1970-01-01')" if thing.variable.kind is Kind.DATE else "v"
        found = _searched(value, thing.edges, 0, last - 1)
    return f"CASE WHEN v IS NULL THEN {last} ELSE {found} END"


def _searched(value: str, edges: Sequence[int], first: int, last: int) -> str:
    """The number of the first edge that is no less, found by halves; `last` where none of those before it is."""
    if first == last:
        return str(first)
    half = (first + last) // 2
    below, above = _searched(value, edges, first, half), _searched(value, edges, half + 1, last)
    return f"CASE WHEN {value} <= {edges[half]} THEN {below} ELSE {above} END"
