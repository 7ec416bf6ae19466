"""What dictionary does a signed descriptor give?

From the descriptor alone, and to JSON and back for the catalogue's row: nothing here is read from data.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from typing import Any

from enclave.catalogue.dataset import Column, Dataset, Facet, Join, Keys, Kind, Lookup, Reference, Table
from enclave.intake.columns import Stored, stored_columns
from enclave.intake.descriptor import Descriptor, Resource
from enclave.intake.package import ReferenceText


def _column(stored: Stored) -> Column:
    return Column(
        name=stored.name,
        kind=Kind(stored.kind),
        lower=stored.lower if stored.kind != "boolean" else None,
        upper=stored.upper if stored.kind != "boolean" else None,
        scale=stored.scale,
        codes=stored.codes,
        nullable=stored.nullable,
        title=stored.title.en,
        title_zh=stored.title.zh,
        measure=stored.measure,
        finer_than=stored.finer_than,
        total_clip=stored.total_clip,
    )


def _table(descriptor: Descriptor, resource: Resource) -> Table:
    return Table(
        name=resource.name,
        unit=resource.unit_column,
        columns=tuple(_column(stored) for stored in stored_columns(descriptor, resource)),
        row_clip=resource.row_clip,
        size_class=resource.size_class or 0,
        key=resource.key,
        facets=tuple(Facet(f.column, f.clip, f.distinct_clip) for f in resource.facets),
        keys=tuple(Keys(k.column, k.per_person, k.in_all) for k in resource.keys),
        joins=tuple(Join(j.column, j.table, j.to, j.carries) for j in resource.joins),
        registers=resource.registers,
        title=resource.title.en,
        title_zh=resource.title.zh,
    )


def _reference(descriptor: Descriptor, text: ReferenceText) -> Reference:
    columns = (
        Lookup(name, tuple(column.values.items()), column.title.en, column.title.zh)
        for name, column in text.columns.items()
    )
    codes = descriptor.code_lists[text.list].stored
    return Reference(text.name, text.key, codes, tuple(columns), text.title.en, text.title.zh)


def dataset_of(descriptor: Descriptor, *, version: int, digest: str, policy_digest: str) -> Dataset:
    """The dataset that an extract of this content (`digest`), built under this policy, is."""
    return Dataset(
        name=descriptor.name,
        version=version,
        register=descriptor.register_,
        grade=descriptor.grade,
        domain=descriptor.domain,
        delta=descriptor.delta,
        size_class=descriptor.size_class,
        tables=tuple(_table(descriptor, resource) for resource in descriptor.tables),
        digest=digest,
        policy_digest=policy_digest,
        demo=descriptor.demo,
        keys_delta=descriptor.keys_delta,
        unit=descriptor.unit.name,
        references=tuple(_reference(descriptor, text) for text in descriptor.references),
        title=descriptor.title.en,
        title_zh=descriptor.title.zh,
        openness=descriptor.openness.level if descriptor.openness else "",
        legal_basis=descriptor.openness.basis if descriptor.openness else "",
        covers_from=str(descriptor.covers.from_) if descriptor.covers else "",
        covers_to=str(descriptor.covers.to) if descriptor.covers else "",
        renewed=descriptor.covers.renewed if descriptor.covers else "",
    )


LATER = (
    "covers_from", "covers_to", "keys", "keys_delta", "legal_basis", "openness", "references", "registers", "renewed",
    "size_class",
)  # fmt: skip


def to_json(dataset: Dataset) -> str:
    """The dictionary as kept in the catalogue's row: what the descriptor gives. A profile has a row of its own. What came
    later (`LATER`) is not spelt where there is none: digests of what was shelved before then still hold."""
    tree = asdict(replace(dataset, profile=None))
    del tree["profile"]
    for part in (tree, *tree["tables"]):
        for name in LATER:
            if not part.get(name, True):
                del part[name]
    return json.dumps(tree, ensure_ascii=False, sort_keys=True)


def dictionary_digest(dataset: Dataset) -> str:
    """What a manifest signs of the dictionary: all that the descriptor gives."""
    return hashlib.sha256(to_json(dataset).encode()).hexdigest()


def _read_column(tree: dict[str, Any]) -> Column:
    lists = {"codes": tuple(tree["codes"]), "finer_than": tuple(tree["finer_than"])}
    return Column(**tree | lists | {"kind": Kind(tree["kind"])})


def _read_table(tree: dict[str, Any]) -> Table:
    columns = tuple(_read_column(column) for column in tree["columns"])
    facets = tuple(Facet(**facet) for facet in tree["facets"])
    keys = tuple(Keys(**one) for one in tree.get("keys", ()))
    joins = tuple(Join(**join | {"carries": tuple(join["carries"])}) for join in tree["joins"])
    lists = {"columns": columns, "facets": facets, "keys": keys, "joins": joins, "key": tuple(tree["key"])}
    lists["registers"] = tuple(tree.get("registers", ()))
    return Table(**tree | lists)


def _read_reference(tree: dict[str, Any]) -> Reference:
    columns = tuple(
        Lookup(**column | {"values": tuple((value, tuple(codes)) for value, codes in column["values"])})
        for column in tree["columns"]
    )
    return Reference(**tree | {"codes": tuple(tree["codes"]), "columns": columns})


def from_json(text: str) -> Dataset:
    """The dataset that `to_json` wrote."""
    tree = json.loads(text)
    references = tuple(_read_reference(one) for one in tree.get("references", ()))
    return Dataset(**tree | {"tables": tuple(_read_table(table) for table in tree["tables"]), "references": references})
