"""How much longer does it take to compute within one person?

Worst nanoseconds for one public row, measured on a warm extract at full load, added up over the levels of a question.
"""

from __future__ import annotations

from enclave.query.plan import PerPerson, Source, Verb

PERSON_NS = 350.0
"""Rows grouped by the person."""

DISTINCT_NS = 700.0
ROW_NS = 20.0
PART_NS = 15.0
JOINED_NS = 200.0


def branches(source: Source) -> int:
    """How many tables of the public size class a source reads one after another."""
    if source.made is None:
        return 1
    if isinstance(source.made, PerPerson):
        return branches(source.made.sources[0])
    return sum(branches(b.sources[0]) for b in source.made.branches)


def within_ns(sources: tuple[Source, ...]) -> float:
    """What is made within one person for these sources, for each row of the public size class."""
    total = 0.0
    for source in sources:
        if source.made is None:
            continue
        if isinstance(source.made, PerPerson):
            levels = [source.made.sources]
            row = PERSON_NS + DISTINCT_NS * sum(p.verb is Verb.DISTINCT for p in source.made.parts)
        else:
            levels = [b.sources for b in source.made.branches]
            row = ROW_NS
        row += PART_NS * source.made.size
        for inner in levels:
            total += row * branches(inner[0]) + JOINED_NS * (len(inner) - 1) + within_ns(inner)
    return total
