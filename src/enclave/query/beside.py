"""Which joins are made already?

A declared join meets exactly one row, of the same person, and what the descriptor lets it carry rests beside every row of
the near table (checked of every finished extract). A column that is carried is read there, and a side of which nothing
else is read is not joined: the rows are the same, and so are all values. What a question reads, for its grant and its
bounds, does not change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from enclave.catalogue.dataset import Join, Kind
from enclave.query.plan import Branch, Part, PerPerson, Plan, Source, Term, Within

Through = Callable[[Term], Term]


def at_rest(plan: Plan) -> Plan:
    """The same question, reading what is carried where it is carried, in all its levels."""
    if len(plan.sources) == 1 and plan.sources[0].made is None:
        return plan  # joins nothing
    sources, through = _settled(plan.sources, _terms_of(plan))
    return replace(
        plan,
        sources=sources,
        where=through(plan.where) if plan.where else None,
        keys=tuple(replace(k, term=through(k.term)) for k in plan.keys),
        aggregates=tuple(
            replace(
                a,
                term=through(a.term) if a.term else None,
                other=through(a.other) if a.other else None,
                columns=tuple(through(c) for c in a.columns),
            )
            for a in plan.aggregates
        ),
    )


def _terms_of(plan: Plan) -> list[Term]:
    terms = [k.term for k in plan.keys] + [t for a in plan.aggregates for t in a.terms]
    return [*terms, *([plan.where] if plan.where else [])]


def _settled(sources: tuple[Source, ...], terms: list[Term]) -> tuple[tuple[Source, ...], Through]:
    """The sources, those that need no join marked idle, and how a term reads. Where rows are told apart before they meet
    many, nothing rests beside them."""
    if any(s.many for s in sources):
        made = tuple(replace(s, made=_made_at_rest(s.made)) if s.made else s for s in sources)
        return made, lambda term: term
    joins = {at: join for at in range(1, len(sources)) if (join := _declared(sources, at)) is not None}

    def through(term: Term) -> Term:
        if term.ref is not None:
            join = joins.get(term.ref.source)
            name = join.carried(term.ref.column.name) if join and term.ref.column.kind is not Kind.KEY else None
            return replace(term, ref=replace(term.ref, beside=name)) if name else term
        return replace(term, args=tuple(through(a) for a in term.args)) if term.args else term

    needed = {t.ref.source for term in terms for t in through(term).walk() if t.ref and not t.ref.beside}
    settled = list[Source]()
    for at, source in reversed(list(enumerate(sources))):
        if at not in joins or at in needed:
            needed.add(source.near)
        within = _made_at_rest(source.made) if source.made else None
        settled.insert(0, replace(source, made=within, idle=at in joins and at not in needed))
    return tuple(settled), through


def _declared(sources: tuple[Source, ...], at: int) -> Join | None:
    """The root's own join by which a source is reached, straight or on the person's key over others."""
    source, root = sources[at], sources[0].table
    if source.made or source.many or sources[0].made:
        return None
    near = sources[source.near].table
    column = source.column
    if source.near and (source.column, source.to) == (near.unit, source.table.unit):
        column = root.unit  # the rows between agree on the person
    elif source.near:
        return None
    return next((j for j in root.joins if (j.column, j.table, j.to) == (column, source.table.name, source.to)), None)


def _made_at_rest(within: Within) -> Within:
    if isinstance(within, PerPerson):
        read = [*within.keys, *(t for p in within.parts for t in (p.term, p.only) if t)]
        sources, through = _settled(within.sources, [*read, *([within.where] if within.where else [])])
        return replace(
            within,
            sources=sources,
            where=through(within.where) if within.where else None,
            keys=tuple(through(k) for k in within.keys),
            parts=tuple(_part(p, through) for p in within.parts),
        )
    return replace(within, branches=tuple(_branch(b) for b in within.branches))


def _part(part: Part, through: Through) -> Part:
    term, only = (through(t) if t else None for t in (part.term, part.only))
    return replace(part, term=term, only=only)


def _branch(branch: Branch) -> Branch:
    sources, through = _settled(branch.sources, [*branch.columns, *([branch.where] if branch.where else [])])
    where = through(branch.where) if branch.where else None
    return replace(branch, sources=sources, where=where, columns=tuple(through(c) for c in branch.columns))
