"""What does the text do with answers? (stage 3, free)

Arithmetic on counts and sums in the SELECT list becomes a `Post` over the aggregates it names, each drawn and paid once
however often it stands there. HAVING compares answered columns, by name or as they stand in the SELECT list.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from sqlglot import exp

from enclave.query.grammar import Text
from enclave.query.plan import Aggregate, Measure
from enclave.query.reckon import Post, Reckon

OPERATIONS: dict[type[exp.Expr], Reckon] = {
    exp.Add: Reckon.PLUS,
    exp.Sub: Reckon.MINUS,
    exp.Mul: Reckon.TIMES,
    exp.Div: Reckon.OVER,
}
RELATIONS: dict[type[exp.Expr], Reckon] = {
    exp.LT: Reckon.LESS,
    exp.LTE: Reckon.AT_MOST,
    exp.GT: Reckon.MORE,
    exp.GTE: Reckon.AT_LEAST,
    exp.EQ: Reckon.EQUAL,
    exp.NEQ: Reckon.DIFFERENT,
}
CONNECTORS: dict[type[exp.Expr], Reckon] = {exp.And: Reckon.AND, exp.Or: Reckon.OR}
TOTALS = (Measure.ROWS, Measure.PERSONS, Measure.KEYS, Measure.SUM)
NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{0,9})?|\.[0-9]{1,9}")


def is_arithmetic(node: exp.Expr) -> bool:
    """An expression over aggregates, rather than one of them or a key."""
    return type(node) in (exp.Paren, exp.Neg, *OPERATIONS) and any(isinstance(n, exp.AggFunc) for n in node.walk())


class Reckoning:
    """Reads the arithmetic of one SELECT list; `draw` gives the number of the aggregate a node asks for."""

    def __init__(self, text: Text, draw: Callable[[exp.Expr], int], aggregates: list[Aggregate]) -> None:
        self.text = text
        self.draw = draw
        self.aggregates = aggregates

    def post(self, node: exp.Expr) -> Post:
        if type(node) is exp.Paren:
            self.text.only(node, "this")
            return self.post(node.this)
        if type(node) is exp.Literal and not node.is_string:
            return Post(Reckon.NUMBER, value=written_number(self.text, node))
        if type(node) is exp.Neg:
            self.text.only(node, "this")
            return Post(Reckon.NEGATE, args=(self.post(node.this),))
        if type(node) in OPERATIONS:
            self.text.only(node, "this", "expression", "typed", "safe")
            return Post(OPERATIONS[type(node)], args=(self.post(node.this), self.post(node.expression)))
        at = self.draw(node)
        if self.aggregates[at].measure not in TOTALS:
            self.text.refuse("after.only_totals", node)
        return Post(Reckon.AGGREGATE, at=at)


def written_number(text: Text, node: exp.Expr) -> Fraction:
    if not NUMBER.fullmatch(node.name):
        text.reject("query.bad_number", node)
    return Fraction(node.name)


class Having:
    """Reads HAVING over the answered columns; `named` says which column a node is, or None."""

    def __init__(self, text: Text, named: Callable[[exp.Expr], str | None]) -> None:
        self.text = text
        self.named = named

    def condition(self, node: exp.Expr) -> Post:
        if type(node) is exp.Paren:
            self.text.only(node, "this")
            return self.condition(node.this)
        if type(node) is exp.Not:
            self.text.only(node, "this")
            return Post(Reckon.NOT, args=(self.condition(node.this),))
        if type(node) in CONNECTORS:
            parts = tuple(self.condition(n) for n in node.flatten(unnest=False))
            return Post(CONNECTORS[type(node)], args=parts)
        if type(node) in RELATIONS:
            self.text.only(node, "this", "expression")
            return Post(RELATIONS[type(node)], args=(self.side(node.this), self.side(node.expression)))
        return self.text.refuse("after.having", node)

    def side(self, node: exp.Expr) -> Post:
        inner, sign = node, 1
        while type(inner) in (exp.Paren, exp.Neg):
            self.text.only(inner, "this")
            sign = -sign if type(inner) is exp.Neg else sign
            inner = inner.this
        if type(inner) is exp.Literal and not inner.is_string:
            return Post(Reckon.NUMBER, value=sign * written_number(self.text, inner))
        name = self.named(inner) if sign == 1 else None
        if name is None:
            self.text.refuse("after.having", node)
        return Post(Reckon.OUTPUT, name=name)


def conditional(text: Text, node: exp.Filter) -> exp.Expr:
    """COUNT / SUM / … (x) FILTER (WHERE c): the same over CASE WHEN c THEN x END, which is NULL for every other row."""
    text.only(node, "this", "expression")
    call = node.this
    if type(node.expression) is not exp.Where or not isinstance(call, exp.AggFunc) or call.this is None:
        text.refuse("after.filter", node)
    made, condition = call.copy(), node.expression.this
    if type(call.this) is exp.Distinct:
        if type(call) is not exp.Count or len(call.this.expressions) != 1:
            text.refuse("after.filter", node)
        made.this.set("expressions", [_only_where(condition.copy(), call.this.expressions[0].copy())])
        node.replace(made)
        return made
    if type(call) is exp.Count:
        known = exp.Not(this=exp.Is(this=call.this.copy(), expression=exp.Null()))
        both = condition.copy() if type(call.this) is exp.Star else exp.And(this=condition.copy(), expression=known)
        made.set("this", _only_where(exp.Paren(this=both), exp.Literal.number(1)))
    else:
        made.set("this", _only_where(condition.copy(), call.this.copy()))
    node.replace(made)
    return made


def _only_where(condition: exp.Expr, value: exp.Expr) -> exp.Expr:
    return exp.Case(ifs=[exp.If(this=condition, true=value)])
