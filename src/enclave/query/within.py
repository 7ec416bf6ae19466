"""What may be computed within one person, before anything private?

A subquery in FROM, or a WITH, that keeps the person's key. Two forms:

    rows        SELECT patient_id, terms FROM … [WHERE …] [UNION ALL SELECT patient_id, terms FROM … ]
    per person  SELECT patient_id [, terms], COUNT / SUM / MIN / MAX … GROUP BY patient_id [, terms] [HAVING …]

Either becomes a table of its own (`Made` columns with proven types) whose rows belong to one person each, so that names,
terms and bounds of the outer level hold as they stand. Grouped by the person's key alone it has one row per person: no
norm is needed, and it may be joined on that key like a table of persons. A count or sum has no bound by itself: LEAST
(…, a number) gives one, else the planner clips at the descriptor's own bound and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot import exp

from enclave.catalogue.dataset import Dataset, Table
from enclave.profile import curve_of, hardly_exceeded
from enclave.query import terms
from enclave.query.bounds import dominating_column
from enclave.query.derived import Derived, made_column, settled, stacked, table_of
from enclave.query.expressions import Expressions
from enclave.query.grammar import Text, folded
from enclave.query.grouped import MOST_COLUMNS, Grouped
from enclave.query.lent import key_of, lent_norms
from enclave.query.names import Scope, all_of
from enclave.query.plan import Branch, Made, PerPerson, Stacked, Term
from enclave.query.windows import Windowed

MOST_BRANCHES = 6
MOST_LEVELS = 4
MOST_SELECTS = 40
"""SELECTs of a level when every name is written out: a WITH that names the one before it twice, and so on, doubles them
each time."""


class Levels:
    """The subqueries and WITHs of one question, by name or where they stand."""

    def __init__(self, text: Text, dataset: Dataset, tree: exp.Select) -> None:
        self.text = text
        self.dataset = dataset
        self.named: dict[str, Derived] = {}
        self.depth = 0
        with_ = tree.args.get("with_")
        if with_ is not None:
            text.only(with_, "expressions")
            for node in with_.expressions:
                self._name(node)

    def _name(self, node: exp.CTE) -> None:
        self.text.only(node, "this", "alias")
        self.text.only(node.args["alias"], "this")
        name = folded(node.alias)
        if name in self.named or name in self.dataset.names:
            self.text.reject("query.duplicate_alias", node, name=node.alias)
        self.named[name] = self.read(node.this, node.alias)

    def find(self, node: exp.Expr) -> Derived | None:
        """What stands behind a table of FROM, when it is no table of the dictionary."""
        if type(node) is exp.Table:
            return self.named.get(folded(node.name)) if isinstance(node.this, exp.Identifier) else None
        if type(node) is not exp.Subquery:
            return None
        self.text.only(node, "this", "alias")
        return self.read(node.this, node.alias)

    def read(self, node: exp.Expr, name: str) -> Derived:
        self.depth += 1
        if self.depth > MOST_LEVELS:
            self.text.refuse("within.levels", node, limit=MOST_LEVELS)
        while type(node) is exp.Subquery and not node.alias:
            self.text.only(node, "this")
            node = node.this
        if type(node) is exp.Union:
            made = self._stack(node, name)
        elif type(node) is exp.Select:
            made = _Inner(self, node).read(name)
        elif isinstance(node, exp.SetOperation):
            self.text.refuse("within.union_all", node)
        else:
            self.text.refuse("query.only_tables", node)
        self.depth -= 1
        if made[1].selects > MOST_SELECTS:
            self.text.refuse("within.selects", node, limit=MOST_SELECTS)
        return made

    def _stack(self, node: exp.Expr, name: str) -> Derived:
        nodes: list[exp.Expr] = []
        while type(node) is exp.Union:
            self.text.only(node, "this", "expression", "distinct")
            if node.args.get("distinct") is not False:
                self.text.refuse("within.union_all", node)
            nodes.insert(0, node.expression)
            node = node.this
        nodes.insert(0, node)
        if len(nodes) > MOST_BRANCHES:
            self.text.refuse("within.branches", node, limit=MOST_BRANCHES)
        derived = [self.read(branch, name) for branch in nodes]
        for (table, _), branch in zip(derived[1:], nodes[1:], strict=True):
            if len(table.columns) != len(derived[0][0].columns):
                self.text.reject("within.union_columns", branch, count=len(derived[0][0].columns) - 1)
        with self.text.standing_at(nodes[0]):
            return stacked(derived, name)


@dataclass(frozen=True)
class Item:
    """One selected column of an inner level."""

    name: str
    node: exp.Expr


class _Inner:
    """Reads one SELECT within one person."""

    def __init__(self, levels: Levels, tree: exp.Select) -> None:
        self.text = text = levels.text
        if tree.args.get("windows") or tree.args.get("qualify"):
            text.refuse("query.window", tree)
        for clause in ("order", "limit", "distinct"):
            if tree.args.get(clause):
                text.refuse("within.clause", tree.args[clause])
        text.only(tree, "expressions", "from_", "joins", "where", "group", "having")
        self.tree = tree
        self.scope = Scope(text, levels.dataset, tree, levels.find)
        self.profile = levels.dataset.profile
        for source, named in zip(self.scope.sources, self.scope.order, strict=True):
            if source.many:
                text.refuse("within.many", named.node, unit=source.table.unit)
        self.expressions = Expressions(text, self.scope)
        self.items = self._items()

    def read(self, name: str) -> Derived:
        where = self.tree.args.get("where")
        held = list(self.scope.kept)
        if where is not None:
            held.append(self.expressions.term(where.this))
            with self.text.standing_at(where):
                terms.needs_truth(held[-1])
        kept = all_of(tuple(held))
        if self.tree.args.get("group") is not None:
            return self._per_person(name, kept)
        if any(holds_aggregate(i.node) for i in self.items) or self.tree.args.get("having") is not None:
            self.text.refuse("within.group", self.tree, unit=self.unit)
        return self._rows(name, kept)

    @property
    def root(self) -> Table:
        return self.scope.sources[0].table

    @property
    def unit(self) -> str:
        return self.root.unit

    # --- what is selected -------------------------------------------------------------------------------------------

    def _items(self) -> list[Item]:
        found, keyed = list[Item](), 0
        for node in self.tree.expressions:
            alias, inner = (node.alias, node.this) if type(node) is exp.Alias else (None, node)
            if type(node) is exp.Alias:
                self.text.only(node, "this", "alias")
            if type(inner) is exp.Star:
                self.text.refuse("within.star", inner, unit=self.unit)
            if self._is_unit(inner):
                keyed += 1
                if keyed > 1 or folded(alias or self.unit) != folded(self.unit):
                    self.text.refuse("within.unit", node, unit=self.unit)
                continue
            plain = inner.name if type(inner) is exp.Column else f"column_{len(found) + 1}"
            found.append(Item(alias or plain, inner))
        if not keyed:
            self.text.refuse("within.unit", self.tree, unit=self.unit)
        if len(found) > MOST_COLUMNS:
            self.text.refuse("within.columns", self.tree, count=len(found), limit=MOST_COLUMNS)
        names = [folded(i.name) for i in found]
        for at, item in enumerate(found):
            if names[at] in names[:at] or names[at] == folded(self.unit):
                self.text.reject("query.duplicate_alias", item.node, name=item.name)
            if len(item.name) > 64 or not item.name.isprintable() or not item.name.strip():
                self.text.reject("query.bad_alias", item.node, limit=64)
        return found

    def _is_unit(self, node: exp.Expr) -> bool:
        while type(node) is exp.Paren:
            node = node.this
        if type(node) is not exp.Column or isinstance(node.this, exp.Star) or not self.scope.is_unit(node):
            return False
        self.scope.check_counts_the_root(node)
        return True

    # --- rows as they stand -----------------------------------------------------------------------------------------

    def _rows(self, name: str, kept: Term | None) -> Derived:
        windowed = Windowed(self.expressions, self.root)
        columns, found = list[Made](), list[Term]()
        for at, item in enumerate(self.items):
            term = windowed.term(item.node)
            with self.text.standing_at(item.node):
                term = settled(term)
            own = dominating_column(term)
            clip = own.total_clip if own is not None else None
            clipped = term.window is not None and term.window.chosen
            columns.append(replace(made_column(item.name, term.type, at, clip), clipped=clipped))
            found.append(term)
        table = table_of(name, self.unit, columns, self.root.row_clip, one=self.root.one_row_per_person)
        return table, Stacked((Branch(self.scope.sources, kept, tuple(found)),), tuple(windowed.said))

    # --- grouped by the person --------------------------------------------------------------------------------------

    def _per_person(self, name: str, kept: Term | None) -> Derived:
        group = self.tree.args["group"]
        self.text.only(group, "expressions")
        nodes, keyed = list[exp.Expr](), False
        for node in map(self._grouped, group.expressions):
            if node is None or self._is_unit(node):
                keyed = True
            else:
                nodes.append(node)
        if not keyed:
            self.text.refuse("within.group", group, unit=self.unit)
        within = Grouped(self.expressions, self.root, nodes, self._usual_rows())
        columns, found = list[Made](), list[Term]()
        for at, item in enumerate(self.items):
            term = within.term(item.node)
            with self.text.standing_at(item.node):
                term = settled(term)
            columns.append(replace(made_column(item.name, term.type, at), clipped=within.is_clipped(term)))
            found.append(term)
        having = self.tree.args.get("having")
        condition = None
        if having is not None:
            within.only_compared = True
            condition = within.term(having.this)
            with self.text.standing_at(having):
                terms.needs_truth(condition)
        sources, keys = self.scope.sources, within.keys
        one = not nodes or self.root.one_row_per_person
        norms = lent_norms(sources, keys)
        made = PerPerson(
            sources,
            kept,
            keys,
            tuple(within.parts),
            tuple(found),
            condition,
            tuple(within.said),
            () if one else norms.lent,
        )
        if one:
            return table_of(name, self.unit, columns, 1, one=True), made
        facets = norms.facets(
            [(item.name, key_of(term, len(keys))) for item, term in zip(self.items, found, strict=True)]
        )
        return table_of(name, self.unit, columns, norms.row_clip, one=False, facets=facets), made

    def _usual_rows(self) -> int | None:
        """What the rows of a person hardly exceed, where the profile tells."""
        histogram = self.profile.of(self.root.name, "unit_rows") if self.profile else None
        curve = curve_of(histogram) if histogram else None
        return hardly_exceeded(curve) if curve else None

    def _grouped(self, node: exp.Expr) -> exp.Expr | None:
        """A GROUP BY item: a term, the number of a selected column, or its name; None for the person's key by number."""
        if type(node) is exp.Literal and not node.is_string:
            at = int(node.name) if node.name.isdigit() and len(node.name) < 5 else 0
            if not 1 <= at <= len(self.tree.expressions):
                self.text.reject("query.no_such_item", node, found=node.name, count=len(self.tree.expressions))
            chosen: exp.Expr = self.tree.expressions[at - 1].unalias()
            return None if self._is_unit(chosen) else chosen
        if type(node) is exp.Column and not self.scope.has_column(node):
            for item in self.items:
                if folded(item.name) == folded(node.name):
                    return item.node
        return node


def holds_aggregate(node: exp.Expr) -> bool:
    """One that is not computed by a window."""
    return any(isinstance(n, exp.AggFunc | exp.Filter) and not n.find_ancestor(exp.Window) for n in node.walk())
