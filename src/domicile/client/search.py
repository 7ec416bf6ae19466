"""Which datasets and variables does a word fit?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from domicile.wire.shapes import DatasetCard, TableCard, VariableCard


@dataclass(frozen=True)
class Hit:
    """A variable that fits, and where it stands."""

    dataset: DatasetCard
    table: TableCard
    variable: VariableCard


def search(cards: Iterable[DatasetCard], words: str) -> list[Hit]:
    """Variables for which every word stands, in either language and any case, in a name, a title or a code of the variable,
    its table or its dataset; those whose own name or title has all the words first."""
    wanted = words.casefold().split()
    hits = [
        Hit(card, table, variable)
        for card in cards
        for table in card.tables
        for variable in table.variables
        if all(word in _all_words(card, table, variable) for word in wanted)
    ]
    return sorted(hits, key=lambda hit: not all(word in _own_words(hit.variable) for word in wanted))


def _own_words(variable: VariableCard) -> str:
    return "\n".join((variable.name, variable.title, variable.title_zh)).casefold()


def _all_words(card: DatasetCard, table: TableCard, variable: VariableCard) -> str:
    above = (card.name, card.title, card.title_zh, card.domain, table.name, table.title, table.title_zh)
    return "\n".join((*above, _own_words(variable), *(variable.codes or ()))).casefold()
