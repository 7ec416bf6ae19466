"""Each person is counted in at most K of their values, by a choice that looks at nobody else; the file is held to it."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from tests.oracle import clinic

from enclave.errors import BadInput, Incident, Refused
from enclave.intake.reverify import reverify

CODES = [f"Q{n:02d}.000" for n in range(12)]


def crowd(*, others: bool = True) -> clinic.Rows:
    """P1 with twelve codes in thirty visits, P2 with three and a missing one, P3 with a word that is no code."""
    raw = clinic.rows()
    visits = [clinic.visit(n, 1, main_dx=CODES[n % 12]) for n in range(30)]
    if others:
        visits += [clinic.visit(100 + n, 2, main_dx=dx) for n, dx in enumerate(["Q00.000", "Q00.000", "Q77.000", ""])]
        visits += [clinic.visit(200, 3, main_dx="Zhang San")]
    return raw | {"visits": visits, "diagnoses": []}


def held(rows: list[clinic.Row]) -> dict[int, dict[Any, Counter[str]]]:
    """Person → value → how many rows, of them marked, and votes."""
    found: dict[int, dict[Any, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for row in rows:
        cell = found[row["patient_id"]][row["dx_code"]]
        cell.update({"rows": 1, "among": int(row["among_dx_code"]), "vote": int(row["vote_dx_code"])})
    return found


def test_a_person_is_counted_in_k_values_with_one_vote_each(tmp_path: Path) -> None:
    found = held(clinic.stored(clinic.built(tmp_path, crowd()), "visits"))
    first, second, third = (found[clinic.pseudonym("person", p)] for p in ("P1", "P2", "P3"))
    assert (len(first), sum(c["vote"] for c in first.values())) == (12, 3)
    assert set(second) == {"Q00.000", "Q77.000", None}
    assert set(third) == {None}, "what has not the public form is not kept"
    for value in [*first.values(), *second.values(), *third.values()]:
        assert value["among"] in (0, value["rows"])
        assert value["vote"] == (value["among"] > 0)
    assert all(v["vote"] == 1 for v in [*second.values(), *third.values()])


def test_u6_nobody_else_changes_in_which_values_a_person_is_counted(tmp_path: Path) -> None:
    with_others = clinic.stored(clinic.built(tmp_path / "a", crowd()), "visits")
    alone = clinic.stored(clinic.built(tmp_path / "b", crowd(others=False)), "visits")
    person = clinic.pseudonym("person", "P1")
    assert held(with_others)[person] == held(alone)[person]


BREACHES = [
    "UPDATE visits SET among_dx_code = true, vote_dx_code = visit_id IN (SELECT min(visit_id) FROM visits "
    "GROUP BY patient_id, dx_code)",
    "UPDATE visits SET vote_dx_code = true WHERE among_dx_code",
    "UPDATE visits SET vote_dx_code = false",
    "UPDATE visits SET among_dx_code = false",
    "UPDATE visits SET among_dx_code = false WHERE visit_id = (SELECT min(visit_id) FROM visits WHERE among_dx_code)",
]


@pytest.mark.parametrize("breach", BREACHES)
def test_a_breach_is_found_in_the_finished_file(tmp_path: Path, breach: str) -> None:
    made = clinic.built(tmp_path, crowd())
    with clinic.opened(made.path, writable=True) as con:
        reverify(con, clinic.parsed(), "extract")  # the control: as built it holds
        con.execute("USE extract.main")
        con.execute(breach)
        with pytest.raises(Incident) as found:
            reverify(con, clinic.parsed(), "extract")
    assert (found.value.code, found.value.facts["check"]) == ("intake.not_as_promised", "keys of dx_code")


def test_more_values_than_stated_stop_the_build(tmp_path: Path) -> None:
    def few(tree: dict[str, Any]) -> None:
        clinic.resource(tree, "visits")["keys"][0]["in_all"] = 13

    with pytest.raises(Refused) as refused:
        clinic.built(tmp_path, crowd(), clinic.parsed(few))
    assert (refused.value.code, refused.value.place) == ("intake.more_keys", "visits.dx_code")
    clinic.built(tmp_path / "fits", crowd(others=False), clinic.parsed(few))  # the control


def test_texts_count_in_the_content_digest_wherever_they_are_cut(tmp_path: Path) -> None:
    one, other = crowd(), crowd()
    other["visits"][0]["main_dx"], other["visits"][12]["main_dx"] = "Q00.00", "Q00.0000"  # not of the form: both NULL
    digests = [clinic.built(tmp_path / name, raw).digest for name, raw in (("a", one), ("b", crowd()), ("c", other))]
    assert digests[0] == digests[1] != digests[2]


INCOHERENT = [
    ({"column": "dept"}, "no column with the treatment form"),
    ({"column": "nothing"}, "no column with the treatment form"),
]


@pytest.mark.parametrize(("change", "why"), INCOHERENT)
def test_keys_that_hold_not_together_are_refused(change: dict[str, Any], why: str) -> None:
    with pytest.raises(BadInput, match=why):
        clinic.parsed(lambda tree: clinic.resource(tree, "visits")["keys"][0].update(change))


@pytest.mark.parametrize(
    ("delta", "why"), [("", "need `keys_delta`"), ("1e-5", "above `delta`"), ("1e-19", "below the smallest unit")]
)
def test_keys_need_a_delta_that_is_worth_one(delta: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        clinic.parsed(lambda tree: tree.update(keys_delta=delta))


def test_a_pattern_that_is_none_is_refused() -> None:
    def broken(tree: dict[str, Any]) -> None:
        clinic.field(tree, "visits", "main_dx")["yields"][2]["pattern"] = "[A-Z"

    with pytest.raises(BadInput, match="no RE2 pattern"):
        clinic.parsed(broken)
