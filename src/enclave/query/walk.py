"""How do the tables of a question hang together?

Each join is a step from a near table to a far one; the root is the table from which all others are reached by steps that
are declared, or lead on the person's key.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sqlglot import exp

from enclave.catalogue.dataset import Column, Join, Reference, Table
from enclave.query.grammar import folded
from enclave.query.plan import Term, Within


@dataclass(frozen=True)
class Named:
    """A table as the text calls it."""

    alias: str
    table: Table
    node: exp.Expr
    join: exp.Join | None = None
    made: Within | None = None
    reference: Reference | None = None
    """A public list: read into the terms of the question, never joined."""

    @property
    def left(self) -> bool:
        return self.join is not None and self.join.side == "LEFT"

    @cached_property
    def called(self) -> dict[str, list[Column]]:
        """Its columns by the names they are looked up by."""
        found: dict[str, list[Column]] = {}
        for column in self.table.columns:
            found.setdefault(folded(column.name), []).append(column)
        return found


@dataclass(frozen=True)
class Looked:
    """A public list joined on a column of its codes."""

    named: Named
    reference: Reference
    code: Term
    called: str
    """The column that is looked up, by its name."""

    @property
    def key_is_shared(self) -> bool:
        """Both sides of the join have one name: it means the column, whichever side is meant."""
        return folded(self.reference.key) == self.called


@dataclass(frozen=True)
class Step:
    """A join walked from its near table to its far one."""

    near: Named
    far: Named
    declared: Join
    many: bool = False
    """On the person's key, to a side where a person may have many rows."""


def joins_of(near: Named, far: Named) -> list[Join]:
    """Declared between tables of the dictionary; what was made within one person is joined on the person, to one row."""
    if near.made is None and far.made is None:
        return [j for j in near.table.joins if j.table == far.table.name]
    if near.table.unit and far.table.one_row_per_person:
        return [Join(near.table.unit, far.table.name, far.table.unit)]
    return []


def means(side: tuple[str | None, str], end: tuple[str, str]) -> bool:
    return side[1] == end[1] and side[0] in (None, end[0])


def walk(root: Named, joins: list[list[Step]], *, in_order: bool) -> list[Step] | None:
    """The joins as steps away from `root`, or None when some join can only be walked towards the many."""
    reached, walked, left = [root], [], list(joins)
    while left:
        for ways in left:
            step = next((s for s in ways if s.near in reached and s.far not in reached), None)
            if step is not None:
                reached.append(step.far)
                walked.append(step)
                left.remove(ways)
                break
            if in_order:
                return None
        else:
            return None
    return walked
