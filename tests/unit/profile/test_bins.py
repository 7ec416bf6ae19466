"""The public bins: of whole numbers, rising, wide enough, and known from the text alone."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.oracle.extracts import DATASET, PATIENTS, VISITS

from enclave.catalogue.dataset import Column, Facet, Kind
from enclave.profile import things
from enclave.profile.bins import BEYOND, bins_of, distinct_edges, norm_edges, octaves, total_edges, variable_edges


@given(st.integers(1, 2**30), st.integers(1, 2**38), st.sampled_from((2, 4)))
def test_edges_rise_by_at_most_an_octave_to_the_top(base: int, top: int, steps: int) -> None:
    edges = octaves(base, top, steps)
    assert edges[0] == base and edges[-1] >= top and all(e % base == 0 for e in edges)
    assert all(a < b <= 2 * a for a, b in pairwise(edges))
    assert len(edges) == 1 or edges[-2] < top


def test_two_an_octave_are_among_four() -> None:
    assert set(octaves(1, 1_000, 2)) <= set(octaves(1, 1_000, 4))
    assert octaves(1, 20, 2) == (1, 2, 3, 4, 6, 8, 12, 16, 24)


@pytest.mark.parametrize("thing", things(DATASET), ids=lambda t: f"{t.table.name}.{t.column}")
def test_every_bin_has_its_number(thing: object) -> None:
    from enclave.profile import Thing

    assert isinstance(thing, Thing)
    if thing.variable is None:
        assert thing.bins == len(thing.edges) + 1 and thing.edges == norm_edges(thing.table, thing.column)
    else:
        assert thing.bins == bins_of(thing.variable)


def test_norms_reach_eight_times_the_clip() -> None:
    facet = VISITS.facet("dept")
    fee = VISITS.column("fee")
    assert facet is not None and fee is not None and fee.total_clip is not None
    assert norm_edges(VISITS, facet.norm)[-1] >= BEYOND * facet.clip
    assert norm_edges(VISITS, "unit_rows")[-1] >= BEYOND * VISITS.row_clip
    assert total_edges(fee.total_clip)[-1] >= BEYOND * fee.total_clip


def test_nobody_has_more_distinct_cells_than_there_are_words() -> None:
    words = Column("dept", Kind.CODE, codes=tuple("abcdefgh"))  # nine cells with NULL, so no root above 3
    assert distinct_edges(Facet("dept", 40, 40), words) == (1, 2, 3)


@given(st.integers(-(2**40), 2**40), st.integers(0, 2**40), st.data())
def test_every_number_within_bounds_has_a_bin(lower: int, width: int, data: st.DataObject) -> None:
    column = Column("x", Kind.INTEGER, lower, lower + width)
    edges = variable_edges(column)
    value = data.draw(st.integers(lower, lower + width))
    assert edges[-1] == lower + width and all(a < b for a, b in pairwise(edges)) and edges[0] >= lower
    assert any(value <= edge for edge in edges)
    assert len(edges) <= 500


def test_what_has_no_public_bins_is_no_variable() -> None:
    profiled = {(t.table.name, t.column) for t in things(DATASET)}
    assert ("visits", "score") not in profiled and ("visits", "visit_id") not in profiled
    assert {("visits", "los_days"), ("visits", "dept"), ("patients", "smoker")} <= profiled
    assert ("patients", "unit_rows") not in profiled, "everybody has one row"
    assert PATIENTS.one_row_per_person
