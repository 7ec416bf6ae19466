"""Lists of persons, and what a build makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.oracle import clinic

from enclave.errors import BadInput
from enclave.intake import descriptor
from enclave.intake.choices import BY_CHOICE, NOBODY, Choices, pseudonym_of
from enclave.intake.extract import Extract, build
from enclave.intake.planned import plan
from enclave.intake.raw import people_listed

P1 = pseudonym_of(clinic.KEY, "person", "P1")


def _built(folder: Path, choices: Choices, raw: clinic.Rows | None = None, text: bytes | None = None) -> Extract:
    source, draft = clinic.write_csv(folder / "source", raw or clinic.rows()), folder / "draft"
    draft.mkdir(parents=True)
    d = clinic.parsed() if text is None else descriptor.parse(text)
    return build(d, source, draft, pseudonym_key=clinic.KEY, file_key=clinic.FILE_KEY, choices=choices)


def test_the_pseudonym_of_a_list_is_that_of_the_extract(tmp_path: Path) -> None:
    made = _built(tmp_path, NOBODY)
    assert P1 in {row["patient_id"] for row in clinic.stored(made, "patients")}


def test_all_rows_of_who_refused_are_left_out_and_nobody_else_s(tmp_path: Path) -> None:
    plain, less = _built(tmp_path / "a", NOBODY), _built(tmp_path / "b", Choices(frozenset({P1})))
    for table in ("patients", "visits", "diagnoses"):
        others = [row for row in clinic.stored(plain, table) if row["patient_id"] != P1]
        assert clinic.stored(less, table) == others, table
    assert {table: found.get(BY_CHOICE) for table, found in less.dropped.items()} == {
        "patients": 1, "visits": 3, "diagnoses": 2,
    }  # fmt: skip
    assert all(BY_CHOICE not in found for found in plain.dropped.values())


def test_leaving_out_by_choice_is_no_fault_of_the_records(tmp_path: Path) -> None:
    """Otherwise many opt-outs would stop every intake at its threshold for rows left out."""
    text = clinic.text(lambda tree: tree.update(quality={"left_out": 0, "no_person": 0}))
    made = _built(tmp_path, Choices(frozenset({P1})), text=text)
    assert made.rows["patients"] == 2


def test_a_rehearsal_leaves_out_the_same(tmp_path: Path) -> None:
    source = clinic.write_csv(tmp_path / "source", clinic.rows())
    found = plan(clinic.parsed(), source, tmp_path, pseudonym_key=clinic.KEY, choices=Choices(frozenset({P1})))
    assert found.dropped["visits"][BY_CHOICE] == 3 and not found.refusals


def test_a_list_names_persons_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes("\ufeffP1\r\n\r\n  P2 \nP1\n".encode())
    assert people_listed(path, clinic.KEY, "person") == {P1, pseudonym_of(clinic.KEY, "person", "P2")}
    path.write_text(f"{P1}\n-5\n")
    assert people_listed(path, clinic.KEY, "person", keys=True) == {P1, -5}


@pytest.mark.parametrize(
    ("content", "keys", "code", "line"),
    [
        ("P1\n4.4052E+17\n", False, "choices.malformed_line", "line 2"),
        ("P1,P2\n", False, "choices.malformed_line", "line 1"),
        ("Ｐ１\n", False, "choices.malformed_line", "line 1"), ("\n\n", False, "choices.empty", ""),
        ("5\nP1\n", True, "choices.no_key", "line 2"), ("9223372036854775808\n", True, "choices.no_key", "line 1"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_meant_is_refused_by_its_number(
    tmp_path: Path, content: str, keys: bool, code: str, line: str
) -> None:
    path = tmp_path / "list.txt"
    path.write_text(content)
    with pytest.raises(BadInput) as refused:
        people_listed(path, clinic.KEY, "person", keys=keys)
    assert refused.value.code == code and line in (refused.value.place or "")
    assert "4.4052" not in str(refused.value) and "P2" not in str(refused.value)


def test_a_list_in_another_encoding_or_none_at_all_is_named(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes("患者一\n".encode("gbk"))
    for where, code in ((path, "choices.not_utf8"), (tmp_path / "nowhere", "choices.unreadable")):
        with pytest.raises(BadInput) as refused:
            people_listed(where, clinic.KEY, "person")
        assert refused.value.code == code
