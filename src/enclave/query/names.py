"""Which table and which column does a name mean?

Joins are those the dictionary declares, each to a side unique on its key, so that every row of the plan is one row of
the root, used once (design §4, rule 1). Inner joins may be written in any order: the root is found, not assumed. A LEFT
JOIN keeps the order it was written in.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from enclave.catalogue.dataset import Dataset, Join, Kind, Reference, Table
from enclave.query import lookup, terms
from enclave.query.grammar import Text, folded
from enclave.query.plan import Op, Source, Term, Within
from enclave.query.walk import Looked, Named, Step, joins_of, means, walk

MOST_TABLES = 6

SUBQUERY = "subquery"
"""What a subquery without a name is called in words."""

Find = Callable[[exp.Expr], tuple[Table, Within] | None]
"""What stands behind a table of FROM, when it is no table of the dictionary."""


class Scope:
    """The sources of one SELECT, root first, and the meaning of column names among them."""

    def __init__(self, text: Text, dataset: Dataset, tree: exp.Select, find: Find) -> None:
        self.text = text
        self.dataset = dataset
        self.find = find
        start = tree.args.get("from_")
        if not isinstance(start, exp.From):
            text.refuse("query.no_table", tree)
        text.only(start, "this")
        self.named = [self._table(start.this, None)]
        for join in tree.args.get("joins") or []:
            self.named.append(self._table(self._joined_table(join), join))
        if len(self.named) > MOST_TABLES:
            text.refuse("query.too_many_tables", self.named[-1].node, limit=MOST_TABLES)
        aliases = [n.alias for n in self.named]
        for again in (n for i, n in enumerate(self.named) if n.alias in aliases[:i]):
            text.reject("query.duplicate_alias", again.node, name=again.alias)
        self.looked: list[Looked] = []
        self.order, self.sources = self._rooted()
        if not self.sources[0].table.unit:
            text.refuse("query.nobodys_rows", tree, table=self.sources[0].table.name)
        for named in self.named:
            if named.reference is not None:
                self.looked.append(self._look_up(named, named.reference))

    @property
    def kept(self) -> tuple[Term, ...]:
        """What holds of every row that has a partner in each public list joined to it."""
        return tuple(lookup.is_listed(of.code, of.reference) for of in self.looked if not of.named.left)

    def _table(self, node: exp.Expr, join: exp.Join | None) -> Named:
        derived = self.find(node)
        if derived is not None:
            found, made = derived
            self.text.only(node, "this", "alias")
            alias = node.args.get("alias")
            if alias is not None:
                self.text.only(alias, "this")
            return Named(folded(alias.name if alias is not None else found.name or SUBQUERY), found, node, join, made)
        if type(node) is not exp.Table or not isinstance(node.this, exp.Identifier):
            self.text.refuse("query.only_tables", node)
        self.text.only(node, "this", "alias")
        name = folded(node.this.name)
        table = next((t for t in self.dataset.tables if folded(t.name) == name), None)
        reference = next((r for r in self.dataset.references if folded(r.name) == name), None)
        if reference is not None:
            table = lookup.table_of(reference)
            if join is None:
                self.text.refuse("query.nobodys_rows", node, table=reference.name)
        if table is None:
            known = ", ".join([*(t.name for t in self.dataset.tables), *(r.name for r in self.dataset.references)])
            self.text.reject("query.unknown_table", node, name=node.this.name, known=known)
        alias = node.args.get("alias")
        if alias is not None:
            self.text.only(alias, "this")
        called = folded(alias.name if alias is not None else table.name)
        return Named(called, table, node, join, reference=reference)

    def _joined_table(self, join: exp.Join) -> exp.Expr:
        self.text.only(join, "this", "on", "using", "side", "kind")
        if (
            join.side not in ("", "LEFT")
            or join.kind not in ("", "INNER", "OUTER")
            or (join.kind == "OUTER") > (join.side == "LEFT")
        ):
            self.text.refuse("query.join_kind", join, found=f"{join.side} {join.kind} JOIN".strip())
        this: exp.Expr = join.this
        return this

    def _sides(self, named: Named) -> list[tuple[str | None, str]]:
        """The two (qualifier, column) of a join condition; refused unless it is one equality or USING one column."""
        join = named.join
        assert join is not None
        using, on = join.args.get("using") or [], join.args.get("on")
        if len(using) == 1 and on is None and isinstance(using[0], exp.Identifier):
            return [(None, folded(using[0].name))] * 2
        while type(on) is exp.Paren:
            on = on.this
        if not using and type(on) is exp.EQ and type(on.this) is exp.Column and type(on.expression) is exp.Column:
            for column in (on.this, on.expression):
                self.text.only(column, "this", "table")
            return [(folded(c.table) or None, folded(c.name)) for c in (on.this, on.expression)]
        return self.text.refuse("query.join_condition", join, declared=self.declared())

    def _steps(self, at: int) -> list[Step]:
        """Every way to walk the `at`-th join that the dictionary declares."""
        new, (one, other) = self.named[at], self._sides(self.named[at])
        found = []
        for old in (n for n in self.named[:at] if n.reference is None):
            for near, far in ((old, new), (new, old)):
                for join in joins_of(near, far):
                    ends = ((near.alias, folded(join.column)), (far.alias, folded(join.to)))
                    fits = any(means(a, ends[0]) and means(b, ends[1]) for a, b in ((one, other), (other, one)))
                    if fits:
                        found.append(Step(near, far, join))
                if near.table.unit and far.table.unit and not any(s.near is near and s.far is far for s in found):
                    units = (near.alias, folded(near.table.unit)), (far.alias, folded(far.table.unit))
                    if any(means(a, units[0]) and means(b, units[1]) for a, b in ((one, other), (other, one))):
                        by_person = Join(near.table.unit, far.table.name, far.table.unit)
                        found.append(Step(near, far, by_person, many=not far.table.one_row_per_person))
        if not found:
            self.text.refuse("query.join_not_declared", new.node, table=new.table.name, declared=self.declared())
        return found

    def declared(self) -> str:
        lines = [f"{t.name}.{j.column} = {j.table}.{j.to}" for t in self.dataset.tables for j in t.joins]
        return "; ".join(lines) or "-"

    def _rooted(self) -> tuple[list[Named], tuple[Source, ...]]:
        tables = [n for n in self.named if n.reference is None]
        joins = [self._steps(i) for i in range(1, len(self.named)) if self.named[i].reference is None]
        fixed = any(n.left for n in tables)
        single = [[s for s in ways if not s.many] for ways in joins]
        for root, ways in [(r, w) for w in (single, joins) for r in (tables[:1] if fixed else tables)]:
            walked = walk(root, ways, in_order=fixed)
            if walked is not None:
                self._check_fan_out(walked)
                order = [root, *(s.far for s in walked)]
                sources = [Source(root.table, made=root.made)]
                for step in walked:
                    near, join = order.index(step.near), step.declared
                    sources.append(
                        Source(step.far.table, near, join.column, join.to, step.far.left, step.far.made, step.many)
                    )
                return order, tuple(sources)
        return self.text.refuse("query.join_fans_out", self.named[-1].node, declared=self.declared())

    def _check_fan_out(self, walked: list[Step]) -> None:
        """Where rows meet many, every join is on the person: each side is told apart before it is joined."""
        for step in walked:
            if any(s.many for s in walked) and (step.declared.column, step.declared.to) != (
                step.near.table.unit,
                step.far.table.unit,
            ):
                self.text.refuse("query.join_fans_out", step.far.node, declared=self.declared())

    def is_unit(self, node: exp.Column) -> bool:
        """Does this name mean the person key of a table of the question?"""
        self.text.only(node, "this", "table")
        mine = [n for n in self.order if not node.table or n.alias == folded(node.table)]
        return any(folded(n.table.unit) == folded(node.name) for n in mine)

    def check_counts_the_root(self, node: exp.Column) -> None:
        """A person key of a LEFT-joined side may be absent: only the root's, or an inner side's, counts persons."""
        for named in self.order:
            if node.table and named.alias == folded(node.table) and named.left:
                self.text.refuse("query.unit_of_left_side", node, table=named.alias)

    def column(self, node: exp.Column) -> Term:
        self.text.only(node, "this", "table")
        if self.is_unit(node):
            self.text.refuse("query.unit_key", node, name=node.name)
        return self._column(folded(node.table), folded(node.name), node)

    def _column(self, qualifier: str, name: str, node: exp.Expr) -> Term:
        """The one column so called, of tables or of public lists joined so far."""
        named = [*self.order, *(of.named for of in self.looked)]
        if qualifier and qualifier not in [n.alias for n in named]:
            self.text.reject("query.unknown_table", node, name=qualifier, known=", ".join(n.alias for n in named))
        hits = [
            (i, c)
            for i, n in enumerate(named)
            if n.alias == qualifier or not (qualifier or self._is_shared(i, name))
            for c in n.called.get(name, ())
        ]
        if not hits:
            tables = [n for n in named if not qualifier or n.alias == qualifier]
            known = ", ".join(c.name for n in tables for c in n.table.columns if c.name != n.table.unit)
            self.text.reject("query.unknown_column", node, name=name, known=known)
        if len(hits) > 1:
            known = ", ".join(f"{named[i].alias}.{c.name}" for i, c in hits)
            self.text.reject("query.ambiguous_column", node, name=name, known=known)
        at, column = hits[0]
        if column.kind is Kind.PROSE:
            self.text.refuse("query.prose", node, name=column.name)
        if at < len(self.order):
            return terms.column(at, column, may_be_absent=self.may_be_absent(at))
        of = self.looked[at - len(self.order)]
        return lookup.told(of.code, of.reference, column.name, kept=not of.named.left)

    def _is_shared(self, at: int, name: str) -> bool:
        """The key of a public list that goes by the name of the column it is joined on."""
        of = self.looked[at - len(self.order)] if at >= len(self.order) else None
        return of is not None and of.key_is_shared and folded(of.reference.key) == name

    def _look_up(self, named: Named, reference: Reference) -> Looked:
        """Which column of the tables and lists before it gives the codes."""
        key = (named.alias, folded(reference.key))
        sides = [(qualifier or "", name) for qualifier, name in self._sides(named)]
        near = next(
            (b for a, b in (sides, sides[::-1]) if a[1] == key[1] and a[0] in ("", key[0]) and b[0] != key[0]), None
        )
        if near is None:
            self.text.refuse("query.look_up", named.node, table=reference.name, column=reference.key)
        assert named.join is not None
        code = self._column(*near, named.join)
        with self.text.standing_at(named.node):
            lookup.is_listed(code, reference)
        return Looked(named, reference, code, near[1])

    def may_be_absent(self, at: int) -> bool:
        source = self.sources[at]
        return at > 0 and (source.keep_unmatched or self.may_be_absent(source.near))

    def has_column(self, node: exp.Column) -> bool:
        name = folded(node.name)
        named = [*self.order, *(of.named for of in self.looked)]
        return bool(node.table) or any(name in n.called for n in named)


def all_of(conditions: tuple[Term, ...]) -> Term | None:
    """That each of them holds; None of none."""
    return terms.joined(Op.AND, conditions) if conditions else None
