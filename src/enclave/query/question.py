"""What does this SQL ask, or why is it not a question we answer?

One SELECT from declared tables, within one person (WHERE, terms), then exactly one private aggregate layer (GROUP BY
public keys; COUNT, COUNT(DISTINCT person), SUM, AVG), then ORDER BY and LIMIT on noisy columns, which is free. Analyst
text ends here: what comes out is our own `Plan`, made from text and dictionary alone. Everything else is refused in
words, with its place and what to write instead, before anything is reserved or charged.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from sqlglot import exp

from enclave.catalogue.dataset import Dataset
from enclave.errors import Refused
from enclave.query import terms
from enclave.query.beside import at_rest
from enclave.query.expressions import Expressions
from enclave.query.figures import figure, is_figure
from enclave.query.flat import flattened
from enclave.query.grammar import Text, folded, parsed
from enclave.query.names import Scope, all_of
from enclave.query.outputs import Having, Reckoning, conditional, is_arithmetic
from enclave.query.plan import DEEPEST, MOST_CELLS, Aggregate, Key, Measure, Op, Ordering, Plan, Sort, Term
from enclave.query.reckon import Output, Post, Reckon
from enclave.query.size import MOST_NESTED, MOST_TOKENS
from enclave.query.sscp import LABELS, matrix_in
from enclave.query.unlisted import FEWEST_FOUND, keys_of, sought
from enclave.query.within import Levels

MOST_INTEGERS = 1_000
"""An integer column is a public key when its bounds allow at most this many values."""

MOST_AGGREGATES = 20
LONGEST_NAME = 64
SUFFIXES = ("", "_se", "_low", "_high", "_clipped")
"""What stands beside an answered number; the last where a profile was bought."""


def parse(sql: str, dataset: Dataset) -> Plan:
    """The plan of one question, or BadInput / Refused with the place in the text."""
    try:
        text, tree = parsed(sql)
        return _Reader(text, dataset, tree).plan()
    except RecursionError:
        raise Refused("query.too_deep", limit=MOST_NESTED, parts=MOST_TOKENS) from None


class _Reader:
    def __init__(self, text: Text, dataset: Dataset, tree: exp.Select) -> None:
        text_clauses(text, tree)
        self.text = text
        self.tree = tree
        self.scope = Scope(text, dataset, tree, Levels(text, dataset, tree).find)
        self.expressions = Expressions(text, self.scope)
        self.items = [self._unaliased(node) for node in tree.expressions]
        self.suffixes = SUFFIXES if dataset.profile is not None else SUFFIXES[:-1]

    def plan(self) -> Plan:
        where = self.tree.args.get("where")
        keys = self._keys()
        aggregates, outputs = self._aggregates(keys)
        names = [k.name for k in keys] + [o.name + s for o in outputs for s in self.suffixes]
        names += LABELS if aggregates[0].measure is Measure.SSCP else ()
        self._check_names(names)
        having = self.tree.args.get("having")
        aggregates, hidden = sought(keys, aggregates, outputs)
        plan = Plan(
            sources=self.scope.sources,
            where=all_of((*self.scope.kept, *([self._condition(where)] if where else []))),
            keys=keys,
            aggregates=aggregates,
            order=self._order(names),
            limit=self._limit(),
            reckoned=outputs if hidden or any(o.plain != at for at, o in enumerate(outputs)) else (),
            having=Having(self.text, self._answered(outputs)).condition(having.this) if having else None,
        )
        if any(p.depth > DEEPEST for p in (plan.having, *(o.post for o in plan.reckoned)) if p):
            raise Refused("query.too_deep", limit=DEEPEST, parts=MOST_TOKENS)
        self._check_cells(plan)
        with self.text.standing_at(self.tree):
            return at_rest(flattened(plan))

    def _check_cells(self, plan: Plan) -> None:
        group = self.tree.args.get("group")
        if plan.unlisted and plan.exact:
            self.text.refuse("query.unlisted_here", group)
        limit = MOST_CELLS // FEWEST_FOUND
        if plan.unlisted and plan.listed_cells > limit:
            self.text.refuse("query.too_many_cells", group, cells=plan.listed_cells, limit=limit)
        cells = plan.cells * (matrix.count if (matrix := matrix_in(plan)) else 1)
        if cells > MOST_CELLS:
            self.text.refuse("query.too_many_cells", group, cells=cells, limit=MOST_CELLS)

    def _unaliased(self, node: exp.Expr) -> tuple[str | None, exp.Expr]:
        if type(node) is exp.Alias:
            self.text.only(node, "this", "alias")
            return node.alias, self._unfiltered(node.this)
        return None, self._unfiltered(node)

    def _unfiltered(self, node: exp.Expr) -> exp.Expr:
        return conditional(self.text, node) if type(node) is exp.Filter else node

    def _condition(self, where: exp.Expr) -> Term:
        term = self.expressions.term(where.this)
        with self.text.standing_at(where):
            terms.needs_truth(term)
        return term

    # --- group keys -------------------------------------------------------------------------------------------------

    def _keys(self) -> tuple[Key, ...]:
        group = self.tree.args.get("group")
        if group is None:
            return ()
        self.text.only(group, "expressions")
        keys: list[Key] = []
        for node in group.expressions:
            alias, source = self._grouped(node)
            term = self.expressions.term(source)
            if any(k.term == term for k in keys):
                self.text.reject("query.duplicate_key", node)
            with self.text.standing_at(node):
                unlisted = keys_of(term, self.scope.sources)
            if unlisted and any(k.unlisted for k in keys):
                self.text.refuse("query.two_unlisted", node)
            domain = () if unlisted else self._domain(term, node)
            keys.append(Key(alias or self._name_of(term, len(keys)), term, domain, unlisted))
        named = [self.expressions.term(n) for _, n in self.items if not is_aggregate(n) and not is_arithmetic(n)]
        written = [k for t in named for k in keys if k.term == t]
        return tuple(dict.fromkeys([*written, *keys]))

    def _grouped(self, node: exp.Expr) -> tuple[str | None, exp.Expr]:
        """GROUP BY a column, a term, the number of a selected column, or its alias."""
        if type(node) is exp.Literal and not node.is_string:
            at = int(node.name) if node.name.isdigit() and len(node.name) < 5 else 0
            if not 1 <= at <= len(self.items):
                self.text.reject("query.no_such_item", node, found=node.name, count=len(self.items))
            return self.items[at - 1]
        if type(node) is exp.Column and not self.scope.has_column(node):
            wanted = folded(node.name)
            for alias, item in self.items:
                if alias is not None and folded(alias) == wanted:
                    return alias, item
        for alias, item in self.items:
            if not is_aggregate(item) and item == node:
                return alias, item
        return None, node

    def _name_of(self, term: Term, at: int) -> str:
        return term.ref.column.name if term.ref else f"key_{at + 1}"

    def _domain(self, term: Term, node: exp.Expr) -> tuple[int | str | bool | None, ...]:
        made, domain = term.type, tuple[int | str | bool, ...]()
        if made.sort is Sort.CODE and made.codes:
            domain = made.codes
        elif made.sort is Sort.TRUTH:
            domain = (False, True)
        elif made.sort is Sort.NUMBER and made.scale == 1 and made.lower is not None and made.upper is not None:
            if made.upper - made.lower >= MOST_INTEGERS:
                values = made.upper - made.lower + 1
                self.text.refuse("query.key_too_wide", node, values=values, limit=MOST_INTEGERS)
            domain = tuple(range(made.lower, made.upper + 1))
        else:
            self.text.refuse("query.key_not_public", node, found=made.sort)
        return (*domain, None) if made.nullable else domain

    # --- aggregates -------------------------------------------------------------------------------------------------

    def _aggregates(self, keys: tuple[Key, ...]) -> tuple[tuple[Aggregate, ...], tuple[Output, ...]]:
        """What is drawn, and what is shown of it."""
        found: list[Aggregate] = []
        outputs: list[Output] = []
        for alias, node in self.items:
            if is_aggregate(node):
                made = self._aggregate(alias, node)
                found.append(made if alias else replace(made, name=_unused(made.name, [a.name for a in found])))
                outputs.append(Output(found[-1].name, Post(Reckon.AGGREGATE, at=len(found) - 1)))
            elif is_arithmetic(node):
                post = Reckoning(self.text, lambda n: self._drawn(n, found), found).post(node)
                outputs.append(Output(alias or _unused("result", [o.name for o in outputs]), post))
            elif type(node) is exp.Star:
                self.text.refuse("query.star", node)
            elif self.expressions.term(node) not in [k.term for k in keys]:
                self.text.refuse("query.not_grouped", node)
            if max(len(found), len(outputs)) > MOST_AGGREGATES:
                self.text.refuse("query.too_many_aggregates", node, limit=MOST_AGGREGATES)
        if not found:
            self.text.refuse("query.no_aggregate", self.tree)
        if len(found) > 1 and any(a.measure is Measure.SSCP for a in found):
            self.text.refuse("query.matrix_alone", self.tree)
        return tuple(found), tuple(outputs)

    def _drawn(self, node: exp.Expr, found: list[Aggregate]) -> int:
        """The number of an aggregate inside arithmetic: one that is drawn already, else a new one."""
        node = self._unfiltered(node)
        if not is_aggregate(node):
            self.expressions.refuse(node) if not isinstance(node, exp.Column) else self.text.refuse(
                "query.not_grouped", node
            )
        made = self._aggregate(None, node)
        for at, known in enumerate(found):
            if replace(known, name=made.name) == made:
                return at
        found.append(replace(made, name=_unused(made.name, [a.name for a in found])))
        return len(found) - 1

    def _answered(self, outputs: tuple[Output, ...]) -> Callable[[exp.Expr], str | None]:
        """Which answered column a node of HAVING is: by its name, or as it stands in the SELECT list."""
        shown = [node for _, node in self.items if is_aggregate(node) or is_arithmetic(node)]

        def named(node: exp.Expr) -> str | None:
            if type(node) is exp.Column and not node.table:
                return next((o.name for o in outputs if folded(o.name) == folded(node.name)), None)
            if type(node) is exp.Filter:
                node = conditional(self.text, node.copy())
            return next((o.name for o, n in zip(outputs, shown, strict=True) if n == node), None)

        return named

    def _aggregate(self, alias: str | None, node: exp.Expr) -> Aggregate:
        if is_figure(node):
            return figure(self.text, self.expressions.term, alias, node)
        inner = node.this
        if type(node) is exp.Count:
            self.text.only(node, "this", "big_int")
            if type(inner) is exp.Star:
                self.text.only(inner)
                return Aggregate(alias or "count", Measure.ROWS)
            if type(inner) is exp.Distinct:
                return self._distinct(alias, inner)
            term = self.expressions.term(inner)
            with self.text.standing_at(node):
                terms.missing(term)
            return Aggregate(alias or self._called("count", term), Measure.ROWS, term)
        self.text.only(node, "this")
        if type(inner) is exp.Distinct:
            self.text.refuse("query.distinct_other", inner)
        term = self.expressions.term(inner)
        with self.text.standing_at(node):
            terms.needs_number(term)
            if not term.type.bounded:
                self.text.refuse("query.no_bounds", inner, column=self._name_of(term, 0))
        verb, measure = ("sum", Measure.SUM) if type(node) is exp.Sum else ("avg", Measure.MEAN)
        return Aggregate(alias or self._called(verb, term), measure, term)

    def _called(self, verb: str, term: Term) -> str:
        return f"{verb}_{term.ref.column.name}" if term.ref else verb

    def _distinct(self, alias: str | None, distinct: exp.Distinct) -> Aggregate:
        """COUNT(DISTINCT person), or of the values of one term."""
        self.text.only(distinct, "expressions")
        if len(distinct.expressions) != 1:
            self.text.refuse("query.distinct_other", distinct)
        node = distinct.expressions[0]
        while type(node) is exp.Paren:
            node = node.this
        condition, counted = only_where(node)
        if type(counted) is exp.Column and self.scope.is_unit(counted):
            self.scope.check_counts_the_root(counted)
            return Aggregate(alias or "persons", Measure.PERSONS, self._where_counted(condition))
        term = self.expressions.term(node)
        with self.text.standing_at(node):
            terms.missing(term)
        return Aggregate(alias or self._called("distinct", term), Measure.VALUES, term)

    def _where_counted(self, condition: exp.Expr | None) -> Term | None:
        """COUNT(DISTINCT CASE WHEN c THEN person END): what has a value where c holds."""
        if condition is None:
            return None
        with self.text.standing_at(condition):
            return terms.chosen(Op.CASE, (self.expressions.term(condition),), (terms.number(Fraction(1)), terms.null()))

    # --- names, order, limit ----------------------------------------------------------------------------------------

    def _check_names(self, names: list[str]) -> None:
        for name in names:
            if len(name) > LONGEST_NAME or not name.isprintable() or not name.strip():
                self.text.reject("query.bad_alias", self.tree, limit=LONGEST_NAME)
        known = [folded(n) for n in names]
        again = next((n for i, n in enumerate(names) if folded(n) in known[:i]), None)
        if again is not None:
            self.text.reject("query.duplicate_alias", self.tree, name=again)

    def _order(self, names: list[str]) -> tuple[Ordering, ...]:
        order = self.tree.args.get("order")
        if order is None:
            return ()
        self.text.only(order, "expressions")
        return tuple(self._ordering(node, names) for node in order.expressions)

    def _ordering(self, node: exp.Expr, names: list[str]) -> Ordering:
        if type(node) is not exp.Ordered:
            self.text.refuse("query.order_by_output", node)
        self.text.only(node, "this", "desc", "nulls_first")
        wanted = node.this
        self_named = type(wanted) is exp.Column and not wanted.table
        name = wanted.name if self_named else self._selected_name(wanted)
        known = next((n for n in names if name is not None and folded(n) == folded(name)), None)
        if known is None:
            self.text.refuse("query.order_by_output", node)
        return Ordering(known, bool(node.args.get("desc")))

    def _selected_name(self, wanted: exp.Expr) -> str | None:
        """ORDER BY 2."""
        if type(wanted) is exp.Literal and not wanted.is_string and wanted.name.isdigit() and len(wanted.name) < 5:
            item = next(itertools.islice(self.items, int(wanted.name) - 1, None), None) if int(wanted.name) else None
            if item is not None:
                return item[0] or (None if is_aggregate(item[1]) else item[1].name)
        return None

    def _limit(self) -> int | None:
        limit = self.tree.args.get("limit")
        if limit is None:
            return None
        if type(limit) is not exp.Limit or type(limit.expression) is not exp.Literal:
            self.text.refuse("query.limit", limit)
        self.text.only(limit, "expression")
        written = limit.expression.name
        if limit.expression.is_string or not written.isdigit() or len(written) > 9:
            self.text.refuse("query.limit", limit)
        return int(written)


def _unused(name: str, taken: list[str]) -> str:
    """A name we chose ourselves never collides with another that we chose."""
    return next(n for n in itertools.chain((name,), (f"{name}_{i}" for i in itertools.count(2))) if n not in taken)


def is_aggregate(node: exp.Expr) -> bool:
    return type(node) in (exp.Count, exp.Sum, exp.Avg) or is_figure(node)


def only_where(node: exp.Expr) -> tuple[exp.Expr | None, exp.Expr]:
    """c and x of CASE WHEN c THEN x END; no condition of anything else."""
    if type(node) is not exp.Case or node.this is not None or node.args.get("default") or len(node.args["ifs"]) != 1:
        return None, node
    when = node.args["ifs"][0]
    return when.this, when.args["true"]


def text_clauses(text: Text, tree: exp.Select) -> None:
    """2: the clauses a question may have; each other one is refused by its own words."""
    if tree.args.get("distinct"):
        text.refuse("query.select_distinct", tree.args["distinct"])
    if tree.args.get("windows") or tree.args.get("qualify"):
        text.refuse("query.window", tree)
    text.only(tree, "with_", "expressions", "from_", "joins", "where", "group", "having", "order", "limit")
