"""The cheapest coarsening: it suffices, and no cheaper one does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from enclave.intake.risk.remedy import Change, Counted, cheapest, entropy, merged_values


def test_what_is_fine_already_needs_nothing() -> None:
    remedy = cheapest(("sex",), [(("m",), 9), (("f",), 8)], 5)
    assert remedy is not None and remedy.changes == () and remedy.bits == 0


def test_rare_values_are_merged_rather_than_the_column_dropped() -> None:
    remedy = cheapest(("place",), [(("a",), 500), (("b",), 400), (("c",), 2), (("d",), 3)], 5)
    assert remedy is not None and remedy.changes == (Change("place", ("c", "d")),)
    assert 0 < remedy.bits < 0.05


def test_a_column_that_singles_everybody_out_is_dropped_and_the_other_kept() -> None:
    counted: Counted = [((sex, str(at)), 1) for sex in "mf" for at in range(20)]
    remedy = cheapest(("sex", "postcode"), counted, 5)
    assert remedy is not None and remedy.changes == (Change("postcode", dropped=True),)


def test_too_few_persons_have_no_remedy() -> None:
    assert cheapest(("sex",), [(("m",), 2), (("f",), 1)], 5) is None


def test_merging_takes_the_rarest_until_they_are_enough_together() -> None:
    assert merged_values([(("a",), 9), (("b",), 1), (("c",), 2), (("d",), 8)], 0, 3) == ("b", "c")
    assert merged_values([(("a",), 9), (("b",), 9)], 0, 3) == ()


def test_entropy_is_in_bits() -> None:
    assert entropy([1, 1, 1, 1]) == 2 and entropy([4]) == 0 and entropy([]) == 0


counted = st.lists(
    st.tuples(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), st.integers(1, 9)), min_size=1, max_size=9
)


@given(counted, st.integers(1, 8))
def test_what_is_proposed_suffices(found: Counted, k: int) -> None:
    remedy = cheapest(("one", "two"), found, k)
    if remedy is None:
        assert sum(n for _, n in found) < k
        return
    changes = {change.column: change for change in remedy.changes}
    sizes: dict[tuple[str | None, ...], int] = {}
    for values, n in found:
        key = tuple(
            None if (c := changes.get(name)) and c.dropped else "other" if c and value in c.merged else value
            for name, value in zip(("one", "two"), values, strict=True)
        )
        sizes[key] = sizes.get(key, 0) + n
    assert min(sizes.values()) >= k and remedy.bits >= -1e-9
