"""The catalogue in another catalogue's words: the dictionary, and nothing that was read from data."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from tests.oracle import clinic

from enclave.catalogue import Profile, card
from enclave.catalogue.dcat import catalog
from enclave.catalogue.dictionary import dataset_of, from_json, to_json
from enclave.catalogue.freshness import card_of

DATASET = dataset_of(clinic.parsed(), version=3, digest="d" * 64, policy_digest="p" * 64)
TREE = catalog([DATASET], "https://enclave.example/api/v1")


def test_a_dataset_names_version_titles_and_what_may_be_done_with_it() -> None:
    (shown,) = TREE["dcat:dataset"]
    assert shown["@id"] == "https://enclave.example/api/v1/datasets/clinic"
    assert (shown["dcat:version"], shown["dct:identifier"]) == ("3", "clinic")
    assert {title["@language"]: title["@value"] for title in shown["dct:title"]} == {"en": "Clinic", "zh": "诊所"}
    assert "level 2" in shown["schema:conditionsOfAccess"]
    (service,) = TREE["dcat:service"]
    assert service["dcat:servesDataset"] == [{"@id": shown["@id"]}]


def test_openness_and_its_legal_basis_are_told_and_kept_in_the_dictionary() -> None:
    def closed(tree: dict[str, Any]) -> None:
        tree["openness"] = {"class": "closed", "basis": "a decision of the bureau"}

    dataset = dataset_of(clinic.parsed(closed), version=1, digest="d" * 64, policy_digest="p" * 64)
    (shown,) = catalog([dataset], "https://enclave.example/api/v1")["dcat:dataset"]
    assert shown["dct:accessRights"]["@id"].endswith("NON_PUBLIC")
    assert shown["schema:usageInfo"] == "a decision of the bureau" == card(dataset).legal_basis
    assert from_json(to_json(dataset)) == dataset
    assert "openness" not in to_json(DATASET)  # what says nothing of it is spelt as it always was
    assert "RESTRICTED" in TREE["dcat:dataset"][0]["dct:accessRights"]["@id"]


def test_variables_have_their_bounds_and_code_lists() -> None:
    measured = {v["schema:propertyID"]: v for v in TREE["dcat:dataset"][0]["schema:variableMeasured"]}
    assert (measured["visits.fee"]["schema:minValue"], measured["visits.fee"]["schema:maxValue"]) == (-10.0, 1000.0)
    assert measured["visits.dept"]["schema:valueReference"] == ["CARD", "NEUR", "ENDO"]


def test_it_holds_no_norm_and_no_count_and_is_json() -> None:
    text = json.dumps(TREE)
    assert "norm_" not in text and "unit_rows" not in text
    assert json.loads(text)["@context"]["dcat"].startswith("http")


def test_freshness_and_that_there_are_summaries_are_told_in_terms_others_know() -> None:
    covers = {"from": date(2020, 1, 1), "to": date(2024, 12, 31), "renewed": "monthly"}
    stated = dataset_of(
        clinic.parsed(lambda tree: tree.update(covers=covers)), version=1, digest="d" * 64, policy_digest="p" * 64
    )
    here = datetime(2025, 3, 2, tzinfo=UTC)
    dataset = replace(stated, profile=Profile("0.2", 5, (), 1))
    fresh = {"clinic": card_of(stated, here, here, 1, here.date())}
    (shown,) = catalog([dataset], "https://enclave.example/api/v1", fresh)["dcat:dataset"]
    assert shown["dct:issued"].startswith("2025-03-02") and shown["dct:temporal"]["dcat:endDate"] == "2024-12-31"
    assert shown["dct:accrualPeriodicity"]["@id"].endswith("/frequency/MONTHLY")
    (summaries,) = shown["dcat:distribution"]
    assert (
        summaries["dcat:accessURL"]["@id"].endswith("/datasets/clinic/known") and "0.2" in summaries["dct:description"]
    )
    plain = TREE["dcat:dataset"][0]
    assert not {"dcat:distribution", "dct:temporal", "dct:issued"} & set(plain), "nothing bought, nothing stated"
