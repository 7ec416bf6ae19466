"""The dictionary is made of the signed descriptor alone, and comes back from the catalogue as it went in."""

from __future__ import annotations

from dataclasses import replace

from tests.oracle import clinic

from enclave.catalogue.dataset import Dataset, Kind
from enclave.catalogue.dictionary import dataset_of, from_json, to_json
from enclave.intake.columns import norm_names


def dataset() -> Dataset:
    return dataset_of(clinic.parsed(), version=3, digest="d" * 64, policy_digest="p" * 64)


def test_a_dictionary_comes_back_as_it_went_in() -> None:
    assert from_json(to_json(dataset())) == dataset()


def test_a_public_list_is_text_of_the_descriptor() -> None:
    (one,) = dataset().references
    assert (one.name, one.key, one.codes) == ("departments", "dept", ("CARD", "NEUR", "ENDO"))
    assert [(c.name, c.values) for c in one.columns] == [
        ("division", (("medicine", ("CARD", "ENDO")), ("other", ("NEUR",)))),
        ("floor", ((2, ("CARD",)), (3, ("NEUR", "ENDO")))),
    ]


def test_what_was_shelved_before_there_were_public_lists_reads_as_it_did() -> None:
    plain = replace(dataset(), references=())
    assert "references" not in to_json(plain)
    assert from_json(to_json(plain)) == plain


def test_the_names_of_norms_are_those_the_planner_reads() -> None:
    visits, written = dataset().table("visits"), clinic.parsed().table("visits")
    assert visits is not None and written is not None
    read = {"unit_rows", "first_unit"} | {n for f in visits.facets for n in (f.norm, f.distinct_norm, f.first)}
    read |= {c.total_norm for c in visits.columns if c.total_clip is not None}
    read |= {n for k in visits.keys for n in (k.among, k.vote)}
    assert read == set(norm_names(written))


def test_bounds_and_clips_are_stored_integers() -> None:
    visits = dataset().table("visits")
    assert visits is not None
    fee = visits.column("fee")
    assert fee is not None
    assert (fee.kind, fee.lower, fee.upper, fee.scale, fee.total_clip) == (Kind.DECIMAL, -1000, 100_000, 100, 200_000)


def test_the_person_table_has_one_row_per_person() -> None:
    patients = dataset().table("patients")
    assert patients is not None and patients.one_row_per_person
