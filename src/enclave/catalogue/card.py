"""What may anybody with an account know of a dataset?

The dictionary, in the shape `describe` hands out: from the signed descriptor, nothing read from data.
"""

from __future__ import annotations

from typing import Any

from domicile.rules import thresholds as rules_in_force
from domicile.wire.shapes import DatasetCard, TableCard, VariableCard
from enclave.catalogue.dataset import Column, Dataset, Kind, Lookup, Reference, Table


def _variable(table: Table, column: Column) -> VariableCard:
    bounded = column.lower is not None and column.upper is not None and column.kind is not Kind.DATE
    return VariableCard(
        name=column.name,
        kind=column.kind.value,
        title=column.title,
        title_zh=column.title_zh,
        lower=column.lower / column.scale if bounded and column.lower is not None else None,
        upper=column.upper / column.scale if bounded and column.upper is not None else None,
        codes=column.codes or None,
        nullable=column.nullable,
        unit=column.measure,
        per_person=next((k.per_person for k in table.keys if k.column == column.name), None),
    )


def _table(table: Table) -> TableCard:
    return TableCard(
        name=table.name,
        title=table.title,
        title_zh=table.title_zh,
        variables=tuple(_variable(table, column) for column in table.columns),
        facets=tuple(facet.column for facet in table.facets),
        joins=tuple(f"{table.name}.{j.column} = {j.table}.{j.to}" for j in table.joins),
        registers=table.registers,
    )


def _told(column: Lookup) -> VariableCard:
    """What a public list tells of a code: words, or whole numbers."""
    numbers = [value for value, _ in column.values if isinstance(value, int)]
    return VariableCard(
        name=column.name,
        kind="integer" if numbers else "code",
        title=column.title,
        title_zh=column.title_zh,
        lower=min(numbers, default=None),
        upper=max(numbers, default=None),
        codes=None if numbers else tuple(str(value) for value, _ in column.values),
    )


def _reference(dataset: Dataset, reference: Reference) -> TableCard:
    """A public list, and the columns it may be joined to."""
    key = VariableCard(name=reference.key, kind="code", codes=reference.codes, nullable=False)
    explained = set(reference.codes)
    return TableCard(
        name=reference.name,
        title=reference.title,
        title_zh=reference.title_zh,
        variables=(key, *map(_told, reference.columns)),
        joins=tuple(
            f"{table.name}.{column.name} = {reference.name}.{reference.key}"
            for table in dataset.tables
            for column in table.columns
            if explained & set(column.codes)
        ),
        public=True,
    )


def card(dataset: Dataset, thresholds: dict[str, Any] | None = None) -> DatasetCard:
    """The card of a dataset; `thresholds` are a site's own figures for `domicile.rules`, else the rules' own."""
    return DatasetCard(
        name=dataset.name,
        version=dataset.version,
        title=dataset.title,
        title_zh=dataset.title_zh,
        grade=dataset.grade,
        domain=dataset.domain,
        openness=dataset.openness,
        legal_basis=dataset.legal_basis,
        unit=dataset.unit,
        person_register=dataset.register,
        delta=float(dataset.delta),
        demo=dataset.demo,
        digest=dataset.digest,
        policy_digest=dataset.policy_digest,
        tables=(
            *(_table(table) for table in dataset.tables),
            *(_reference(dataset, reference) for reference in dataset.references),
        ),
        thresholds=rules_in_force().as_dict() if thresholds is None else thresholds,
    )
