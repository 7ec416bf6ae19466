"""What does an expression of the text mean?

One reader per node class, found by exact class: a class without a reader is outside the grammar. Readers name the
arguments they use; whatever else a node carries is refused. What is proved of the result is `terms`' business.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import NoReturn

from sqlglot import exp

from enclave.query import terms
from enclave.query.grammar import Text
from enclave.query.histogram import is_histogram, labelled
from enclave.query.names import Scope
from enclave.query.plan import Op, Term

NUMBER = re.compile(r"[0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40}")

COMPARISONS = {
    exp.EQ: Op.EQUAL,
    exp.NEQ: Op.DIFFERENT,
    exp.LT: Op.LESS,
    exp.LTE: Op.AT_MOST,
    exp.GT: Op.MORE,
    exp.GTE: Op.AT_LEAST,
}
ARITHMETIC = {exp.Add: Op.PLUS, exp.Sub: Op.MINUS, exp.Mul: Op.TIMES}
EXTREMES = {exp.Least: Op.LEAST, exp.Greatest: Op.GREATEST}
DATE_PARTS = {exp.Year: Op.YEAR, exp.Month: Op.MONTH}
CONNECTORS = {exp.And: Op.AND, exp.Or: Op.OR}
ALLOWED = "+ - *, ABS, LEAST, GREATEST, COALESCE, YEAR, MONTH, CASE, IN, BETWEEN, IS NULL"


class Expressions:
    """Reads the expressions of one SELECT."""

    def __init__(self, text: Text, scope: Scope) -> None:
        self.text = text
        self.scope = scope
        readers: dict[type[exp.Expr], Callable[..., Term]] = {
            exp.Paren: lambda n: self.inner(n),
            exp.Column: scope.column,
            exp.Literal: self.literal,
            exp.Boolean: lambda n: terms.truth(bool(n.this)),
            exp.Null: lambda _: terms.null(),
            exp.Neg: lambda n: terms.negated(self.inner(n)),
            exp.Abs: lambda n: terms.absolute(self.inner(n)),
            exp.Not: lambda n: terms.inverted(self.inner(n)),
            exp.In: self.one_of,
            exp.Between: self.between,
            exp.Is: self.identity,
            exp.Case: self.case,
            exp.If: self.when,
            exp.Coalesce: self.coalesce,
            exp.Extract: self.extract,
            exp.Cast: self.date_literal,
            exp.Anonymous: self.histogram,
        }
        readers |= dict.fromkeys(COMPARISONS, self.comparison)
        readers |= dict.fromkeys(ARITHMETIC, self.arithmetic)
        readers |= dict.fromkeys(EXTREMES, self.extreme)
        readers |= dict.fromkeys(DATE_PARTS, self.date_part)
        readers |= dict.fromkeys(CONNECTORS, self.connected)
        self.readers = readers

    def term(self, node: exp.Expr) -> Term:
        reader = self.readers.get(type(node))
        if reader is None:
            self.refuse(node)
        with self.text.standing_at(node):
            return reader(node)

    def refuse(self, node: exp.Expr) -> NoReturn:
        """Says which construct it is and what may stand there."""
        if isinstance(node, exp.Query | exp.Subquery | exp.Exists):
            self.text.refuse("query.subquery", node)
        if isinstance(node, exp.Window):
            self.text.refuse("query.window", node)
        if isinstance(node, exp.AggFunc | exp.Filter):
            self.text.refuse("query.aggregate_here", node, found=self.text.written(node).upper())
        if isinstance(node, exp.Div | exp.IntDiv | exp.Mod):
            self.text.refuse("query.division", node)
        if isinstance(node, exp.Cast | exp.TryCast):
            self.text.refuse("query.cast", node)
        if isinstance(node, exp.Func):
            self.text.refuse("query.function", node, found=self.text.written(node).upper(), allowed=ALLOWED)
        self.text.refuse("query.not_in_grammar", node, found=self.text.written(node).upper())

    def histogram(self, node: exp.Anonymous) -> Term:
        """HISTOGRAM is a key of public bins; no other function without a class of its own is known."""
        if not is_histogram(node):
            self.refuse(node)
        self.bare(node, "this", "expressions")
        return labelled(self.text, self.term, node)

    def inner(self, node: exp.Expr) -> Term:
        self.bare(node, "this")
        return self.term(node.this)

    def bare(self, node: exp.Expr, *names: str) -> None:
        self.text.only(node, *names)

    def literal(self, node: exp.Literal) -> Term:
        if node.is_string:
            return terms.text(node.name)
        if not NUMBER.fullmatch(node.name):
            self.text.reject("query.bad_number", node)
        return terms.number(Fraction(node.name))

    def comparison(self, node: exp.Binary) -> Term:
        self.bare(node, "this", "expression")
        return terms.compared(COMPARISONS[type(node)], self.term(node.left), self.term(node.right))

    def arithmetic(self, node: exp.Binary) -> Term:
        self.bare(node, "this", "expression")
        return terms.arithmetic(ARITHMETIC[type(node)], self.term(node.left), self.term(node.right))

    def extreme(self, node: exp.Func) -> Term:
        self.bare(node, "this", "expressions", "ignore_nulls")
        return terms.extreme(EXTREMES[type(node)], tuple(self.term(n) for n in (node.this, *node.expressions)))

    def date_part(self, node: exp.Func) -> Term:
        self.bare(node, "this")
        return terms.part_of_date(DATE_PARTS[type(node)], self.term(node.this))

    def extract(self, node: exp.Extract) -> Term:
        self.bare(node, "this", "expression")
        op = {"YEAR": Op.YEAR, "MONTH": Op.MONTH}.get(node.name.upper())
        if op is None:
            self.text.refuse("query.function", node, found="EXTRACT", allowed=ALLOWED)
        return terms.part_of_date(op, self.term(node.expression))

    def connected(self, node: exp.Connector) -> Term:
        parts = []
        for part in node.flatten(unnest=False):
            parts.append(self.term(part))
        self.bare(node, "this", "expression")
        return terms.joined(CONNECTORS[type(node)], tuple(parts))

    def one_of(self, node: exp.In) -> Term:
        if node.args.get("query"):
            self.text.refuse("query.subquery", node.args["query"])
        self.bare(node, "this", "expressions")
        if not node.expressions:
            self.text.refuse("query.in_literals", node)
        for value in node.expressions:
            if type(value.this if type(value) is exp.Neg else value) not in (exp.Literal, exp.Boolean, exp.Cast):
                self.text.refuse("query.in_literals", value)
        return terms.one_of(self.term(node.this), tuple(self.term(v) for v in node.expressions))

    def between(self, node: exp.Between) -> Term:
        self.bare(node, "this", "low", "high")
        this = self.term(node.this)
        low = terms.compared(Op.AT_LEAST, this, self.term(node.args["low"]))
        return terms.joined(Op.AND, (low, terms.compared(Op.AT_MOST, this, self.term(node.args["high"]))))

    def identity(self, node: exp.Is) -> Term:
        """IS NULL, IS TRUE, IS FALSE (IS NOT … arrives under a NOT)."""
        self.bare(node, "this", "expression")
        if type(node.expression) is exp.Null:
            return terms.missing(self.term(node.this))
        if type(node.expression) is not exp.Boolean:
            self.text.refuse("query.not_in_grammar", node, found="IS")
        this = self.term(node.this)
        wanted = this if node.expression.this else terms.inverted(this)
        return terms.chosen(Op.COALESCE, (), (wanted, terms.truth(False)))

    def case(self, node: exp.Case) -> Term:
        self.bare(node, "this", "ifs", "default")
        subject = self.term(node.this) if node.this is not None else None
        conditions, outcomes = [], []
        for when in node.args["ifs"]:
            self.bare(when, "this", "true")
            with self.text.standing_at(when):
                condition = self.term(when.this)
                conditions.append(terms.compared(Op.EQUAL, subject, condition) if subject else condition)
                outcomes.append(self.term(when.args["true"]))
        default = node.args.get("default")
        outcomes.append(self.term(default) if default is not None else terms.null())
        return terms.chosen(Op.CASE, tuple(conditions), tuple(outcomes))

    def when(self, node: exp.If) -> Term:
        self.bare(node, "this", "true", "false")
        default = node.args.get("false")
        outcomes = (self.term(node.args["true"]), self.term(default) if default is not None else terms.null())
        return terms.chosen(Op.CASE, (self.term(node.this),), outcomes)

    def coalesce(self, node: exp.Coalesce) -> Term:
        self.bare(node, "this", "expressions")
        return terms.chosen(Op.COALESCE, (), tuple(self.term(n) for n in (node.this, *node.expressions)))

    def date_literal(self, node: exp.Cast) -> Term:
        """DATE '2023-01-31': the one cast there is, of a literal."""
        self.bare(node, "this", "to")
        literal = node.this
        if type(literal) is not exp.Literal or not literal.is_string or node.to.this is not exp.DType.DATE:
            self.text.refuse("query.cast", node)
        return terms.day(terms.parsed_day(literal.name))
