"""Which statistic beyond counts, sums and means does a call of the text ask for?

Each by the exact node class the parser makes of it; arguments are terms with public bounds. What is well known but not
answered (extremes, modes, lists of quantiles) is refused with what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from sqlglot import exp

from enclave.query import terms
from enclave.query.grammar import Text
from enclave.query.plan import Aggregate, Measure, Op, Sort, Term
from enclave.query.sscp import matrix_of

POINT = re.compile(r"0?\.[0-9]{1,3}")

OF_ONE: dict[type[exp.Expr], Measure] = {
    exp.VariancePop: Measure.VAR_POP,
    exp.Variance: Measure.VAR_SAMP,
    exp.StddevPop: Measure.STDDEV_POP,
    exp.StddevSamp: Measure.STDDEV_SAMP,
    exp.Stddev: Measure.STDDEV_SAMP,
}
OF_TWO: dict[type[exp.Expr], Measure] = {
    exp.CovarPop: Measure.COVAR_POP,
    exp.CovarSamp: Measure.COVAR_SAMP,
    exp.Corr: Measure.CORR,
}
POINTS = (exp.Median, exp.PercentileCont, exp.PercentileDisc, exp.Quantile, exp.WithinGroup)
REFUSED: dict[type[exp.Expr], str] = {exp.Min: "query.extreme", exp.Max: "query.extreme", exp.Mode: "query.mode"}
FIGURES = (*OF_ONE, *OF_TWO, *POINTS, *REFUSED)

MOST_VARIABLES = 20
MOST_ENTRIES = 5_000
MOST_CODES = 100_000
"""Columns of one matrix of products, its entries, and the combinations of codes its rows may have."""

WIDEST_HALF = 2**50


def is_figure(node: exp.Expr) -> bool:
    return type(node) in FIGURES or is_matrix(node)


def is_matrix(node: exp.Expr) -> bool:
    return type(node) is exp.Anonymous and node.name.upper() == "SSCP"


def figure(text: Text, term: Callable[[exp.Expr], Term], alias: str | None, node: exp.Expr) -> Aggregate:
    """The aggregate of one call, or a refusal with its place."""
    kind = type(node)
    if kind in REFUSED:
        text.refuse(REFUSED[kind], node)
    if kind in POINTS:
        return _quantile(text, term, alias, node)
    if is_matrix(node):
        return _matrix(text, term, alias, node)
    if kind in OF_ONE:
        text.only(node, "this")
        measure = OF_ONE[kind]
        x = _bounded(text, term, node.this)
        return Aggregate(alias or _called(measure, x), measure, x)
    text.only(node, "this", "expression")
    measure = OF_TWO[kind]
    x, y = _bounded(text, term, node.this), _bounded(text, term, node.expression)
    return Aggregate(alias or measure.value, measure, x, y)


def _matrix(text: Text, term: Callable[[exp.Expr], Term], alias: str | None, node: exp.Expr) -> Aggregate:
    """SSCP(y, x, …): bounded numbers, codes with a public list, conditions."""
    text.only(node, "this", "expressions")
    if not 1 < len(node.expressions) <= MOST_VARIABLES:
        text.reject("query.matrix", node, limit=MOST_VARIABLES)
    columns = tuple(_variable(text, term, n) for n in node.expressions)
    if columns[0].type.sort is Sort.CODE:
        text.refuse("query.matrix_outcome", node.expressions[0])
    called = tuple(c.ref.column.name if c.ref else f"column_{i + 1}" for i, c in enumerate(columns))
    again = next((n for i, n in enumerate(node.expressions) if columns[i] in columns[:i]), None)
    if again is not None:
        text.reject("query.matrix_twice", again)
    called = tuple(n if called.count(n) == 1 else f"column_{i + 1}" for i, n in enumerate(called))
    made = Aggregate(alias or "total", Measure.SSCP, columns=columns, called=called)
    matrix = matrix_of(made)
    if matrix is None or matrix.count > MOST_ENTRIES or matrix.groups > MOST_CODES:
        text.refuse("query.matrix_too_large", node, limit=MOST_ENTRIES)
    return made


def _variable(text: Text, term: Callable[[exp.Expr], Term], node: exp.Expr) -> Term:
    made = term(node)
    if made.op is not Op.NULL and (made.type.sort is Sort.TRUTH or (made.type.sort is Sort.CODE and made.type.codes)):
        return made
    made = _bounded(text, term, node)
    if made.type.reach > WIDEST_HALF:
        text.reject("query.too_wide", node, limit="2^50")
    return made


def _quantile(text: Text, term: Callable[[exp.Expr], Term], alias: str | None, node: exp.Expr) -> Aggregate:
    """MEDIAN(x), QUANTILE_CONT(x, q), PERCENTILE_CONT(q) WITHIN GROUP (ORDER BY x): one value, by rank."""
    column, wanted = node.this, node.args.get("expression") or node.args.get("quantile")
    if type(node) is exp.WithinGroup:
        text.only(node, "this", "expression")
        column, wanted = _within_group(text, node)
    else:
        text.only(node, "this", "expression", "quantile")
    x = _bounded(text, term, column)
    point = Fraction(1, 2) if type(node) is exp.Median else _point(text, node, wanted)
    verb = "median" if point == Fraction(1, 2) else f"q{str(float(point))[2:]}"
    return Aggregate(alias or (f"{verb}_{x.ref.column.name}" if x.ref else verb), Measure.QUANTILE, x, point=point)


def _within_group(text: Text, node: exp.WithinGroup) -> tuple[exp.Expr, exp.Expr]:
    call, order = node.this, node.expression
    if type(call) not in (exp.PercentileCont, exp.PercentileDisc) or type(order) is not exp.Order:
        text.refuse("query.not_in_grammar", node, found="WITHIN GROUP")
    text.only(call, "this")
    text.only(order, "expressions")
    if len(order.expressions) != 1 or order.expressions[0].args.get("desc"):
        text.refuse("query.not_in_grammar", order, found="WITHIN GROUP")
    return order.expressions[0].this, call.this


def _point(text: Text, node: exp.Expr, wanted: exp.Expr | None) -> Fraction:
    """Between 0 and 1, with at most three decimals."""
    if isinstance(wanted, exp.Array | exp.Tuple):
        text.refuse("query.quantile_list", wanted)
    if type(wanted) is exp.Literal and not wanted.is_string and POINT.fullmatch(wanted.name):
        point = Fraction(wanted.name)
        if 0 < point < 1:
            return point
    return text.refuse("query.quantile_point", wanted or node)


def _bounded(text: Text, term: Callable[[exp.Expr], Term], node: exp.Expr) -> Term:
    if type(node) is exp.Distinct:
        text.refuse("query.distinct_other", node)
    made = term(node)
    with text.standing_at(node):
        terms.needs_number(made)
    if not made.type.bounded:
        text.refuse("query.no_bounds", node, column=made.ref.column.name if made.ref else "?")
    return made


def _called(measure: Measure, term: Term) -> str:
    return f"{measure.value}_{term.ref.column.name}" if term.ref else measure.value
