"""What is understood, and what is refused in which words at which place."""

from __future__ import annotations

import pytest
from tests.oracle.extracts import DATASET, DX
from tests.oracle.questions import ANSWERED

from domicile.wire.words import catalogue
from enclave.errors import EnclaveError
from enclave.query.plan import Measure, Ordering
from enclave.query.price import prepare
from enclave.query.question import parse

REFUSED = [
    ("", "query.one_statement", None),
    ("SELECT COUNT(*) FROM visits; SELECT COUNT(*) FROM visits", "query.one_statement", None),
    ("DROP TABLE visits", "query.not_select", "line 1"),
    ("PIVOT visits ON dept USING sum(fee)", "query.not_select", "line 1"),
    ("SELECT COUNT( FROM visits", "query.syntax", "line 1"),
    ("SELECT 'open FROM visits", "query.syntax", None),
    ("SELECT COUNT(*) FROM visits\x00", "query.control_characters", None),
    ("SELECT " + "'" + "x" * 17_000 + "'", "query.too_long", None),
    ("SELECT COUNT(*) FROM visits WHERE urgent" + " AND urgent" * 1_000, "query.too_many_tokens", None),
    ("SELECT COUNT(*) FROM visits WHERE " + "(" * 60 + "urgent" + ")" * 60, "query.too_deep", None),
    ("SELECT COUNT(*) FROM visits v " + "JOIN patients p " * 20, "query.join_condition_missing", None),
    ("SELECT COUNT(*) FROM visits WHERE " + "NOT " * 200 + "urgent", "query.too_deep", None),
    ("SELECT COUNT(*)", "query.no_table", None),
    ("SELECT COUNT(*) FROM nothing", "query.unknown_table", "line 1, column 22"),
    ("SELECT COUNT(*) FROM extract.main.visits", "query.not_in_grammar", "line 1, column 30"),
    ("SELECT COUNT(*) FROM 'x.csv'", "query.unknown_table", "line 1, column 22"),
    ("SELECT COUNT(*) FROM read_text('/etc/passwd')", "query.only_tables", None),
    ("SELECT COUNT(*) FROM departments", "query.nobodys_rows", "line 1, column 22"),
    ("SELECT COUNT(*) FROM visits v JOIN departments d ON v.dx = d.dept", "query.look_up", "line 1, column 36"),
    ("SELECT COUNT(*) FROM visits TABLESAMPLE 10%", "query.not_in_grammar", None),
    ("SELECT COUNT(*) FROM visits a JOIN patients a USING (patient_id)", "query.duplicate_alias", None),
    ("SELECT COUNT(*)\nFROM visits\nWHERE colour = 1", "query.unknown_column", "line 3, column 7"),
    ("SELECT COUNT(*) FROM visits WHERE p.age = 1", "query.unknown_table", "line 1, column 35"),
    (
        "SELECT patient_id, COUNT(*) FROM visits GROUP BY patient_id",
        "query.unit_key",
        "line 1",
    ),
    ("SELECT COUNT(*) FROM visits WHERE patient_id = 4", "query.unit_key", None),
    (
        "SELECT COUNT(*) FROM diagnoses d JOIN visits v USING (visit_id) WHERE visit_id IS NULL",
        "query.ambiguous_column",
        None,
    ),
    ("SELECT visit_id, COUNT(*) FROM visits GROUP BY visit_id", "query.key_not_public", None),
    ("SELECT fee, COUNT(*) FROM visits GROUP BY fee", "query.key_not_public", None),
    ("SELECT admitted_on, COUNT(*) FROM visits GROUP BY admitted_on", "query.key_not_public", None),
    ("SELECT los_days * 100, COUNT(*) FROM visits GROUP BY 1", "query.key_too_wide", None),
    (
        "SELECT finding, COUNT(*) FROM visits v JOIN diagnoses d USING (patient_id) GROUP BY 1",
        "query.unlisted_here",
        "line 1",
    ),
    (
        "SELECT f, COUNT(*) FROM (SELECT patient_id, finding AS f FROM visits) GROUP BY f",
        "query.unlisted_here",
        "line 1",
    ),
    (
        "SELECT v.finding, w.finding AS g, COUNT(*) FROM visits v JOIN diagnoses d USING (visit_id) "
        "JOIN visits w ON d.visit_id = w.visit_id GROUP BY 1, 2",
        "query.two_unlisted",
        "line 1",
    ),
    ("SELECT finding, los_days, dept, COUNT(*) FROM visits GROUP BY 1, 2, 3", "query.too_many_cells", None),
    ("SELECT COUNT(*) FROM visits WHERE finding < 'I'", "query.not_ordered", None),
    ("SELECT CASE WHEN urgent THEN finding END AS f, COUNT(*) FROM visits GROUP BY f", "query.case_of", None),
    ("SELECT los_days, change, dx, ward, COUNT(*) FROM visits GROUP BY ALL", "query.not_in_grammar", None),
    ("SELECT los_days, ward, dx, COUNT(*) FROM visits GROUP BY 1, 2, 3, urgent", "query.too_many_cells", None),
    ("SELECT dept, dept, COUNT(*) FROM visits GROUP BY dept, dept", "query.duplicate_key", None),
    ("SELECT COUNT(*) FROM visits GROUP BY 7", "query.no_such_item", None),
    ("SELECT dept, COUNT(*) FROM visits GROUP BY ROLLUP (dept)", "query.not_in_grammar", None),
    ("SELECT dept FROM visits GROUP BY dept", "query.no_aggregate", None),
    ("SELECT * FROM visits", "query.star", None),
    ("SELECT dept, COUNT(*) FROM visits", "query.not_grouped", "line 1, column 8"),
    ("SELECT MAX(fee) FROM visits", "query.extreme", "line 1, column 12"),
    ("SELECT MODE(dept) FROM visits", "query.mode", None),
    ("SELECT HISTOGRAM(fee, 0) AS b, COUNT(*) FROM visits GROUP BY b", "query.histogram", "line 1, column 23"),
    ("SELECT QUANTILE_CONT(fee, 1.5) FROM visits", "query.quantile_point", "line 1, column 27"),
    ("SELECT QUANTILE_CONT(fee, [0.1, 0.5]) FROM visits", "query.quantile_list", "line 1"),
    ("SELECT SSCP(fee) FROM visits", "query.matrix", "line 1, column 8"),
    ("SELECT SSCP(fee, dept, fee) FROM visits", "query.matrix_twice", "line 1, column 24"),
    ("SELECT SSCP(dept, fee) FROM visits", "query.matrix_outcome", "line 1, column 13"),
    ("SELECT SSCP(fee, los_days), COUNT(*) FROM visits", "query.matrix_alone", "line 1"),
    ("SELECT SUM(SUM(fee)) FROM visits", "query.aggregate_here", None),
    ("SELECT SUM(fee) OVER () FROM visits", "query.window", None),
    ("SELECT COUNT(*) FROM visits QUALIFY row_number() OVER () = 1", "query.window", None),
    ("SELECT SUM(score) FROM visits", "query.no_bounds", "line 1, column 12"),
    ("SELECT AVG(score) FROM visits", "query.no_bounds", None),
    ("SELECT SUM(score + 1) FROM visits", "query.no_bounds", None),
    ("SELECT SUM(dept) FROM visits", "query.needs_number", None),
    ("SELECT SUM(urgent) FROM visits", "query.needs_number", None),
    ("SELECT SUM(DISTINCT fee) FROM visits", "query.distinct_other", None),
    (
        "SELECT COUNT(DISTINCT d.code) FROM visits v JOIN diagnoses d USING (patient_id)",
        "query.distinct_values_here",
        None,
    ),
    ("SELECT COUNT(DISTINCT patient_id, dept) FROM visits", "query.distinct_other", None),
    (
        "SELECT COUNT(DISTINCT p.patient_id) FROM visits v LEFT JOIN patients p USING (patient_id)",
        "query.unit_of_left_side",
        None,
    ),
    ("SELECT DISTINCT dept FROM visits", "query.select_distinct", None),
    ("SELECT COUNT(*) FROM visits WHERE fee IN (SELECT fee FROM visits)", "query.subquery", None),
    ("SELECT COUNT(*) FROM visits WHERE EXISTS (SELECT 1 FROM visits)", "query.subquery", None),
    ("SELECT COUNT(*) AS n, SUM(fee) AS n FROM visits", "query.duplicate_alias", None),
    ("SELECT COUNT(*) AS n, SUM(fee) AS n_se FROM visits", "query.duplicate_alias", None),
    ('SELECT COUNT(*) AS " " FROM visits', "query.bad_alias", None),
    ("SELECT COUNT(*) FROM visits WHERE los_days / change = 1", "query.division", "line 1"),
    ("SELECT COUNT(*) FROM visits WHERE los_days / 0 = 1", "query.division", "line 1"),
    ("SELECT COUNT(*) FROM visits WHERE change % 2 = 1", "query.division", "line 1"),
    ("SELECT SUM(ROUND(fee, 9)) FROM visits", "query.round", "line 1"),
    ("SELECT COUNT(*) FROM visits WHERE finding LIKE '%0'", "query.like", "line 1"),
    ("SELECT LEFT(finding, 1) AS f, COUNT(*) FROM visits GROUP BY f", "query.left", "line 1"),
    ("SELECT SUM(DATE_DIFF('week', admitted_on, DATE '2023-01-01')) FROM visits", "query.date_diff", "line 1"),
    ("SELECT COUNT(*) FROM visits WHERE CAST(dept AS INTEGER) > 0", "query.cast", None),
    ("SELECT COUNT(*) FROM visits WHERE TRY_CAST(dept AS INTEGER) > 0", "query.cast", None),
    ("SELECT COUNT(*) FROM visits WHERE LOWER(dept) = 'a'", "query.function", None),
    ("SELECT COUNT(*) FROM visits WHERE random() < 1", "query.function", None),
    ("SELECT COUNT(*) FROM visits WHERE admitted_on < CURRENT_DATE", "query.function", None),
    ("SELECT COUNT(*) FROM visits WHERE dept LIKE ward", "query.like", "line 1"),
    ("SELECT COUNT(*) FROM visits WHERE dept ILIKE 'a%'", "query.not_in_grammar", "line 1"),
    ("SELECT COUNT(*) FROM visits WHERE los_days", "query.needs_condition", None),
    ("SELECT COUNT(*) FROM visits WHERE los_days = dept", "query.mixed_kinds", None),
    ("SELECT COUNT(*) FROM visits WHERE dept < 'B'", "query.not_ordered", None),
    ("SELECT COUNT(*) FROM visits WHERE dept = 'Z'", "query.unknown_code", None),
    ("SELECT COUNT(*) FROM visits WHERE dept = NULL", "query.bare_null", None),
    ("SELECT COUNT(*) FROM visits WHERE NOT (los_days IN (1, NULL))", "query.in_literals", None),
    ("SELECT COUNT(*) FROM visits WHERE admitted_on > 'soon'", "query.bad_date", None),
    ("SELECT COUNT(*) FROM visits WHERE admitted_on > DATE '2023-02-30'", "query.bad_date", None),
    ("SELECT COUNT(*) FROM visits WHERE visit_id = 'x'", "query.text_only_counted", None),
    ("SELECT COUNT(*) FROM visits WHERE los_days > 1e5", "query.bad_number", None),
    ("SELECT SUM(" + " * ".join(["fee"] * 4) + ") FROM visits", "query.too_wide", None),
    ("SELECT SUM(fee * fee * 10) FROM visits", "query.too_wide", None),
    ("SELECT dept, COUNT(*) FROM visits GROUP BY dept ORDER BY fee", "query.order_by_output", None),
    ("SELECT dept, COUNT(*) FROM visits GROUP BY dept LIMIT 1 + 1", "query.limit", None),
    ("SELECT dept, COUNT(*) FROM visits GROUP BY dept OFFSET 2", "query.not_in_grammar", None),
    ("SELECT " + ", ".join(["COUNT(*)"] * 21) + " FROM visits", "query.too_many_aggregates", None),
    ("SELECT COUNT(*) FROM visits WHERE CASE WHEN urgent THEN NULL END", "query.only_null", None),
    ("SELECT SUM(CASE WHEN urgent THEN 1 ELSE 'A' END) FROM visits", "query.mixed_kinds", None),
    ("SELECT COUNT(*) FROM visits WHERE YEAR(los_days) = 1", "query.needs_date", None),
]


@pytest.mark.parametrize(("sql", "code", "place"), REFUSED, ids=[f"{c[6:]}:{s[:40]}" for s, c, _ in REFUSED])
def test_it_is_refused_in_words_with_its_place(sql: str, code: str, place: str | None) -> None:
    with pytest.raises(EnclaveError) as refused:
        prepare(sql, DATASET, "1")
    assert refused.value.code == code
    assert refused.value.words("en")
    assert refused.value.words("zh")
    if place:
        assert refused.value.place is not None
        assert refused.value.place.startswith(place)


def test_every_refusal_of_a_question_is_tried() -> None:
    """Words nobody can meet are dead; the rest of the list belongs to joins, prices and our own faults."""
    elsewhere = {
        "join_kind",
        "join_condition",
        "join_not_declared",
        "join_fans_out",
        "set_operation",
        "too_many_tables",
    }
    elsewhere |= {"no_epsilon", "bad_epsilon", "epsilon_too_small"}
    elsewhere |= {
        "too_heavy",
        "too_wide_for_clip",
        "sampler_broken",
        "engine_failed",
        "catalog_dirty",
    }
    elsewhere |= {"extract_does_not_open", "matrix_too_large", "prose", "many_patterns"}
    elsewhere |= {"epsilon_or_accuracy", "confidence_alone", "bad_accuracy", "bad_confidence"}
    elsewhere |= {"accuracy_of_others", "accuracy_too_fine", "accuracy_too_coarse"}
    elsewhere |= {"pure_unlisted"}
    known = {code.removeprefix("query.") for code in catalogue() if code.startswith("query.")}
    assert known - elsewhere == {code.removeprefix("query.") for _, code, _ in REFUSED}


@pytest.mark.parametrize("sql", ANSWERED)
def test_it_is_understood_the_same_way_each_time(sql: str) -> None:
    assert parse(sql, DATASET) == parse(sql, DATASET)


def test_names_case_and_spacing_do_not_matter() -> None:
    one = parse("SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept", DATASET)
    assert parse("select V.DEPT, count( * ) n\nfrom Visits as v -- all\ngroup by 1", DATASET) == one


def test_keys_carry_their_public_domain() -> None:
    sql = (
        "SELECT dx, urgent, CASE WHEN change > 0 THEN 'up' WHEN change < 0 THEN 'down' END AS way, YEAR(admitted_on) AS y,"
        " p.smoker, COUNT(*) FROM visits JOIN patients p USING (patient_id) GROUP BY dx, urgent, way, y, p.smoker"
    )
    dx, urgent, way, year, smoker = parse(sql, DATASET).keys
    assert dx.domain == (*DX, None)
    assert urgent.domain == (False, True, None)
    assert (way.name, way.domain) == ("way", ("up", "down", None))
    assert (year.name, year.domain) == ("y", (2021, 2022, 2023, 2024, None))
    assert smoker.domain == (False, True)


def test_a_left_joined_key_may_be_null() -> None:
    plan = parse("SELECT smoker, COUNT(*) FROM visits LEFT JOIN patients USING (patient_id) GROUP BY smoker", DATASET)
    assert plan.keys[0].domain == (False, True, None)


def test_key_order_follows_select_and_unselected_keys_come_last() -> None:
    plan = parse("SELECT urgent, COUNT(*), dx AS d FROM visits GROUP BY dept, dx, urgent", DATASET)
    assert [k.name for k in plan.keys] == ["urgent", "d", "dept"]


def test_unnamed_aggregates_get_names_of_their_own() -> None:
    plan = parse("SELECT COUNT(*), COUNT(*), SUM(fee), AVG(fee + 1), COUNT(DISTINCT patient_id) FROM visits", DATASET)
    assert [a.name for a in plan.aggregates] == ["count", "count_2", "sum_fee", "avg", "persons"]
    assert [a.measure for a in plan.aggregates][2:] == [Measure.SUM, Measure.MEAN, Measure.PERSONS]


def test_order_and_limit_are_of_the_answer() -> None:
    plan = parse("SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept ORDER BY n DESC, 1, n_se LIMIT 3", DATASET)
    assert plan.order == (Ordering("n", True), Ordering("dept"), Ordering("n_se"))
    assert plan.limit == 3


def test_variables_name_all_that_is_read() -> None:
    plan = parse(
        "SELECT p.sex, COUNT(DISTINCT v.patient_id) FROM visits v JOIN patients p USING (patient_id) "
        "WHERE v.fee > 10 GROUP BY p.sex",
        DATASET,
    )
    assert plan.variables == {
        ("visits", "patient_id"),
        ("patients", "patient_id"),
        ("patients", "sex"),
        ("visits", "fee"),
    }
    assert plan.tables == ("visits", "patients")
