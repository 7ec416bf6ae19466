"""Which stored norms bound rows that are grouped by the person and more?

Of a person's rows each group makes one. So the made rows are no more than the rows they are made of, in all, and in every
cell of a key that stands in the group: the norms of those rows bound them too. Grouped by one facet (and what is of the
person) they are the person's distinct cells, whose norm is stored as such and is the tightest there can be. A filter, or
HAVING, only takes rows away.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from enclave.catalogue.dataset import Facet
from enclave.query.bounds import is_of_person
from enclave.query.plan import Lent, Made, MadeFacet, Op, Source, Term

ROWS = "unit_rows"


@dataclass(frozen=True)
class Norms:
    """What is lent, the clip of all rows of a person, and the clip under each key that has a norm."""

    lent: tuple[Lent, ...]
    row_clip: int
    clips: dict[int, int]

    def facets(self, selected: Iterable[tuple[str, int | None]]) -> tuple[Facet, ...]:
        """Of the selected columns (name, which key it is) those that are keys with a norm."""
        return tuple(
            MadeFacet(name, self.clips[key], self.clips[key], at=key) for name, key in selected if key in self.clips
        )


def lent_norms(sources: tuple[Source, ...], keys: tuple[Term, ...]) -> Norms:
    """Of rows of these sources, grouped by the person and these keys."""
    root = sources[0].table
    if not sources[0].is_bounded or root.one_row_per_person:
        return Norms((), root.row_clip, {})
    others = [at for at, key in enumerate(keys) if not is_of_person(sources, key)]
    single = _of_root(keys[others[0]]) if len(others) == 1 else None
    facet = root.facet(single) if single and not sources[0].made else None
    if facet is not None:
        distinct, clip = facet.distinct_norm, facet.distinct_clip
        lent = (Lent(ROWS, distinct, squared=True), Lent(f"norm_{others[0]}", distinct))
        return Norms(lent, clip * clip, {others[0]: clip})
    found, clips = [Lent(ROWS, ROWS)], dict[int, int]()
    for at, key in enumerate(keys):
        column = key.ref.column if key.ref and key.ref.source == 0 and key.op is Op.COLUMN else None
        fitting = [f for f in root.facets if column and (column.name == f.column or f.column in column.finer_than)]
        if fitting:
            tightest = min(fitting, key=lambda f: (f.clip, f.column))
            found.append(Lent(f"norm_{at}", tightest.norm))
            clips[at] = tightest.clip
    return Norms(tuple(found), root.row_clip, clips)


def _of_root(key: Term) -> str | None:
    return key.ref.column.name if key.op is Op.COLUMN and key.ref and key.ref.source == 0 else None


def key_of(term: Term, keys: int) -> int | None:
    """Which key of the group a selected term is, unwrapped."""
    column = term.ref.column if term.op is Op.COLUMN and term.ref else None
    return column.at if isinstance(column, Made) and column.at < keys else None
