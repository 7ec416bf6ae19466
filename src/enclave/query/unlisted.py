"""May a column be a key though nobody lists its values, and what is asked to find them?

Values are found by persons: the distinct persons of each value are counted, a person in at most K of them (`Keys`), and
values of enough noisy persons are told (`found`). All other aggregates are then drawn over what was told, as over public
keys. Where the question asks for just these persons, the counts that found the values are the answer: one draw, paid once.
"""

from __future__ import annotations

from dataclasses import replace

from enclave.catalogue.dataset import Keys
from enclave.query import terms
from enclave.query.plan import Aggregate, Key, Measure, Op, Sort, Source, Term
from enclave.query.reckon import Output

HIDDEN = "keys"
"""How the count that finds the values is called in a quote, where it is not shown."""

FEWEST_FOUND = 100
"""A question that leaves room for fewer values than this has too many listed groups."""


def keys_of(term: Term, sources: tuple[Source, ...]) -> Keys | None:
    """What the dictionary declares of a key whose values nobody lists; None for any other key.

    It is the column itself, as it is stored: only there a person's values are bounded and marked."""
    if term.type.sort is not Sort.KEY:
        return None
    if term.op is not Op.COLUMN or term.ref is None or sources[term.ref.source].made is not None:
        raise terms.Unfit("query.unlisted_here")
    keys = sources[term.ref.source].table.keys_of(term.ref.column.name)
    if keys is None:
        raise terms.Unfit("query.key_not_public", found=Sort.KEY)
    return keys


def sought(
    keys: tuple[Key, ...], aggregates: tuple[Aggregate, ...], outputs: tuple[Output, ...]
) -> tuple[tuple[Aggregate, ...], bool]:
    """The aggregates with the count that finds values, and whether it is only there for that."""
    if not any(k.unlisted for k in keys):
        return aggregates, False
    if len(keys) == 1:
        for at, aggregate in enumerate(aggregates):
            if aggregate.measure is Measure.PERSONS and aggregate.term is None:
                found = replace(aggregate, measure=Measure.KEYS)
                return (*aggregates[:at], found, *aggregates[at + 1 :]), False
    return (*aggregates, Aggregate(HIDDEN, Measure.KEYS)), True
