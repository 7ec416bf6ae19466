"""What may be computed over the ordered rows of one person?

    ROW_NUMBER, RANK, DENSE_RANK, LAG, LEAD, FIRST_VALUE    OVER (PARTITION BY person [, terms] ORDER BY terms)
    COUNT, SUM, MIN, MAX                                     the same with a ROWS frame, or over all rows of the partition

in the SELECT list of a level within one person. The partition names the person, so a window never sees anybody else's rows.
Its order is total: numbers and dates, then the table's own key, so that ties fall the same way whatever lies beside them in
the file (ranks need none: tied rows share theirs). A number of rows has no bound of its own: LEAST(…, a number) gives one,
else it is kept at the descriptor's `row_clip` and the price says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlglot import exp

from enclave.catalogue.dataset import Table
from enclave.query import terms
from enclave.query.expressions import EXTREMES, Expressions
from enclave.query.grouped import WIDE
from enclave.query.term import Op, Sort, Term, Type, Window
from enclave.query.terms import Unfit

LONGEST_STEP = 1_000
"""Rows that LAG, LEAD or the end of a frame may reach."""

RANKS: dict[type[exp.Expr], str] = {exp.RowNumber: "row_number", exp.Rank: "rank", exp.DenseRank: "dense_rank"}
STEPS: dict[type[exp.Expr], str] = {exp.Lag: "lag", exp.Lead: "lead", exp.FirstValue: "first_value"}
TOTALS: dict[type[exp.Expr], str] = {exp.Count: "count", exp.Sum: "sum", exp.Min: "min", exp.Max: "max"}


@dataclass(frozen=True)
class Rows:
    """Which rows, in which order."""

    partition: tuple[Term, ...]
    ordered: tuple[Term, ...]
    directions: tuple[tuple[bool, bool], ...]
    frame: tuple[int | None, int | None] | None

    @property
    def count(self) -> int | None:
        """How many rows the frame has at most; None where an end is missing."""
        if self.frame is None or self.frame[0] is None or self.frame[1] is None:
            return None
        return self.frame[1] - self.frame[0] + 1


class Windowed(Expressions):
    """Terms of the SELECT list of a level within one person; `rows` reads what stands inside a window."""

    def __init__(self, rows: Expressions, root: Table) -> None:
        super().__init__(rows.text, rows.scope)
        self.rows = rows
        self.root = root
        self.most: int | None = None
        """The bound that is written around the window being read."""
        self.said: list[str] = []
        readers: dict[type[exp.Expr], Callable[..., Term]] = {exp.Window: self.window}
        self.readers |= readers

    def extreme(self, node: exp.Func) -> Term:
        """LEAST(ROW_NUMBER() OVER (…), 50): the written number is the bound."""
        nodes = (node.this, *node.expressions)
        numbers = [n for n in nodes if type(n) is exp.Literal and not n.is_string and n.name.isdigit()]
        numbers = [n for n in numbers if n.name.isascii() and len(n.name) < 10]
        if type(node) is not exp.Least or not numbers:
            return super().extreme(node)
        self.bare(node, "this", "expressions", "ignore_nulls")
        found = []
        for n in nodes:
            self.most = min(int(m.name) for m in numbers) if type(n) is exp.Window else None
            found.append(self.term(n))
        self.most = None
        return terms.extreme(EXTREMES[type(node)], tuple(found))

    def window(self, node: exp.Window) -> Term:
        self.bare(node, "this", "partition_by", "order", "spec", "over")
        most, self.most = self.most, None
        order, spec, call = node.args.get("order"), node.args.get("spec"), node.this
        if type(call) not in (*RANKS, *STEPS, *TOTALS):
            self.text.refuse("windows.function", call, found=self.text.written(call).upper())
        ordered, directions = self._ordered(order) if order is not None else ((), ())
        rows = Rows(self._partition(node), ordered, directions, self._frame(spec) if spec is not None else None)
        if type(call) in TOTALS:
            if (order is None) != (spec is None):
                self.text.refuse("windows.frame", node, limit=LONGEST_STEP)
            return self._total(call, rows, most)
        if order is None or spec is not None:
            self.text.refuse("windows.needs_order", call, found=self.text.written(call).upper())
        return self._rank(call, rows, most) if type(call) in RANKS else self._step(call, rows)

    # --- over which rows --------------------------------------------------------------------------------------------

    def _partition(self, node: exp.Window) -> tuple[Term, ...]:
        """The terms beside the person's key, which must be among them."""
        nodes = node.args.get("partition_by") or []
        units = [n for n in nodes if type(n) is exp.Column and self.scope.is_unit(n)]
        if not units or not self.root.key:
            self.text.refuse("windows.partition", node, unit=self.root.unit)
        found = []
        for one in (n for n in nodes if n not in units):
            term = self.rows.term(one)
            if term.type.sort is Sort.TEXT or term.op is Op.NULL:
                self.text.reject("windows.order", one, found=term.type.sort)
            found.append(term)
        for unit in units:
            self.scope.check_counts_the_root(unit)
        return tuple(found)

    def _ordered(self, order: exp.Expr) -> tuple[tuple[Term, ...], tuple[tuple[bool, bool], ...]]:
        self.bare(order, "expressions")
        found, directions = list[Term](), list[tuple[bool, bool]]()
        for one in order.expressions:
            self.bare(one, "this", "desc", "nulls_first")
            term = self.rows.term(one.this)
            if term.type.sort not in (Sort.NUMBER, Sort.DATE):
                self.text.reject("windows.order", one, found=term.type.sort)
            found.append(term)
            directions.append((bool(one.args.get("desc")), bool(one.args.get("nulls_first"))))
        return tuple(found), tuple(directions)

    def _frame(self, spec: exp.Expr) -> tuple[int | None, int | None]:
        """(first, last) row, counted from the row itself; None: without an end."""
        self.bare(spec, "kind", "start", "start_side", "end", "end_side")
        if spec.args.get("kind") != "ROWS":
            self.text.refuse("windows.frame", spec, limit=LONGEST_STEP)
        first = self._end(spec, "start", -1)
        last = self._end(spec, "end", 1) if spec.args.get("end") is not None else 0
        if first is not None and last is not None and first > last:
            self.text.refuse("windows.frame", spec, limit=LONGEST_STEP)
        return first, last

    def _end(self, spec: exp.Expr, name: str, without: int) -> int | None:
        at, side = spec.args.get(name), spec.args.get(f"{name}_side")
        if at == "CURRENT ROW":
            return 0
        sign = -1 if side == "PRECEDING" else 1
        if at == "UNBOUNDED" and sign == without:
            return None
        if not isinstance(at, exp.Expr):
            self.text.refuse("windows.frame", spec, limit=LONGEST_STEP)
        return sign * self._reach(at)

    def _reach(self, node: exp.Expr) -> int:
        """A written number of rows."""
        written = node.name if type(node) is exp.Literal and not node.is_string else ""
        if written.isascii() and written.isdigit() and len(written) < 6 and 0 < int(written) <= LONGEST_STEP:
            return int(written)
        return self.text.refuse("windows.frame", node, limit=LONGEST_STEP)

    # --- which function ---------------------------------------------------------------------------------------------

    def _rank(self, call: exp.Expr, rows: Rows, most: int | None) -> Term:
        self.bare(call)
        verb = RANKS[type(call)]
        bound = self._bound(most, verb.upper())
        tie = self.root.key if type(call) is exp.RowNumber else ()
        kind = Type(Sort.NUMBER, False, 1, bound)
        return self._made(rows, verb, kind, tie=tie, clip=(1, bound), chosen=most is None)

    def _step(self, call: exp.Expr, rows: Rows) -> Term:
        self.bare(call, "this", "offset")
        value, offset = self._value(call.this), call.args.get("offset")
        step = self._reach(offset) if offset is not None else None
        kind = replace(value.type, nullable=True)
        return self._made(rows, STEPS[type(call)], kind, value, tie=self.root.key, step=step)

    def _total(self, call: exp.Expr, rows: Rows, most: int | None) -> Term:
        verb, tie = TOTALS[type(call)], self.root.key if rows.ordered else ()
        self.bare(call, "this", "big_int") if verb == "count" else self.bare(call, "this")
        if type(call.this) is exp.Star:
            self.bare(call.this)
            if verb != "count":
                self.text.refuse("query.star", call)
        value = None if type(call.this) is exp.Star else self._value(call.this)
        if verb == "count":
            bound = rows.count or self._bound(most, "COUNT")
            kind, chosen = Type(Sort.NUMBER, False, 0, bound), rows.count is None and most is None
            return self._made(rows, verb, kind, value, tie=tie, clip=(0, bound), chosen=chosen)
        if value is None:
            raise ValueError("only COUNT has no value")
        if value.type.sort is not Sort.DATE or verb == "sum":
            terms.needs_number(value)
        if verb == "sum":
            clip = self._span(value, rows.count or self._bound(None, "rows of SUM"))
            kind = Type(Sort.NUMBER, True, *clip, scale=value.type.scale)
            return self._made(rows, verb, kind, value, tie=tie, clip=clip, chosen=rows.count is None)
        terms.bounds_of(value)
        return self._made(rows, verb, replace(value.type, nullable=True), value, tie=tie)

    def _value(self, node: exp.Expr) -> Term:
        value = self.rows.term(node)
        if value.op is Op.NULL:
            raise Unfit("query.bare_null")
        if value.type.sort is Sort.TEXT and value.op is Op.LITERAL:
            raise Unfit("query.needs_number", found=value.type.sort)
        return value

    def _span(self, value: Term, rows: int) -> tuple[int, int]:
        lower, upper = terms.bounds_of(value)
        span = min(0, lower * rows), max(0, upper * rows)
        if max(-span[0], span[1]) > WIDE:
            raise Unfit("query.too_wide", limit="2^46")
        return span

    def _bound(self, most: int | None, what: str) -> int:
        if most is not None:
            return max(1, most)
        words = f"{what} at most {self.root.row_clip} (row_clip of {self.root.name})"
        if words not in self.said:
            self.said.append(words)
        return self.root.row_clip

    def _made(
        self,
        rows: Rows,
        verb: str,
        kind: Type,
        value: Term | None = None,
        *,
        tie: tuple[str, ...],
        clip: tuple[int, int] | None = None,
        step: int | None = None,
        chosen: bool = False,
    ) -> Term:
        window = Window(verb, self.root.unit, len(rows.partition), rows.directions, tie, rows.frame, step, clip, chosen)
        args = (*((value,) if value else ()), *rows.partition, *rows.ordered)
        return terms.shallow(Term(Op.WINDOW, kind, args, window=window))
