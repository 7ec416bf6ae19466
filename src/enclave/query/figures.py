"""Which statistic beyond counts, sums and means does a call of the text ask for?

Each by the exact node class the parser makes of it; arguments are terms with public bounds. What is well known but not
answered (extremes, modes, lists of quantiles) is refused with what to write instead.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from enclave.query import terms
from enclave.query.grammar import Text
from enclave.query.plan import Aggregate, Measure, Op, Term

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
REFUSED: dict[type[exp.Expr], str] = {exp.Min: "query.extreme", exp.Max: "query.extreme", exp.Mode: "query.mode"}
FIGURES = (*OF_ONE, *OF_TWO, *REFUSED)


def is_figure(node: exp.Expr) -> bool:
    return type(node) in FIGURES


def figure(text: Text, term: Callable[[exp.Expr], Term], alias: str | None, node: exp.Expr) -> Aggregate:
    """The aggregate of one call, or a refusal with its place."""
    kind = type(node)
    if kind in REFUSED:
        text.refuse(REFUSED[kind], node)
    if kind in OF_ONE:
        text.only(node, "this")
        measure = OF_ONE[kind]
        x = _bounded(text, term, node.this)
        return Aggregate(alias or _called(measure, x), measure, x)
    text.only(node, "this", "expression")
    measure = OF_TWO[kind]
    x, y = _bounded(text, term, node.this), _bounded(text, term, node.expression)
    with text.standing_at(node):
        x, y = _where_known(x, y), _where_known(y, x)
    return Aggregate(alias or measure.value, measure, x, y)


def _bounded(text: Text, term: Callable[[exp.Expr], Term], node: exp.Expr) -> Term:
    if type(node) is exp.Distinct:
        text.refuse("query.distinct_other", node)
    made = term(node)
    with text.standing_at(node):
        terms.needs_number(made)
    if not made.type.bounded:
        text.refuse("query.no_bounds", node, column=made.ref.column.name if made.ref else "?")
    return made


def _where_known(x: Term, y: Term) -> Term:
    """x where y is known too: a pair with a NULL is no pair."""
    if not y.type.nullable:
        return x
    return terms.chosen(Op.CASE, (terms.missing(y),), (terms.null(), x))


def _called(measure: Measure, term: Term) -> str:
    return f"{measure.value}_{term.ref.column.name}" if term.ref else measure.value
