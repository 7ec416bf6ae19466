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

from enclave.query import functions, terms
from enclave.query.grammar import Text
from enclave.query.histogram import is_histogram, labelled
from enclave.query.names import Scope
from enclave.query.plan import Op, Sort, Term

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
DATE_PARTS = {
    exp.Year: Op.YEAR,
    exp.Quarter: Op.QUARTER,
    exp.Month: Op.MONTH,
    exp.Day: Op.DAY,
    exp.DayOfWeek: Op.WEEKDAY,
    exp.DayOfWeekIso: Op.ISO_WEEKDAY,
    exp.DayOfYear: Op.DAY_OF_YEAR,
    exp.Week: Op.WEEK,
    exp.WeekOfYear: Op.WEEK,
}
EXTRACTED = {
    "YEAR": Op.YEAR,
    "QUARTER": Op.QUARTER,
    "MONTH": Op.MONTH,
    "DAY": Op.DAY,
    "DOW": Op.WEEKDAY,
    "ISODOW": Op.ISO_WEEKDAY,
    "DOY": Op.DAY_OF_YEAR,
    "WEEK": Op.WEEK,
}
QUOTIENTS: dict[type[exp.Expr], Callable[[Term, Term], Term]] = {
    exp.Div: functions.divided,
    exp.IntDiv: functions.whole_quotient,
    exp.Mod: functions.remainder,
}
CONNECTORS = {exp.And: Op.AND, exp.Or: Op.OR}
ALLOWED = (
    "+ - *, / // % by a written number, ABS, FLOOR, CEIL, ROUND, LEAST, GREATEST, COALESCE, NULLIF, IF, CASE, IN, BETWEEN, "
    "LIKE, STARTS_WITH, LEFT, IS NULL, YEAR, QUARTER, MONTH, WEEK, DAY, ISODOW, DATE_DIFF"
)


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
            exp.Nullif: self.nothing_if,
            exp.Floor: lambda n: functions.floored(self.inner(n)),
            exp.Ceil: lambda n: functions.ceiled(self.inner(n)),
            exp.Round: self.rounded,
            exp.DateDiff: self.apart,
            exp.Like: self.fits,
            exp.StartsWith: self.begins,
            exp.Left: self.first_letters,
            exp.Substring: self.first_letters,
            exp.Extract: self.extract,
            exp.Cast: self.date_literal,
            exp.Anonymous: self.histogram,
        }
        readers |= dict.fromkeys(COMPARISONS, self.comparison)
        readers |= dict.fromkeys(ARITHMETIC, self.arithmetic)
        readers |= dict.fromkeys(QUOTIENTS, self.quotient)
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
        left, right = self.term(node.left), self.term(node.right)
        if type(node) is exp.Sub and left.type.sort is right.type.sort is Sort.DATE:
            return functions.days_between(right, left)
        return terms.arithmetic(ARITHMETIC[type(node)], left, right)

    def quotient(self, node: exp.Binary) -> Term:
        self.bare(node, "this", "expression", "typed", "safe")
        return QUOTIENTS[type(node)](self.term(node.left), self.term(node.right))

    def rounded(self, node: exp.Round) -> Term:
        self.bare(node, "this", "decimals")
        return functions.rounded(self.term(node.this), self.whole(node.args.get("decimals"), "query.round"))

    def whole(self, node: exp.Expr | None, code: str) -> int:
        """A small number as written; 0 where there is none."""
        if node is None:
            return 0
        if type(node) is exp.Literal and not node.is_string and node.name.isdigit() and len(node.name) < 3:
            return int(node.name)
        return self.text.refuse(code, node, limit=functions.MOST_DECIMALS)

    def words(self, node: exp.Expr, code: str) -> str:
        if type(node) is not exp.Literal or not node.is_string:
            self.text.refuse(code, node)
        return str(node.name)

    def apart(self, node: exp.DateDiff) -> Term:
        self.bare(node, "this", "expression", "unit", "date_part_boundary")
        unit = node.args.get("unit")
        start, end = self.term(node.expression), self.term(node.this)
        return functions.apart(unit.name.upper() if type(unit) is exp.Var else "", start, end)

    def fits(self, node: exp.Like) -> Term:
        self.bare(node, "this", "expression", "negate")
        made = functions.fits(self.listed(node), self.words(node.expression, "query.like"))
        return terms.inverted(made) if node.args.get("negate") else made

    def begins(self, node: exp.StartsWith) -> Term:
        self.bare(node, "this", "expression")
        return functions.begins(self.listed(node), self.words(node.expression, "query.like"))

    def first_letters(self, node: exp.Left | exp.Substring) -> Term:
        """LEFT(x, 3), or SUBSTRING(x, 1, 3)."""
        self.bare(node, "this", "expression", "start", "length")
        start, count = node.args.get("start"), node.args.get("length") or node.args.get("expression")
        if count is None or (start is not None and self.whole(start, "query.left") != 1):
            self.text.refuse("query.left", node)
        return functions.first_letters(self.listed(node), self.whole(count, "query.left"))

    def listed(self, node: exp.Expr) -> Term:
        """What a function of codes is of: its list is about to be looked through."""
        term = self.term(node.this)
        self.text.trying(len(term.type.codes), node)
        return term

    def nothing_if(self, node: exp.Nullif) -> Term:
        self.bare(node, "this", "expression")
        return functions.nothing_if(self.term(node.this), self.term(node.expression))

    def extreme(self, node: exp.Func) -> Term:
        self.bare(node, "this", "expressions", "ignore_nulls")
        return terms.extreme(EXTREMES[type(node)], tuple(self.term(n) for n in (node.this, *node.expressions)))

    def date_part(self, node: exp.Func) -> Term:
        self.bare(node, "this")
        return functions.part_of_date(DATE_PARTS[type(node)], self.term(node.this))

    def extract(self, node: exp.Extract) -> Term:
        self.bare(node, "this", "expression")
        op = EXTRACTED.get(node.name.upper())
        if op is None:
            self.text.refuse("query.function", node, found="EXTRACT", allowed=ALLOWED)
        return functions.part_of_date(op, self.term(node.expression))

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
