"""Which twelve questions are asked, of us and of plain DuckDB?

Each in one form or more (`question.form`); a question counts as its worst form. `plain` is what somebody with the rows
would write, over the stored columns of the same file; its answer is the true one. `compared` are the numbers held against
each other, the other columns are the keys. Money rests in hundredths.
"""

from __future__ import annotations

from dataclasses import dataclass

from domicile import Survival


@dataclass(frozen=True)
class Form:
    """One way to ask a question."""

    name: str
    sql: str
    plain: str
    keys: tuple[str, ...]
    compared: tuple[str, ...] = ("n",)
    averages: bool = False
    """Means and quantiles: of a group without rows there is no true one. Counts and sums of it are 0."""

    @property
    def question(self) -> str:
        return self.name.split(".")[0]


def same(name: str, sql: str, *keys: str, compared: tuple[str, ...] = ("n",)) -> Form:
    """A form whose text both sides understand alike."""
    return Form(name, sql, sql, keys, compared)


def average(name: str, sql: str, *keys: str, compared: tuple[str, ...]) -> Form:
    """The same, of means or quantiles."""
    return Form(name, sql, sql, keys, compared, averages=True)


def fees(name: str, *keys: str) -> Form:
    listed = ", ".join(keys)
    sql, plain = (f"SELECT {listed}, {fee} AS fee FROM visits GROUP BY {listed}" for fee in (FEE, f"{FEE} / 100"))
    return Form(name, sql, plain, keys, ("fee",))


def within_days(name: str, since: str, until: str) -> Form:
    where = f"admitted_on >= DATE '{since}' AND admitted_on < DATE '{until}'"
    return same(name, f"SELECT dept, COUNT(*) AS n FROM visits WHERE {where} GROUP BY dept", "dept")


FEE = "SUM(total_fee)"
TWO = ("dept", "payment")

LIVES = """(SELECT patient_id, MAX(los_days) AS days, COUNT(*) > 1 AS back FROM visits GROUP BY patient_id) AS r
JOIN patients USING (patient_id)"""
"""Invented lives: the longest stay of a person, and whether they came back."""

SUITE: tuple[Form, ...] = (
    same("count.one_key", "SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept", "dept"),
    same("count.two_keys", "SELECT dept, payment, COUNT(*) AS n FROM visits GROUP BY dept, payment", *TWO),
    fees("sum.one_key", "dept"),
    fees("sum.two_keys", *TWO),
    average("mean.one_key", "SELECT dept, AVG(los_days) AS los FROM visits GROUP BY dept", "dept", compared=("los",)),
    average(
        "mean.two_keys",
        "SELECT dept, payment, AVG(los_days) AS los FROM visits GROUP BY dept, payment",
        *TWO,
        compared=("los",),
    ),
    same(
        "join_visit",
        "SELECT v.dept, COUNT(*) AS n FROM diagnoses d JOIN visits v USING (visit_id) GROUP BY v.dept",
        "dept",
    ),
    same(
        "join_person",
        "SELECT p.sex, v.dept, COUNT(*) AS n FROM visits v JOIN patients p USING (patient_id) GROUP BY 1, 2",
        "sex",
        "dept",
    ),
    same(
        "distinct_persons",
        "SELECT dx_category, COUNT(DISTINCT patient_id) AS n FROM visits GROUP BY dx_category",
        "dx_category",
    ),
    same("unlisted_keys", "SELECT dx_code, COUNT(DISTINCT patient_id) AS n FROM visits GROUP BY dx_code", "dx_code"),
    average("median", "SELECT dept, MEDIAN(los_days) AS los FROM visits GROUP BY dept", "dept", compared=("los",)),
    Form(
        "histogram",
        "SELECT HISTOGRAM(los_days, 5) AS b, COUNT(*) AS n FROM visits GROUP BY b",
        "SELECT format('[{}, {})', 5 * b, 5 * b + 5) AS b, n "
        "FROM (SELECT los_days // 5 AS b, COUNT(*) AS n FROM visits GROUP BY b)",
        ("b",),
    ),
    same(
        "per_person",
        "SELECT AVG(n) AS n FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id) AS each",
    ),
    within_days("filter.1_percent", "2022-05-01", "2022-05-16"),
    within_days("filter.10_percent", "2022-05-01", "2022-09-24"),
    within_days("filter.100_percent", "2020-12-01", "2025-01-31"),
    Form(
        "survival",
        Survival("days", "back", LIVES, 5, 60, by="sex").sql.replace("AS persons", "AS n"),
        "SELECT CASE WHEN step = 12 THEN '>= 60' ELSE format('[{}, {})', 5 * step, 5 * step + 5) END AS step, happened, "
        f"stratum, n FROM (SELECT days // 5 AS step, back AS happened, sex AS stratum, COUNT(*) AS n FROM {LIVES} "
        "GROUP BY 1, 2, 3)",
        ("step", "happened", "stratum"),
    ),
)

MORE: tuple[Form, ...] = (
    average(
        "quartiles",
        "SELECT dept, QUANTILE_CONT(los_days, 0.25) AS low, QUANTILE_CONT(los_days, 0.5) AS mid, "
        "QUANTILE_CONT(los_days, 0.75) AS high FROM visits GROUP BY dept",
        "dept",
        compared=("low", "mid", "high"),
    ),
    average("deviation", "SELECT dept, STDDEV_POP(los_days) AS sd FROM visits GROUP BY dept", "dept", compared=("sd",)),
    average("correlation", "SELECT CORR(los_days, total_fee) AS r FROM visits", compared=("r",)),
    same("values", "SELECT dept, COUNT(DISTINCT dx_category) AS n FROM visits GROUP BY dept", "dept"),
    same(
        "filtered_persons",
        "SELECT dept, COUNT(DISTINCT patient_id) AS n FROM visits WHERE admit_year = 2023 GROUP BY dept",
        "dept",
    ),
    average(
        "two_levels",
        "SELECT dept, AVG(n) AS n FROM (SELECT patient_id, dept, COUNT(*) AS n FROM visits GROUP BY patient_id, dept) "
        "AS each GROUP BY dept",
        "dept",
        compared=("n",),
    ),
    same(
        "stacked",
        "SELECT code, COUNT(*) AS n FROM (SELECT patient_id, dx_category AS code FROM visits UNION ALL "
        "SELECT patient_id, dx_category AS code FROM diagnoses) AS codes GROUP BY code",
        "code",
    ),
    same(
        "many_to_many",
        "SELECT d.rank, COUNT(*) AS n FROM visits v JOIN diagnoses d USING (patient_id) WHERE v.dept = 'ONCO' "
        "GROUP BY d.rank",
        "rank",
    ),
)
"""Other shapes the grammar has: measured beside the suite, and not counted in it. Those whose rows are told apart person by
person are refused where the dataset is too large for the engine's memory."""
