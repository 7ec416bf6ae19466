"""How much may one person move each number?

Every aggregate becomes one or two tallies: integer vectors over the public keys, in units of 1/65536. A tally names the
stored norm its rows are weighed by, the clip C of that norm, and so its l2 sensitivity, which is exact. A stored norm is
used only when all four rules of design §4 hold:

    1  every row of the plan is one row of the root, used once (`names` builds no other plan), and the norm is the
       root's own: a column or key of a joined table never brings a norm of that table, nor does a column made within a
       person bring that of the column it was made of
    2  a facet norm only when the keys contain the facet column itself, unwrapped, or a root column declared finer than
       it; no key, another facet, a function of a facet, a key of the person alone: `unit_rows`
    3  Σ|x| only for the bare root column x, or f with |f(x)| ≤ |x| row by row, NULL default included; any other
       expression takes (bound of |f|) × a count norm, and is clamped to that bound row by row
    4  distinct persons by flag only when the flag's facet is the one key that is no function of the person, and nothing
       is filtered (declared joins meet one row of the person and leave none out); otherwise DISTINCT first, under the norm
       of distinct cells of exactly that key, or any count norm (which is larger)
    5  distinct values by an l1 norm of them (`values_norm`): each value adds the largest weight among its persons, so a
       person moves the sum over all groups by no more than their values times their weight
    6  an unlisted key by the values that are marked for the person, at most K of the policy: distinct persons by it make
       at most K cells of one each, √K long, whatever is filtered or joined; times the groups of other keys beside it

In pure ε every norm is an l1 norm: no facet's, and distinct persons by several cells under `unit_rows`, since nobody falls
into more cells than they have rows; where the question finds the norm itself, all of a person's cells together (`exact`).
C is then the l1 sensitivity.

Where each person has one row, or falls into one cell, the vector is at most one long and no norm is needed. Widths are
proved here too: weight × value fits int64 for every row, so no row can make a question fail.
"""

from __future__ import annotations

import math
from dataclasses import replace

from enclave.catalogue.dataset import WEIGHT_ONE, Column, Facet, Keys
from enclave.errors import Refused
from enclave.query import moments, quantiles
from enclave.query.plan import Aggregate, Key, Measure, Op, Plan, Source, Term
from enclave.query.sources import several_of
from enclave.query.sscp import matrix_of
from enclave.query.tally import EXACT, EXACT_TOTAL, ONE_PER_PERSON, Norm, Style, Tally, centre_of
from enclave.query.width import INT64

WIDEST_CLIP = 2**38
WIDEST_OF_THREE = 2**39
"""What one row of a join of three or more many-row sides may add: their rows multiply (`exact`)."""


def tallies(plan: Plan) -> tuple[Tally, ...]:
    """The tallies of all aggregates in order; a mean has two, its centred sum and its count, under one norm."""
    made: list[Tally] = []
    for at, aggregate in enumerate(plan.aggregates):
        match aggregate.measure:
            case Measure.ROWS:
                made.append(Tally(at, Style.ROWS, count_norm(plan), aggregate.term))
            case Measure.PERSONS:
                style, norm = person_norm(plan, filtered=aggregate.term is not None)
                made.append(Tally(at, style, norm, known=aggregate.terms, votes=votes_of(plan)))
            case Measure.KEYS:
                made.append(Tally(at, Style.KEYS, ONE_PER_PERSON, votes=_keys(plan).per_person))
            case Measure.SUM:
                made.append(_sum(plan, at, _term(aggregate)))
            case Measure.MEAN:
                made += _mean(plan, at, _term(aggregate))
            case Measure.VALUES:
                made.append(Tally(at, Style.VALUES, values_norm(plan, _counted(aggregate)), aggregate.term))
            case Measure.QUANTILE:
                made += quantiles.tallies_of(plan, at, count_norm(plan))
            case Measure.SSCP:
                made.append(products(plan, at))
            case _ if aggregate.measure in moments.MOMENTS:
                made += moments.tallies_of(at, aggregate, count_norm(plan), plan.cells, pure=plan.pure)
    if plan.exact:
        made = [replace(t, style=Style.EXACT) if t.style is Style.ROWS else t for t in made]
    for tally in made:
        check_width(tally, plan)
    return tuple(made)


def products(plan: Plan, at: int) -> Tally:
    """All entries of a matrix under one norm: a row's vector has a public length, and rows of a person add up to C of it."""
    matrix = matrix_of(plan.aggregates[at])
    if matrix is None:
        raise ValueError("no matrix of products")
    length = matrix.length_together if plan.pure else matrix.length
    return Tally(at, Style.ROWS, count_norm(plan), factor=length, matrix=matrix)


def _keys(plan: Plan) -> Keys:
    if plan.unlisted is None or plan.unlisted.unlisted is None:
        raise ValueError("values are found of an unlisted key")
    return plan.unlisted.unlisted


def _term(aggregate: Aggregate) -> Term:
    if aggregate.term is None or not aggregate.term.type.bounded:
        raise ValueError("a sum has a bounded term")
    return aggregate.term


def check_width(tally: Tally, plan: Plan) -> None:
    """65536 · max|value| and C · 65536 · 256 fit int64, and so does what the kernel measures in it: an l1 sensitivity, and
    twice how far one person moves a score. What rows of many-row sides come to together fits HUGEINT."""
    widest = 1 if tally.counts or tally.term is None else max(tally.term.type.reach, tally.factor)
    if WEIGHT_ONE * widest > INT64:
        raise Refused("query.too_wide", limit="2^47")
    if tally.product is not None and tally.term is not None:
        widest = tally.term.type.reach * tally.product.other.type.reach
    if len(several_of(plan.sources)) > 2 and widest > WIDEST_OF_THREE:
        raise Refused("query.too_wide", limit="2^39")
    if tally.norm.numerator > INT64:
        raise Refused("query.too_wide_for_clip", column=tally.norm.column)
    if (plan.pure or tally.side is not None) and tally.sensitivity * (1 if tally.side is None else 2) > INT64:
        raise Refused("query.too_wide", limit="2^63")


def _sum(plan: Plan, at: int, term: Term) -> Tally:
    """3: the column's own Σ|x| where it bounds the term, else the term's bound times a count norm."""
    reach, counted = term.type.reach, count_norm(plan)
    column = dominating_column(term)
    if plan.exact:
        clip = max(reach, 1) * plan.row_clip
        if column is not None and column.total_clip is not None:
            clip = min(clip, column.total_clip * plan.row_clip // plan.root.row_clip)
        if clip <= WIDEST_CLIP:
            return Tally(at, Style.EXACT, Norm(EXACT_TOTAL, clip, at=at, together=plan.pure), term, counts=False)
    if column is not None and column.total_clip is not None and plan.sources[0].made is None:
        unclipped = counted.column is None and reach <= column.total_clip
        if not unclipped:
            return Tally(at, Style.ROWS, Norm(column.total_norm, column.total_clip), term, counts=False)
    lower, upper = min(term.type.lower or 0, 0), max(term.type.upper or 0, 0)
    return Tally(at, Style.ROWS, counted, term, counts=False, clamp=(lower, upper), factor=max(reach, 1))


def _mean(plan: Plan, at: int, term: Term) -> tuple[Tally, Tally]:
    """Σw(x − mid) and Σw with one set of weights: sensitivity h·C and C."""
    lower, upper, centre = term.type.lower or 0, term.type.upper or 0, centre_of(term)
    half = max(upper - centre, centre - lower, 1)
    norm = count_norm(plan)
    centred = Tally(at, Style.ROWS, norm, term, counts=False, centre=centre, clamp=(lower, upper), factor=half)
    return centred, Tally(at, Style.ROWS, norm, term)


def dominating_column(term: Term) -> Column | None:
    """The root column x with |f(x)| ≤ |x| for every row, NULL counting 0; None when that is not evident."""
    if term.op is Op.COLUMN and term.ref is not None:
        return term.ref.column if term.ref.source == 0 else None
    if term.op in (Op.NEGATE, Op.ABSOLUTE):
        return dominating_column(term.args[0])
    if term.op in (Op.CASE, Op.COALESCE):
        outcomes = term.args if term.op is Op.COALESCE else (*term.args[1:-1:2], term.args[-1])
        left = [o for o in outcomes if o.op is not Op.NULL and not (o.op is Op.LITERAL and o.value == 0)]
        columns = {dominating_column(o) for o in left}
        return columns.pop() if len(columns) == 1 else None
    return None


def count_norm(plan: Plan) -> Norm:
    """2: the tightest norm under which rows by these keys may be counted."""
    if plan.exact:
        return Norm(EXACT, plan.row_clip, together=plan.pure)
    if plan.root.one_row_per_person:
        return ONE_PER_PERSON
    facets = sorted(facets_of(plan), key=lambda f: (f.clip, f.column))
    if facets and not plan.pure:
        return Norm(facets[0].norm, facets[0].clip)
    return Norm("unit_rows", plan.root.row_clip)


def facets_of(plan: Plan) -> tuple[Facet, ...]:
    """2: facets of the root whose column, or one declared finer, stands among the keys as it is."""
    columns = [_bare_root_column(key) for key in plan.keys]
    return tuple(
        f
        for f in plan.root.facets
        if any(c is not None and (c.name == f.column or f.column in c.finer_than) for c in columns)
    )


def _bare_root_column(key: Key) -> Column | None:
    term = key.term
    return term.ref.column if term.op is Op.COLUMN and term.ref is not None and term.ref.source == 0 else None


def person_norm(plan: Plan, *, filtered: bool = False) -> tuple[Style, Norm]:
    """4: how distinct persons by these keys are counted; `filtered` where only rows with a value count."""
    others = [k for k in plan.keys if not is_of_person(plan.sources, k.term)]
    if votes_of(plan):
        return Style.DISTINCT, ONE_PER_PERSON
    if not others:
        return (Style.DISTINCT, ONE_PER_PERSON) if filtered else _each_once(plan)
    if plan.exact:
        most = min(math.prod(len(k.domain) for k in others), plan.row_clip)  # an exact plan has no unlisted key
        clip = most if plan.pure else 1 + math.isqrt(most - 1)
        return Style.EXACT_DISTINCT, Norm(EXACT, clip, together=plan.pure)
    column = _bare_root_column(others[0])
    facet = plan.root.facet(column.name) if column is not None and len(others) == 1 else None
    if facet is None or plan.sources[0].made or plan.pure:
        return Style.DISTINCT, count_norm(plan)
    if plan.where is None and not filtered and plan.unlisted is None:
        return Style.FLAGGED, Norm(facet.distinct_norm, facet.distinct_clip, flag=facet.first)
    return Style.DISTINCT, Norm(facet.distinct_norm, facet.distinct_clip)


def votes_of(plan: Plan) -> int:
    """6: in how many cells a person is counted by the values that are marked for them; 0 where a norm of their rows bounds
    them closer, or there is no unlisted key."""
    if plan.unlisted is None or is_of_person(plan.sources, plan.unlisted.term):
        return 0
    others = [k for k in plan.keys if not k.unlisted and not is_of_person(plan.sources, k.term)]
    cells = _keys(plan).per_person * math.prod(len(k.domain) for k in others)
    return cells if cells <= count_norm(plan).reach ** 2 else 0


def _each_once(plan: Plan) -> tuple[Style, Norm]:
    """4: where a person falls into one cell, any one row of theirs will do: the only one, or the one that is marked."""
    if plan.root.one_row_per_person and not any(s.many for s in plan.sources):
        return Style.ROWS, ONE_PER_PERSON
    if plan.where is None and plan.unlisted is None and not plan.exact and not plan.sources[0].made:
        return Style.FLAGGED, Norm(None, 1, flag="first_unit")
    return Style.DISTINCT, ONE_PER_PERSON


def values_norm(plan: Plan, term: Term) -> Norm:
    """5: an l1 norm of the person's distinct values. Of a facet's own column the square of the root that is stored, where
    the person falls into one group; else the person's rows, since no row brings more than one value."""
    if plan.exact:
        raise Refused("query.distinct_values_here")
    if plan.root.one_row_per_person:
        return ONE_PER_PERSON
    column = term.ref.column if term.op is Op.COLUMN and term.ref is not None and term.ref.source == 0 else None
    facet = plan.root.facet(column.name) if column is not None else None
    if (
        facet is not None
        and not plan.sources[0].made
        and all(is_of_person(plan.sources, key.term) for key in plan.keys)
    ):
        return Norm(facet.distinct_norm, facet.distinct_clip, squared=True)
    return Norm("unit_rows", plan.root.row_clip)


def _counted(aggregate: Aggregate) -> Term:
    if aggregate.term is None:
        raise ValueError("distinct values are those of a term")
    return aggregate.term


def is_of_person(sources: tuple[Source, ...], term: Term) -> bool:
    """True when the term is a function of the person alone, so that all rows of a person agree on it."""
    return all(_source_is_of_person(sources, part.ref.source) for part in term.walk() if part.ref)


def _source_is_of_person(sources: tuple[Source, ...], at: int) -> bool:
    """One row per person, reached by the person key itself over sides that cannot differ between rows of a person."""
    source = sources[at]
    if at == 0 or not source.table.one_row_per_person:
        return source.table.one_row_per_person
    near = sources[source.near]
    by_person = source.column == near.table.unit and source.to == source.table.unit
    steady = source.near == 0 or not near.keep_unmatched or _source_is_of_person(sources, source.near)
    return by_person and steady
