"""Which columns of one row must be at peace with each other?

The rules of the inpatient front page (病案首页), each stated over data elements: it applies to every table in which all
its elements are mapped. Sex and birth date of the person reach the person's rows in other tables. All SQL is over one
row: true where the row is at fault, never where something is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from enclave.intake.standards import resident

# WHO ICD-10: categories that occur in one sex only.
_FEMALE = (
    ("C51", "C58"),
    ("D06", "D06"),
    ("D25", "D28"),
    ("E28", "E28"),
    ("N70", "N77"),
    ("N80", "N98"),
    ("O00", "O99"),
)
_MALE = (("C60", "C63"), ("D29", "D29"), ("N40", "N51"))


@dataclass(frozen=True)
class Crossing:
    """A rule over the elements it names, the first being where the fault is shown.

    In `fault`, `{x}` is the column of element x, `{x.day}` its date, `{id.…}` what a resident number says, `{male}` and
    `{female}` tests of the sex, `{fee_item}` the sum of all parts of the fee.
    """

    code: str
    needs: tuple[str, ...]
    fault: str

    def sql(self, columns: Mapping[str, str]) -> str:
        """The rule over these columns."""
        words = dict(columns) | {f"{key}.day": f"CAST({column} AS DATE)" for key, column in columns.items()}
        if number := columns.get("resident_id"):
            words |= {"id.birth": resident.birth(number), "id.male": resident.is_male(number)}
        text = self.fault
        for key, sql in words.items():
            text = text.replace("{" + key + "}", sql)
        return text


def sex_of(code: str) -> str | None:
    """`female` or `male` where an ICD-10 category, or a chapter of them, occurs in that sex alone."""
    if code == "XV":
        return "female"
    if len(code) < 3:
        return None
    for sex, ranges in (("female", _FEMALE), ("male", _MALE)):
        if any(low <= code[:3] <= high for low, high in ranges) and code[1:3].isdecimal():
            return sex
    return None


def _within(ranges: tuple[tuple[str, str], ...]) -> str:
    """One pattern of all categories: a sixth of the work of comparing with both ends of each range."""
    named = (f"{low[0]}{n:02d}" for low, high in ranges for n in range(int(low[1:]), int(high[1:]) + 1))
    return f"regexp_matches({{main_dx}}, '^(?:{'|'.join(named)})')"


_DAYS = "date_diff('day', {admitted_at.day}, {discharged_at.day})"
_YEARS = "date_sub('year', {birth_date.day}, {admitted_at.day})"
_OLD = "date_diff('day', {birth_date.day}, {admitted_at.day})"

CROSSINGS = (
    Crossing("discharge_before_admission", ("discharged_at", "admitted_at"), "{discharged_at} < {admitted_at}"),
    Crossing(
        "stay_is_not_the_days",
        ("los_days", "admitted_at", "discharged_at"),
        # whoever leaves on the day they came has stayed one day or none: hospitals count both ways
        f"({_DAYS} >= 0 AND {{los_days}} <> {_DAYS} AND NOT ({_DAYS} = 0 AND {{los_days}} = 1))",
    ),
    Crossing("fee_is_not_the_sum", ("total_fee", "fee_item"), "abs({total_fee} - ({fee_item})) > 0.01"),
    Crossing("diagnosis_of_women", ("main_dx", "male"), f"CASE WHEN {{male}} THEN {_within(_FEMALE)} END"),
    Crossing("diagnosis_of_men", ("main_dx", "female"), f"CASE WHEN {{female}} THEN {_within(_MALE)} END"),
    Crossing("id_against_birth", ("resident_id", "birth_date"), "{id.birth} <> {birth_date.day}"),
    Crossing(
        "id_against_sex",
        ("resident_id", "male", "female"),
        "CASE WHEN {male} THEN NOT {id.male} WHEN {female} THEN {id.male} END",
    ),
    Crossing("admission_before_birth", ("admitted_at", "birth_date"), "{admitted_at.day} < {birth_date.day}"),
    Crossing("age_is_not_from_birth", ("age", "admitted_at", "birth_date"), f"{{age}} <> {_YEARS}"),
    Crossing(
        "newborn_without_weight",
        ("birth_weight", "admitted_at", "birth_date"),
        f"{_OLD} BETWEEN 0 AND 28 AND {{birth_weight}} IS NULL",
    ),
    Crossing("death_without_autopsy", ("autopsy", "discharge_way"), "{discharge_way} = '5' AND {autopsy} IS NULL"),
    Crossing(
        "operation_outside_stay",
        ("operated_at", "admitted_at", "discharged_at"),
        "({operated_at.day} < {admitted_at.day} OR {operated_at.day} > {discharged_at.day})",
    ),
)
