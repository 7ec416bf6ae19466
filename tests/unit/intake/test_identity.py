"""One person across tables: who is the same, which of their rows counts, and what is told of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.oracle import clinic, front_page
from tests.oracle.front_page import MAN, STAY, WOMAN

from enclave.errors import BadInput
from enclave.intake import descriptor
from enclave.intake.choices import BY_CHOICE, Choices, pseudonym_of
from enclave.intake.extract import Extract, build
from enclave.intake.package import Descriptor
from enclave.intake.report import Report, Section

KEY = b"k" * 32
FILE_KEY = "5e" * 32
OLD_NUMBER = WOMAN["id_no"][:6] + WOMAN["id_no"][8:17]
MERGE = {"key": ["id_no"], "duplicates": "merge"}


def _parsed(identity: dict[str, Any]) -> Descriptor:
    tree = yaml.safe_load(front_page.TEXT)
    tree["resources"][0]["identity"] = identity
    return descriptor.parse(yaml.safe_dump(tree, allow_unicode=True).encode())


def _built(
    folder: Path, people: list[dict[str, str]], stays: list[dict[str, str]], **identity: Any
) -> tuple[Extract, Report]:
    folder.mkdir(parents=True, exist_ok=True)
    source, draft = front_page.write(folder / "source", people, stays), folder / "draft"
    draft.mkdir()
    made = build(_parsed(identity), source, draft, pseudonym_key=KEY, file_key=FILE_KEY)
    return made, made.report


def _identity(report: Report) -> Section:
    section = report.section("identity")
    assert section is not None
    return section


def _failed(report: Report) -> dict[str, int]:
    found = {f"{c.table}.{c.column or c.code}": c.failed for c in _identity(report).checks}
    return {name: n for name, n in found.items() if n}


def test_one_resident_number_in_both_its_forms_is_one_person(tmp_path: Path) -> None:
    twice = {**WOMAN, "patient_id": "W2", "id_no": OLD_NUMBER}
    stays = [STAY, STAY | {"patient_id": "W2"}, STAY | {"patient_id": "M", "age": "144"}]
    made, report = _built(tmp_path, [WOMAN, twice, MAN], stays, **MERGE)
    assert (made.rows, made.dropped["people"]["another row of the same person"]) == ({"people": 2, "stays": 3}, 1)
    assert _failed(report) == {"people.identity_several": 1, "people.identity_aliases": 1}
    with clinic.opened(made.path, FILE_KEY) as con:
        found = con.execute("SELECT count(*) FROM extract.main.stays GROUP BY patient_id ORDER BY 1").fetchall()
    assert found == [(1,), (2,)], "the control: without the rule they are three persons"
    apart, _ = _built(tmp_path / "apart", [WOMAN, twice, MAN], stays)
    assert apart.rows == {"people": 3, "stays": 3}


def test_a_number_that_is_not_valid_names_nobody(tmp_path: Path) -> None:
    """Two persons whose number was typed as the same placeholder stay two."""
    people = [{**WOMAN, "patient_id": f"x{n}", "id_no": "111111111111111111"} for n in range(2)]
    made, report = _built(tmp_path, people, [STAY | {"patient_id": "x1"}], **MERGE)
    assert made.rows["people"] == 2 and not _failed(report)


def test_of_several_rows_the_newest_counts_and_the_same_one_in_any_order(tmp_path: Path) -> None:
    rows = [{**WOMAN, "born": born, "id_no": ""} for born in ("1950-01-01", "1960-01-01", "1970-01-01")]
    ages = []
    for n, people in enumerate((rows, rows[::-1])):
        made, _ = _built(tmp_path / str(n), people, [STAY], duplicates="merge", newest="born")
        with clinic.opened(made.path, FILE_KEY) as con:
            ages += con.execute("SELECT age FROM extract.main.people").fetchall()
    assert ages == [(55,), (55,)]


def test_rows_that_disagree_are_counted_and_left_out_where_the_policy_says(tmp_path: Path) -> None:
    people = [WOMAN, {**WOMAN, "sex": "1"}, MAN]
    stays = [STAY, STAY | {"patient_id": "M", "age": "144"}]
    kept, told = _built(tmp_path / "kept", people, stays, duplicates="merge")
    assert (kept.rows, _failed(told)["people.sex"]) == ({"people": 2, "stays": 2}, 1)
    left, told = _built(tmp_path / "left", people, stays, duplicates="merge", conflicts="leave_out")
    assert left.rows == {"people": 1, "stays": 1}
    assert left.dropped["people"]["the person's rows disagree on sex or birth date"] == 2
    assert _failed(told)["stays.identity_orphans"] == 1


@pytest.mark.parametrize("refused", ["W", "W2"])
def test_who_refused_under_one_identifier_is_left_out_under_all(tmp_path: Path, refused: str) -> None:
    """Attack: take in under their second number who refused under their first."""
    twice = {**WOMAN, "patient_id": "W2", "id_no": OLD_NUMBER}
    stays = [STAY, STAY | {"patient_id": "W2"}, STAY | {"patient_id": "M", "age": "144"}]
    source, draft = front_page.write(tmp_path / "source", [WOMAN, twice, MAN], stays), tmp_path / "draft"
    draft.mkdir()
    choices = Choices(refused=frozenset({pseudonym_of(KEY, "person", refused)}))
    made = build(_parsed(MERGE), source, draft, pseudonym_key=KEY, file_key=FILE_KEY, choices=choices)
    assert made.rows == {"people": 1, "stays": 1}
    assert (made.dropped["people"][BY_CHOICE], made.dropped["stays"][BY_CHOICE]) == (2, 2)


def test_an_identifier_that_names_two_persons_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        _built(tmp_path, [WOMAN, {**MAN, "patient_id": WOMAN["patient_id"]}], [STAY], **MERGE)
    assert (refused.value.code, refused.value.facts["count"]) == ("intake.two_persons", 1)
    assert WOMAN["id_no"] not in refused.value.words() + refused.value.words("zh")


def test_several_rows_are_refused_unless_the_policy_says_what_becomes_of_them(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        _built(tmp_path, [WOMAN, WOMAN], [STAY])
    assert refused.value.code == "intake.duplicate_person"


def test_orphans_are_told_in_each_table(tmp_path: Path) -> None:
    _, report = _built(tmp_path, [WOMAN], [STAY, STAY | {"patient_id": "nobody"}])
    (check,) = [c for c in _identity(report).checks if c.failed]
    assert (check.code, check.table, check.failed, check.of) == ("identity_orphans", "stays", 1, 2)


def test_one_persons_rows_do_not_change_anothers(tmp_path: Path) -> None:
    """Soundness U6: with a further person, several rows of whom disagree, everybody else's rows stay as they were."""
    stays = [STAY, STAY | {"patient_id": "M", "age": "144"}]
    found = []
    rule = {**MERGE, "conflicts": "leave_out"}
    for name, more in (("without", []), ("with", [{**WOMAN, "patient_id": "N", "id_no": OLD_NUMBER[:-1] + "4"}])):
        twice = [*more, *({**row, "sex": "1"} for row in more)]
        made, _ = _built(tmp_path / name, [WOMAN, {**MAN, "patient_id": "M"}, *twice], stays, **rule)
        with clinic.opened(made.path, FILE_KEY) as con:
            found.append([con.execute(f"SELECT * FROM extract.main.{t} ORDER BY ALL").fetchall() for t in made.rows])
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "wrong",
    [{"key": ["nowhere"]}, {"newest": "sex", "duplicates": "merge"}, {"newest": "born"}, {"duplicates": "guess"}],
)
def test_a_rule_that_cannot_be_followed_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        _parsed(wrong)


def test_it_stands_on_the_person_table_alone() -> None:
    with pytest.raises(BadInput):
        descriptor.parse(
            front_page.TEXT.replace("row_clip: 10", "row_clip: 10\n    identity: {duplicates: merge}").encode()
        )
