"""How does another catalogue read ours?

W3C DCAT 3 as JSON-LD: one `dcat:Catalog`, a `dcat:Dataset` for each shelved version, its variables as
`schema:variableMeasured`. From the dictionary and the dates of the shelf; rows have no distribution: what there is
instead, the access by private questions, is a `dcat:DataService`. Where a private profile was bought, the summaries drawn
from it are a distribution of their own, and how often data are renewed is a term of the EU's frequency list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from domicile.wire.known import FreshnessCard
from enclave.catalogue.dataset import Column, Dataset, Table

CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "schema": "https://schema.org/",
}
_RIGHTS = "http://publications.europa.eu/resource/authority/access-right/"
RESTRICTED = _RIGHTS + "RESTRICTED"
CLOSED = _RIGHTS + "NON_PUBLIC"
_FREQUENCY = "http://publications.europa.eu/resource/authority/frequency/"
FREQUENCY = {
    "daily": "DAILY",
    "weekly": "WEEKLY",
    "monthly": "MONTHLY",
    "quarterly": "QUARTERLY",
    "yearly": "ANNUAL",
    "irregularly": "IRREG",
    "never": "NEVER",
}


def _said(english: str, chinese: str) -> list[dict[str, str]]:
    both = (("en", english), ("zh", chinese))
    return [{"@language": lang, "@value": words} for lang, words in both if words]


def _variables(table: Table) -> Iterator[dict[str, Any]]:
    for column in table.columns:
        yield {
            "@type": "schema:PropertyValue",
            "schema:propertyID": f"{table.name}.{column.name}",
            "schema:name": _said(column.title or column.name, column.title_zh),
            "schema:measurementTechnique": column.kind.value,
            **_bounds(column),
        }


def _bounds(column: Column) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if column.is_number and column.lower is not None and column.upper is not None:
        found = {
            "schema:minValue": column.lower / column.scale,
            "schema:maxValue": column.upper / column.scale,
        }
    if column.measure:
        found["schema:unitText"] = column.measure
    if column.codes:
        found["schema:valueReference"] = list(column.codes)
    return found


def _freshness(dataset: Dataset, fresh: FreshnessCard | None) -> Iterator[tuple[str, Any]]:
    if fresh is not None:
        yield "dct:issued", fresh.shelved_at.isoformat()
    if dataset.covers_to:
        period = {"dcat:startDate": dataset.covers_from, "dcat:endDate": dataset.covers_to}
        yield "dct:temporal", {"@type": "dct:PeriodOfTime", **period}
    if dataset.renewed:
        yield "dct:accrualPeriodicity", {"@id": _FREQUENCY + FREQUENCY[dataset.renewed]}


def _summaries(dataset: Dataset, base: str) -> Iterator[tuple[str, Any]]:
    """That there are summaries, and under which guarantee; the numbers themselves are behind the address."""
    if dataset.profile is not None:
        guarantee = f"differentially private, epsilon {dataset.profile.epsilon}, delta {dataset.delta}"
        yield (
            "dcat:distribution",
            [
                {
                    "@type": "dcat:Distribution",
                    "dct:title": _said("Private summaries of the variables", "各变量的隐私概况"),
                    "dct:description": f"{guarantee}, unit {dataset.unit}, of version {dataset.version}",
                    "dcat:accessURL": {"@id": f"{base}/datasets/{dataset.name}/known"},
                    "dcat:mediaType": "application/json",
                }
            ],
        )


def _dataset(dataset: Dataset, base: str, fresh: FreshnessCard | None) -> dict[str, Any]:
    return {
        "@id": f"{base}/datasets/{dataset.name}",
        "@type": "dcat:Dataset",
        "dct:identifier": dataset.name,
        "dct:title": _said(dataset.title or dataset.name, dataset.title_zh),
        "dcat:version": str(dataset.version),
        # unconditional too: anybody may ask for access, but rows are never handed out
        "dct:accessRights": {"@id": CLOSED if dataset.openness == "closed" else RESTRICTED},
        **({"schema:usageInfo": dataset.legal_basis} if dataset.legal_basis else {}),
        "dct:subject": dataset.domain,
        "schema:sha256": dataset.digest,
        "schema:conditionsOfAccess": f"GB/T 39725 level {dataset.grade}; private answers only, unit {dataset.unit}",
        "schema:variableMeasured": [v for table in dataset.tables for v in _variables(table)],
        **dict(_freshness(dataset, fresh)),
        **dict(_summaries(dataset, base)),
    }


def catalog(datasets: Iterable[Dataset], base: str, fresh: Mapping[str, FreshnessCard] | None = None) -> dict[str, Any]:
    """The catalogue as a JSON-LD tree; `base` is the address of the API, under which the ids stand."""
    found = [_dataset(dataset, base, (fresh or {}).get(dataset.name)) for dataset in datasets]
    service = {
        "@id": f"{base}/ask",
        "@type": "dcat:DataService",
        "dct:title": _said("Private questions", "隐私查询"),
        "dcat:endpointURL": {"@id": base},
        "dcat:servesDataset": [{"@id": dataset["@id"]} for dataset in found],
    }
    return {"@context": CONTEXT, "@id": base, "@type": "dcat:Catalog", "dcat:dataset": found, "dcat:service": [service]}
