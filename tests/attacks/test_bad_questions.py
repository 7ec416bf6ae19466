"""Whatever is typed as a question: refused in words, at its place, uncharged, with no extract opened.

The list of the design, kind by kind. The control, at the end, asks one plain question through the same door: it is charged,
and opens the extract.
"""

from __future__ import annotations

import pytest
from tests.attacks.asked import Door, numbers
from tests.oracle.extracts import DATASET

from enclave.broker.caps import RegisterCap, read_caps
from enclave.budget import AccountKind, balances
from enclave.errors import BadInput, EnclaveError
from enclave.query.price import prepare

COUNT = "SELECT COUNT(*) FROM visits"
WHERE = COUNT + " WHERE "
LEVEL = "SELECT patient_id FROM visits"


def doubled(times: int) -> str:
    """Each name is written twice in the next: a million SELECTs in a few hundred words."""
    step = ", c{} AS (SELECT patient_id FROM c{} UNION ALL SELECT patient_id FROM c{})"
    return "".join(step.format(i, i - 1, i - 1) for i in times_of(times))


def times_of(times: int) -> range:
    return range(1, times + 1)


SIZE = {
    "ten megabytes": (WHERE + "urgent AND " * 1_000_000 + "urgent", "query.too_long", None),
    "ten megabytes of one name": (f'SELECT COUNT(*) FROM "{"v" * 10_000_000}"', "query.too_long", None),
    "ten thousand columns": (f"SELECT {', '.join(['SUM(fee)'] * 10_000)} FROM visits", "query.too_long", None),
    "as many columns as fit": (
        f"SELECT {', '.join(['COUNT(*)'] * 390)} FROM visits",
        "query.too_many_aggregates",
        "line 1",
    ),
    "as much arithmetic as fits": (
        f"SELECT {', '.join(['SUM(fee)/COUNT(*)'] * 120)} FROM visits",
        "query.too_many_aggregates",
        "line 1",
    ),
    "as many words as fit": ("SELECT " + "a," * 5_000 + "a", "query.too_many_tokens", "line 1, column 2007"),
    "brackets": (WHERE + "(" * 500 + "urgent" + ")" * 500, "query.too_deep", "line 1"),
    "CASE in CASE": (
        f"SELECT SUM({'CASE WHEN urgent THEN ' * 70}fee{' END' * 70}) FROM visits",
        "query.too_deep",
        "line 1",
    ),
    "NOT of NOT": (WHERE + "NOT " * 1_500 + "urgent", "query.too_deep", None),
    "a sum of sums": (f"SELECT SUM({'+'.join(['change'] * 900)}) FROM visits", "query.too_deep", None),
    "SELECT in SELECT": (
        f"SELECT COUNT(*) FROM {'(SELECT patient_id FROM ' * 9}visits{')' * 9}",
        "within.levels",
        "line 1",
    ),
    "names that double": (f"WITH c0 AS ({LEVEL}){doubled(40)} SELECT COUNT(*) FROM c40", "within.selects", "line 1"),
    "terms that double": (
        "WITH c0 AS (SELECT patient_id, change FROM visits)"
        + "".join(f", c{i} AS (SELECT patient_id, change + change AS change FROM c{i - 1})" for i in times_of(30))
        + " SELECT SUM(change) FROM c30",
        "query.too_deep",
        "line 1",
    ),
}
LETTERS = {
    "a table in another alphabet": ("SELECT COUNT(*) FROM vіsits", "query.unknown_table", "line 1, column 22"),
    "a function in another alphabet": ("SELECT CОUNT(*) FROM visits", "query.function", "line 1, column 8"),
    "a code in another alphabet": (WHERE + "dept = 'А'", "query.unknown_code", "line 1, column 35"),
    "a long s": ("SELECT COUNT(*) FROM viſits", "query.unknown_table", "line 1, column 22"),
    "the sign of kelvin": (
        "SELECT COUNT(*) FROM patients WHERE smo\u212aer",
        "query.unknown_column",
        "line 1, column 37",
    ),
    "a dotless i": ("SELECT COUNT(*) FROM vısits", "query.unknown_table", "line 1, column 22"),
    "wide letters": ("SELECT COUNT(*) FROM ｖｉｓｉｔｓ", "query.unknown_table", "line 1, column 22"),
    "wide brackets": ("SELECT COUNT（*） FROM visits", "query.unknown_column", "line 1, column 8"),
    "no width": ("SELECT COUNT(*) FROM vis\u200bits", "query.control_characters", "line 1, column 25"),
    "a line that is turned around": (WHERE + "dept = 'A\u202e'", "query.control_characters", "line 1, column 44"),
    "a line that ends for some": (COUNT + " -- all\u2028WHERE urgent", "query.control_characters", "line 1, column 35"),
    "a mark of byte order": ("\ufeff" + COUNT, "query.control_characters", "line 1, column 1"),
    "half of a pair": (WHERE + "dept = '\ud800'", "query.control_characters", "line 1, column 43"),
    "a zero byte": (COUNT + "\n\x00", "query.control_characters", "line 2, column 1"),
}
QUOTES = {
    "a comment that is not ended": (COUNT + " /* WHERE", "query.syntax", None),
    "a statement after a comment": (COUNT + " -- one\n; SELECT 1 /* two */", "query.one_statement", None),
    "only a comment": ("-- nothing", "query.one_statement", None),
    "a statement in a quoted name": (
        'SELECT COUNT(*) FROM "visits; DROP TABLE x"',
        "query.unknown_table",
        "line 1, column 22",
    ),
    "a line end in a quoted alias": ('SELECT COUNT(*) AS "n\nm" FROM visits', "query.bad_alias", "line 1, column 8"),
    "other quotes": ("SELECT COUNT(*) FROM `visits`", "query.syntax", "line 1, column 29"),
    "a quoted person": ('SELECT "PATIENT_ID", COUNT(*) FROM visits GROUP BY 1', "query.unit_key", "line 1, column 8"),
    "text of dollars": (WHERE + "dept = $$A$$", "query.not_in_grammar", "line 1, column 42"),
    "bytes": (WHERE + "dept = x'41'", "query.syntax", "line 1"),
    "a parameter": (WHERE + "fee > ?", "query.not_in_grammar", "line 1, column 35"),
    "a numbered parameter": (WHERE + "fee > $1", "query.not_in_grammar", "line 1, column 35"),
}
GROUPS = {
    "GROUPING SETS": (
        "SELECT dept, COUNT(*) FROM visits GROUP BY GROUPING SETS ((dept), ())",
        "query.not_in_grammar",
        "line 1, column 60",
    ),
    "CUBE": ("SELECT dept, COUNT(*) FROM visits GROUP BY CUBE (dept)", "query.not_in_grammar", "line 1, column 50"),
    "ROLLUP": (
        "SELECT dept, COUNT(*) FROM visits GROUP BY dept WITH ROLLUP",
        "query.not_in_grammar",
        "line 1, column 44",
    ),
    "GROUP BY ALL": ("SELECT dept, COUNT(*) FROM visits GROUP BY ALL", "query.not_in_grammar", "line 1, column 8"),
    "GROUPING()": (
        "SELECT dept, GROUPING(dept), COUNT(*) FROM visits GROUP BY dept",
        "query.aggregate_here",
        "line 1, column 14",
    ),
    "PIVOT": ("PIVOT visits ON dept USING count(*)", "query.not_select", "line 1, column 7"),
    "PIVOT of a table": (
        "SELECT COUNT(*) FROM visits PIVOT (count(*) FOR dept IN ('A'))",
        "query.not_in_grammar",
        "line 1, column 22",
    ),
    "PIVOT in brackets": (
        "SELECT COUNT(*) FROM (PIVOT visits ON dept USING count(*))",
        "query.only_tables",
        "line 1, column 29",
    ),
    "UNPIVOT": (
        "SELECT COUNT(*) FROM visits UNPIVOT (x FOR y IN (fee, change))",
        "query.not_in_grammar",
        "line 1, column 22",
    ),
}
PLACES = {
    "a file for a table": ("SELECT COUNT(*) FROM 'x.parquet'", "query.unknown_table", "line 1, column 22"),
    "a quoted file": ('SELECT COUNT(*) FROM "/etc/passwd.csv"', "query.unknown_table", "line 1, column 22"),
    "an address": ("SELECT COUNT(*) FROM 'https://a.example/x.csv'", "query.unknown_table", "line 1, column 22"),
    "a variable of the notebook": ("SELECT COUNT(*) FROM frame", "query.unknown_table", "line 1, column 22"),
    "a catalogue": ("SELECT COUNT(*) FROM information_schema.tables", "query.not_in_grammar", "line 1, column 22"),
    "our own catalogue": ("SELECT COUNT(*) FROM extract.main.visits", "query.not_in_grammar", "line 1, column 30"),
    "our own column": ("SELECT SUM(unit_rows) FROM visits", "query.unknown_column", "line 1, column 12"),
    "the number of a row": (WHERE + "rowid = 1", "query.unknown_column", "line 1, column 35"),
    "range": ("SELECT COUNT(*) FROM range(10)", "query.only_tables", "line 1, column 22"),
    "unnest": ("SELECT COUNT(*) FROM unnest([1, 2])", "query.only_tables", "line 1, column 30"),
    "read_csv": ("SELECT COUNT(*) FROM read_csv('x')", "query.only_tables", "line 1, column 22"),
    "VALUES": ("SELECT COUNT(*) FROM (VALUES (1)) t(x)", "query.only_tables", "line 1, column 31"),
    "a function beside a table": (COUNT + ", generate_series(1, 9)", "query.only_tables", "line 1, column 30"),
    "a function joined": (COUNT + " JOIN range(10) r ON TRUE", "query.only_tables", "line 1, column 34"),
    "TABLE": ("TABLE visits", "query.star", "line 1, column 7"),
    "a sample": (COUNT + " TABLESAMPLE 10%", "query.not_in_grammar", "line 1, column 41"),
}
NAMES = {
    "recursion": (
        f"WITH RECURSIVE r AS ({LEVEL} UNION ALL SELECT patient_id FROM r) SELECT COUNT(*) FROM r",
        "query.not_in_grammar",
        "line 1, column 16",
    ),
    "a name of itself": (
        "WITH r AS (SELECT patient_id FROM r) SELECT COUNT(*) FROM r",
        "query.unknown_table",
        "line 1, column 35",
    ),
    "a name before it is said": (
        f"WITH a AS (SELECT patient_id FROM b), b AS ({LEVEL}) SELECT COUNT(*) FROM a",
        "query.unknown_table",
        "line 1, column 35",
    ),
    "a name of a table": (
        "WITH visits AS (SELECT patient_id FROM patients) SELECT COUNT(*) FROM visits",
        "query.duplicate_alias",
        "line 1, column 6",
    ),
    "a name twice": (f"WITH a AS ({LEVEL}), a AS ({LEVEL}) SELECT COUNT(*) FROM a", "query.duplicate_alias", "line 1"),
    "a deletion with a name": (
        "WITH a AS (DELETE FROM visits RETURNING patient_id) SELECT COUNT(*) FROM a",
        "query.only_tables",
        "line 1, column 24",
    ),
    "LATERAL": (COUNT + " v, LATERAL (SELECT v.dept) x", "query.only_tables", "line 1, column 48"),
    "a level that sees the one beside it": (
        COUNT + " v JOIN (SELECT patient_id, age + v.change AS a FROM patients) x USING (patient_id)",
        "query.unknown_table",
        "line 1, column 62",
    ),
    "an alias used beside it": (
        "SELECT SUM(fee) AS s, s + 1 AS t FROM visits",
        "query.unknown_column",
        "line 1, column 23",
    ),
    "an alias used before it": (
        "SELECT COUNT(*) AS n FROM visits WHERE n > 1",
        "query.unknown_column",
        "line 1, column 40",
    ),
    "a column of two tables": (
        COUNT.replace("visits", "diagnoses") + " d JOIN visits v USING (visit_id) WHERE visit_id IS NULL",
        "query.ambiguous_column",
        "line 1, column 71",
    ),
    "an alias of two tables": (
        COUNT + " v JOIN patients v USING (patient_id)",
        "query.duplicate_alias",
        "line 1, column 36",
    ),
    "a table twice": (COUNT + " JOIN visits USING (patient_id)", "query.duplicate_alias", "line 1, column 34"),
    "a column that is answered twice": (
        "SELECT dept, COUNT(*) AS dept FROM visits GROUP BY dept",
        "query.duplicate_alias",
        "line 1, column 8",
    ),
    "a comma": (COUNT + ", patients", "query.join_condition", "line 1, column 30"),
    "CROSS JOIN": (COUNT + " CROSS JOIN patients", "query.join_kind", "line 1, column 40"),
    "NATURAL JOIN": (COUNT + " NATURAL JOIN patients", "query.not_in_grammar", "line 1, column 42"),
    "ASOF JOIN": (COUNT + " ASOF JOIN patients USING (patient_id)", "query.not_in_grammar", "line 1, column 39"),
    "POSITIONAL JOIN": (COUNT + " POSITIONAL JOIN patients", "query.not_in_grammar", "line 1, column 45"),
    "ANTI JOIN": (COUNT + " ANTI JOIN patients USING (patient_id)", "query.join_kind", "line 1, column 39"),
    "a join on more": (
        COUNT + " v JOIN patients p ON v.patient_id = p.patient_id OR TRUE",
        "query.join_condition",
        "line 1, column 36",
    ),
}
UNKNOWN = {
    "a key nobody lists": (
        "SELECT visit_id, COUNT(*) FROM visits GROUP BY visit_id",
        "query.key_not_public",
        "line 1, column 48",
    ),
    "a person as a key": ("SELECT patient_id, COUNT(*) FROM visits GROUP BY 1", "query.unit_key", "line 1"),
    "a code that is not listed": (WHERE + "dept = 'ZZ'", "query.unknown_code", "line 1, column 35"),
    "one code of several": (WHERE + "dept IN ('A', 'ZZ')", "query.unknown_code", "line 1, column 35"),
    "a key without bounds": (
        "SELECT score, COUNT(*) FROM visits GROUP BY score",
        "query.key_not_public",
        "line 1, column 45",
    ),
    "a sum without bounds": ("SELECT SUM(score) FROM visits", "query.no_bounds", "line 1, column 12"),
    "a median without bounds": ("SELECT MEDIAN(score) FROM visits", "query.no_bounds", "line 1, column 15"),
    "bins without bounds": (
        "SELECT HISTOGRAM(score, 5) AS h, COUNT(*) FROM visits GROUP BY h",
        "query.no_bounds",
        "line 1, column 18",
    ),
    "a sum of a person without bounds": (
        "SELECT AVG(s) FROM (SELECT patient_id, SUM(score) AS s FROM visits GROUP BY 1)",
        "query.no_bounds",
        "line 1, column 40",
    ),
    "not a number": (WHERE + "fee > 'nan'", "query.mixed_kinds", "line 1, column 35"),
    "infinity": ("SELECT SUM(fee * 1e308) FROM visits", "query.bad_number", "line 1, column 18"),
    "a cast to not a number": ("SELECT SUM('nan'::DOUBLE) FROM visits", "query.cast", "line 1, column 12"),
}
BAD = SIZE | LETTERS | QUOTES | GROUPS | PLACES | NAMES | UNKNOWN


@pytest.mark.parametrize(("sql", "code", "place"), BAD.values(), ids=BAD.keys())
def test_it_is_refused_in_words_at_its_place(sql: str, code: str, place: str | None) -> None:
    with pytest.raises(EnclaveError) as refused:
        prepare(sql, DATASET, "1")
    assert refused.value.code == code
    assert refused.value.words("en") and refused.value.words("zh")
    assert (refused.value.place or "").startswith(place or "")


BUDGETS = (
    "nan",
    "NaN",
    "inf",
    "-inf",
    "-1",
    "-0.5",
    "0",
    "0.000",
    "1e3",
    "1.",
    "+1",
    "0x1",
    "1_000",
    "１",
    "٣",
    "1/2",
    "1001",
)


@pytest.mark.parametrize("written", BUDGETS)
def test_a_budget_that_is_none_is_refused(written: str) -> None:
    for asked in ({"epsilon": written}, {"epsilon": None, "accuracy": written.replace("1001", "-1001")}):
        with pytest.raises(BadInput) as refused:
            prepare(COUNT, DATASET, **asked)
        assert refused.value.code in ("query.bad_epsilon", "query.bad_accuracy")


@pytest.mark.parametrize("field", ["epsilon", "delta", "keys_delta"])
@pytest.mark.parametrize("written", ["nan", "sNaN", "Infinity", "-1", "1e400", "1_0", "１", "", "1e-400"])
def test_a_cap_that_is_none_is_refused_when_the_policy_is_read(field: str, written: str) -> None:
    sound = {"epsilon": "10", "delta": "1e-6", "keys_delta": "1e-7", "keys_delta_project": "0"}
    with pytest.raises(BadInput) as refused:
        RegisterCap(**sound | {field: written})
    assert refused.value.code == "broker.budget_policy_broken"
    with pytest.raises(BadInput):
        read_caps("[registers.town]\nepsilon = inf\ndelta = 1e-6\n")


COMMENTED = (
    "SELECT COUNT(*) /* , SUM(fee) FROM patients */ FROM visits -- WHERE urgent",
    "SELECT COUNT(*) /* one /* in another */ of them */ FROM visits",
    "select /*+ FULL(visits) */ count( * )\n\tfrom Visits;",
    'SELECT COUNT(*) FROM "visits"',
    'SELECT COUNT(*) FROM "VISITS" AS "V"',
    "FROM visits SELECT COUNT(*)",
)


@pytest.mark.parametrize("sql", COMMENTED)
def test_comments_capitals_and_quotes_ask_nothing_of_their_own(sql: str) -> None:
    assert prepare(sql, DATASET, "1").answer_key == prepare(COUNT, DATASET, "1").answer_key


def test_nothing_is_charged_and_nothing_opened_for_any_of_them(door: Door) -> None:
    with pytest.raises(EnclaveError):
        door.ask("", "1")
    for sql, _, _ in BAD.values():
        with pytest.raises(EnclaveError):
            door.ask(sql, "1")
    for epsilon in BUDGETS:
        with pytest.raises(EnclaveError):
            door.ask(COUNT, epsilon)
    dataset = door.asker(door.living.project).dataset
    assert not door.extracts.is_open(dataset)
    assert spent(door) == 0
    door.ask(COUNT, "1")
    assert door.extracts.is_open(dataset), "the control"
    assert spent(door) > 0, "the control"


GOOD = {
    "a public list": (
        "SELECT division, COUNT(*) AS n FROM visits JOIN departments USING (dept) GROUP BY division",
        ["medicine", "surgery", "women and children", "acute"],
    ),
    "a name for a level": (
        "WITH per AS (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id), often AS "
        "(SELECT patient_id, n FROM per WHERE n > 2) SELECT p.sex, COUNT(*) AS k, AVG(n) AS mean FROM often "
        "JOIN patients p USING (patient_id) GROUP BY 1",
        None,
    ),
    "one table under another": (
        "SELECT dept, COUNT(*) AS n FROM (SELECT patient_id, dept FROM visits WHERE admit_year = 2023 UNION ALL "
        "SELECT patient_id, dept FROM visits WHERE admit_year = 2024) AS both GROUP BY dept",
        None,
    ),
    "a window": (
        "SELECT division, COUNT(*) AS again FROM (SELECT patient_id, dept, DATE_DIFF('day', LAG(admitted_on) OVER "
        "(PARTITION BY patient_id ORDER BY admitted_on), admitted_on) AS gap FROM visits) JOIN departments USING (dept) "
        "WHERE gap <= 30 GROUP BY division",
        ["medicine", "surgery", "women and children", "acute"],
    ),
}


@pytest.mark.parametrize(("sql", "keys"), GOOD.values(), ids=GOOD.keys())
def test_control_what_a_researcher_types_is_answered(door: Door, sql: str, keys: list[str | None] | None) -> None:
    answered = numbers(door.ask(sql, "5"))
    first, *columns = answered
    assert keys is None or answered[first] == keys
    assert columns and all(n is None or isinstance(n, int | float) for name in columns for n in answered[name])
    assert spent(door) > 0


def spent(door: Door) -> int:
    """By the project and on the population; 0 before an account is opened."""
    kinds = (AccountKind.PROJECT, AccountKind.POPULATION)
    return sum(b.spent.nano_rho for b in balances(door.living.place) if b.kind in kinds)
