"""A card shows the dictionary in people's units, and nothing that was read from data."""

from __future__ import annotations

from tests.oracle import clinic

from domicile.rules import thresholds
from enclave.catalogue import card
from enclave.catalogue.dictionary import dataset_of

CARD = card(dataset_of(clinic.parsed(), version=1, digest="d" * 64, policy_digest="p" * 64))


def test_a_card_shows_bounds_in_the_columns_own_units() -> None:
    visits = next(t for t in CARD.tables if t.name == "visits")
    fee = next(v for v in visits.variables if v.name == "fee")
    assert (fee.lower, fee.upper) == (-10.0, 1000.0)
    assert visits.facets == ("dept", "dx_category")
    assert visits.joins == ("visits.patient_id = patients.patient_id",)


def test_a_public_list_says_what_it_may_be_joined_to() -> None:
    (shown,) = [t for t in CARD.tables if t.public]
    assert shown.name == "departments"
    assert shown.joins == ("visits.dept = departments.dept",)
    division, floor = shown.variables[1:]
    assert (division.codes, floor.lower, floor.upper) == (("medicine", "other"), 2.0, 3.0)


def test_a_card_hands_out_the_thresholds_of_the_rules() -> None:
    assert CARD.thresholds == thresholds().as_dict()


def test_a_card_names_no_norm_and_no_count() -> None:
    shown = CARD.model_dump_json()
    assert "norm_" not in shown and "unit_rows" not in shown and "first_" not in shown
