"""What is proved of terms: exact intervals, one scale, one sort."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.catalogue.dataset import Column, Kind
from enclave.query import functions, terms
from enclave.query.plan import WIDEST, Op, Sort, Term

SPANS = st.tuples(st.integers(-50, 50), st.integers(0, 60)).map(lambda t: (t[0], t[0] + t[1]))


def spanning(lower: int, upper: int, scale: int = 1) -> Term:
    kind = Kind.INTEGER if scale == 1 else Kind.DECIMAL
    return terms.column(0, Column("x", kind, lower, upper, scale=scale), may_be_absent=False)


@given(SPANS, SPANS, st.sampled_from([Op.PLUS, Op.MINUS, Op.TIMES]))
def test_intervals_of_arithmetic_are_exact(one: tuple[int, int], other: tuple[int, int], op: Op) -> None:
    made = terms.arithmetic(op, spanning(*one), spanning(*other))
    does = {Op.PLUS: int.__add__, Op.MINUS: int.__sub__, Op.TIMES: int.__mul__}[op]
    results = [does(a, b) for a in range(one[0], one[1] + 1) for b in (other[0], other[1])]
    results += [does(a, b) for a in (one[0], one[1]) for b in range(other[0], other[1] + 1)]
    assert (made.type.lower, made.type.upper) == (min(results), max(results))


@given(SPANS)
def test_absolute_and_negated(span: tuple[int, int]) -> None:
    values = range(span[0], span[1] + 1)
    absolute, negated = terms.absolute(spanning(*span)).type, terms.negated(spanning(*span)).type
    assert (absolute.lower, absolute.upper) == (min(map(abs, values)), max(map(abs, values)))
    assert (negated.lower, negated.upper) == (-span[1], -span[0])


def test_numbers_of_different_scale_are_brought_to_one() -> None:
    fee = spanning(0, 500, scale=100)
    made = terms.arithmetic(Op.PLUS, fee, terms.number(Fraction("2.5")))
    assert (made.type.scale, made.type.lower, made.type.upper) == (100, 250, 750)
    product = terms.arithmetic(Op.TIMES, fee, terms.number(Fraction("2.5")))
    assert (product.type.scale, product.type.upper) == (200, 2500)


def test_a_literal_next_to_a_column_is_rewritten_not_the_column() -> None:
    made = terms.compared(Op.MORE, spanning(0, 500, scale=100), terms.number(Fraction(3)))
    assert made.args[0].op is Op.COLUMN
    assert made.args[1].value == 300


def test_nothing_grows_beyond_the_widest() -> None:
    term = spanning(0, 2**31)
    with pytest.raises(terms.Unfit) as unfit:
        terms.arithmetic(Op.TIMES, term, terms.arithmetic(Op.TIMES, term, term))
    assert unfit.value.code == "query.too_wide"
    with pytest.raises(terms.Unfit):
        terms.number(Fraction(WIDEST + 1))
    with pytest.raises(terms.Unfit):
        terms.number(Fraction("0.0000001"))


def test_depth_and_size_are_capped() -> None:
    deep = spanning(0, 1)
    with pytest.raises(terms.Unfit) as unfit:
        for _ in range(100):
            deep = terms.negated(deep)
    assert unfit.value.code == "query.too_deep"
    wide = spanning(0, 1)
    with pytest.raises(terms.Unfit):
        for _ in range(20):
            wide = terms.extreme(Op.LEAST, (wide, wide))


def test_case_unites_intervals_codes_and_nullness() -> None:
    yes = terms.truth(True)
    number = terms.chosen(Op.CASE, (yes,), (spanning(1, 5), spanning(-3, 2)))
    assert (number.type.lower, number.type.upper, number.type.nullable) == (-3, 5, True)
    code = terms.chosen(Op.CASE, (yes,), (terms.text("a"), terms.text("b")))
    assert (code.type.sort, code.type.codes, code.type.nullable) == (Sort.CODE, ("a", "b"), False)
    assert terms.chosen(Op.COALESCE, (), (spanning(0, 1), terms.number(Fraction(9)))).type.nullable is False


def test_dates() -> None:
    column = terms.column(0, Column("d", Kind.DATE, 18_627, 18_628), may_be_absent=False)
    year = functions.part_of_date(Op.YEAR, column).type
    assert (year.lower, year.upper) == (2020, 2021)
    assert terms.day(dt.date(1970, 1, 2)).value == 1
    compared = terms.compared(Op.LESS, column, terms.text("2021-01-01"))
    assert compared.args[1].value == 18_628


@pytest.mark.parametrize("written", ["2023-1-1", "20230101", "2023-02-30", "now", "２０２３-01-01", "2023-W01-1"])
def test_only_iso_days_are_dates(written: str) -> None:
    with pytest.raises(terms.Unfit):
        terms.parsed_day(written)
