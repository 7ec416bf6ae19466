"""What may stand in a SELECT that is grouped by the person?

Keys of the group, and whole aggregates over its rows: COUNT, SUM, MIN, MAX, each with a bound. LEAST (COUNT(*), 50) says
the bound; else it is the descriptor's own, and the price says so. HAVING only compares: it moves no number and needs no
bound but the widest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from enclave.catalogue.dataset import Table
from enclave.query import terms
from enclave.query.bounds import dominating_column
from enclave.query.derived import made_column, settled
from enclave.query.expressions import EXTREMES, Expressions
from enclave.query.plan import HUNDREDTHS, Made, Op, Part, Sort, Term, Type, Verb

MOST_COLUMNS = 20
WIDE = 2**46

VERBS: dict[type[exp.Expr], Verb] = {
    exp.Count: Verb.COUNT,
    exp.Sum: Verb.SUM,
    exp.Min: Verb.LEAST,
    exp.Max: Verb.GREATEST,
    exp.Avg: Verb.MEAN,
}


class Grouped(Expressions):
    """Terms over the keys and aggregates of one group: every column below an aggregate belongs to the rows, every other
    must be a key."""

    def __init__(self, rows: Expressions, root: Table, nodes: list[exp.Expr], usual: int | None = None) -> None:
        super().__init__(rows.text, rows.scope)
        self.root = root
        self.rows = rows
        self.usual = usual
        """More rows of one person hardly occur, by the paid profile."""
        self.nodes = nodes
        self.keys: tuple[Term, ...] = tuple(self.rows.term(n) for n in nodes)
        for at, (key, node) in enumerate(zip(self.keys, nodes, strict=True)):
            if key in self.keys[:at]:
                self.text.reject("query.duplicate_key", node)
            with self.text.standing_at(node):
                if settled(key).type.sort is Sort.TEXT:
                    raise terms.Unfit("query.text_only_counted", column=key.ref.column.name if key.ref else "?")
        self.parts: list[Part] = []
        self.said: list[str] = []
        self.limits: tuple[Term | None, Term | None] = (None, None)
        self.only_compared = False
        """What is only compared moves no number: it needs no bound but the widest."""
        readers: dict[type[exp.Expr], Callable[..., Term]] = {
            exp.Column: self.grouped_column,
            exp.Filter: self.filtered,
        }
        self.readers |= readers | dict.fromkeys(VERBS, self.aggregate)

    def term(self, node: exp.Expr) -> Term:
        for at, key in enumerate(self.nodes):
            if node == key:
                return self.key_column(at)
        limits = self.limits
        if type(node) not in (exp.Paren, exp.Filter, *VERBS):
            self.limits = (None, None)
        try:
            return super().term(node)
        finally:
            self.limits = limits

    def key_column(self, at: int) -> Term:
        return terms.column(0, made_column(f"key_{at + 1}", self.keys[at].type, at), may_be_absent=False)

    def grouped_column(self, node: exp.Column) -> Term:
        if self.scope.is_unit(node):
            self.text.refuse("query.unit_key", node, name=node.name)
        found = self.rows.term(node)
        for at, key in enumerate(self.keys):
            if key == found:
                return self.key_column(at)
        return self.text.refuse("query.not_grouped", node)

    def extreme(self, node: exp.Func) -> Term:
        """LEAST(COUNT(*), 50): the written number is the bound the aggregate is clipped at."""
        self.bare(node, "this", "expressions", "ignore_nulls")
        nodes = (node.this, *node.expressions)
        written = [self.term(n) for n in nodes if is_number(n)]
        least, greatest = self.limits
        if written and len(written) < len(nodes):
            if type(node) is exp.Least:
                least = min(written, key=lambda t: (t.type.lower or 0) / t.type.scale)
            else:
                greatest = max(written, key=lambda t: (t.type.lower or 0) / t.type.scale)
        found = []
        for n in nodes:
            kept, self.limits = self.limits, (least, greatest)
            found.append(self._within_limits(n))
            self.limits = kept
        return terms.extreme(EXTREMES[type(node)], tuple(found))

    def _within_limits(self, node: exp.Expr) -> Term:
        if type(node) in EXTREMES:
            with self.text.standing_at(node):
                return self.extreme(node)  # type: ignore[arg-type]  # a Func, by its exact class
        return self.term(node)

    def filtered(self, node: exp.Filter) -> Term:
        self.bare(node, "this", "expression")
        if type(node.this) not in VERBS or type(node.expression) is not exp.Where:
            self.text.refuse("query.aggregate_here", node, found=self.text.written(node.this).upper())
        only = self.rows.term(node.expression.this)
        with self.text.standing_at(node.expression):
            terms.needs_truth(only)
        with self.text.standing_at(node.this):
            return self.aggregate(node.this, only)

    def aggregate(self, node: exp.Expr, only: Term | None = None) -> Term:
        verb, inner = VERBS[type(node)], node.this
        self.bare(node, "this", "big_int") if verb is Verb.COUNT else self.bare(node, "this")
        term: Term | None = None
        if type(inner) is exp.Distinct:
            if verb is not Verb.COUNT or len(inner.expressions) != 1:
                self.text.refuse("within.distinct", inner)
            self.bare(inner, "expressions")
            verb, inner = Verb.DISTINCT, inner.expressions[0]
        if type(inner) is exp.Star:
            self.bare(inner)
            if verb is not Verb.COUNT:
                self.text.refuse("query.star", inner)
        else:
            term = self.rows.term(inner)
        return self._part(verb, term, only, node)

    def _part(self, verb: Verb, term: Term | None, only: Term | None, node: exp.Expr) -> Term:
        if term is not None and term.op is Op.NULL:
            raise terms.Unfit("query.bare_null")
        if term is not None and verb in (Verb.LEAST, Verb.GREATEST):
            if term.type.sort is not Sort.DATE:
                terms.needs_number(term)
            kind = replace(term.type, nullable=True, codes=())
            return self._made(Part(verb, term, only), kind)
        if verb is Verb.MEAN:
            return self._mean(term, only, node)
        if verb is Verb.SUM:
            if term is None:
                self.text.refuse("query.star", node)
            terms.needs_number(term)
            if not term.type.bounded:
                self.text.refuse("query.no_bounds", node, column=term.ref.column.name if term.ref else "SUM")
            clip = self._clipped_sum(term)
            return self._made(Part(verb, term, only, clip), Type(Sort.NUMBER, True, *clip, scale=term.type.scale))
        most = self._most_rows(term if verb is Verb.DISTINCT else None)
        return self._made(Part(verb, term, only, (0, most)), Type(Sort.NUMBER, False, 0, most))

    def _mean(self, term: Term | None, only: Term | None, node: exp.Expr) -> Term:
        """A mean lies between the bounds of what it is of; it is told in hundredths of its stored steps."""
        if term is None:
            self.text.refuse("query.star", node)
        terms.needs_number(term)
        lower, upper = terms.bounds_of(term)
        if max(-lower, upper) * HUNDREDTHS > WIDE or term.type.scale * HUNDREDTHS > terms.FINEST:
            raise terms.Unfit("within.average", limit="2^46")
        scale = term.type.scale * HUNDREDTHS
        kind = Type(Sort.NUMBER, True, lower * HUNDREDTHS, upper * HUNDREDTHS, scale=scale)
        return self._made(Part(Verb.MEAN, term, only, (lower, upper)), kind)

    def _made(self, part: Part, kind: Type) -> Term:
        at = self.parts.index(part) if part in self.parts else len(self.parts)
        if at == len(self.parts):
            self.parts.append(part)
        if len(self.parts) > MOST_COLUMNS:
            self.text.refuse("within.columns", None, count=len(self.parts), limit=MOST_COLUMNS)
        column = made_column(part.verb.value, kind, len(self.keys) + at)
        return terms.column(0, column, may_be_absent=False)

    def _most_rows(self, distinct: Term | None) -> int:
        """Rows of one person that are told apart: as written, or what hardly anybody exceeds by the paid profile, or the
        descriptor's row_clip, or every code there is."""
        least = self.limits[0]
        if least is not None:
            return max(0, (least.type.lower or 0) // least.type.scale)
        if self.only_compared:
            return WIDE
        root = self.root
        known = len(distinct.type.codes) if distinct is not None and distinct.type.codes else None
        most = self.usual or root.row_clip
        if known is not None and known <= most:
            return known
        self._say(f"COUNT at most {most} ({'profile' if self.usual else 'row_clip'} of {root.name})")
        return most

    def _clipped_sum(self, term: Term) -> tuple[int, int]:
        least, greatest = self.limits
        if self.only_compared:
            return -WIDE, WIDE
        root, reach = self.root, term.type.reach
        most = reach * root.row_clip
        own = dominating_column(term)
        if own is not None and own.total_clip is not None:
            most = min(most, own.total_clip)
        lower = 0 if (term.type.lower or 0) >= 0 else -most
        upper = 0 if (term.type.upper or 0) <= 0 else most
        if least is not None:
            upper = max(lower, (least.type.lower or 0) * term.type.scale // least.type.scale)
        if greatest is not None:
            lower = min(upper, (greatest.type.lower or 0) * term.type.scale // greatest.type.scale)
        if max(abs(lower), abs(upper)) > WIDE:
            raise terms.Unfit("query.too_wide", limit="2^46")
        if least is None:
            self._say(f"SUM within ±{most / term.type.scale:g} (clips of {root.name})")
        return lower, upper

    def is_clipped(self, term: Term) -> bool:
        """A bare COUNT or SUM, whose bound is the descriptor's."""
        if not (term.ref and isinstance(term.ref.column, Made) and term.ref.column.at >= len(self.keys)):
            return False
        return self.parts[term.ref.column.at - len(self.keys)].verb in (Verb.COUNT, Verb.SUM)

    def _say(self, words: str) -> None:
        if words not in self.said:
            self.said.append(words)


def is_number(node: exp.Expr) -> bool:
    inner = node.this if type(node) is exp.Neg else node
    return type(inner) is exp.Literal and not inner.is_string
