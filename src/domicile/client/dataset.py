"""What may be asked of a dataset? The same three verbs on the real extract behind the wall and on its twin at home.

A model is a question too: one SELECT that the client writes (`domicile.models`), and what is made of its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Protocol, TypeVar

from domicile.client.answer import Answer
from domicile.client.api import Api
from domicile.client.channel import Channel
from domicile.client.problem import ProblemError, refusal
from domicile.client.session import load
from domicile.models import Crosstab, LinearRegression, Question, Survival, Unclear
from domicile.wire.shapes import DatasetCard, Problem, Quote
from domicile.wire.words import say

if TYPE_CHECKING:
    from domicile.models.linear import Regression
    from domicile.models.surviving import SurvivalCurves
    from domicile.models.tabulated import CrossTable

Decimals = float | str | Decimal
Columns = Sequence[str] | Mapping[str, str]
Asked = TypeVar("Asked", bound=Question)


class Door(Protocol):
    """Whoever answers: the broker behind the wall, the API at home."""

    def describe(self, dataset: str) -> DatasetCard: ...

    def quote(
        self, dataset: str, sql: str, epsilon: str | None, *, accuracy: str | None = None, confidence: str | None = None
    ) -> Quote: ...

    def ask(
        self, dataset: str, sql: str, epsilon: str | None, *, accuracy: str | None = None, confidence: str | None = None
    ) -> Answer: ...


@dataclass(frozen=True)
class Dataset:
    """A dataset by name. Opening it reads nothing and costs nothing."""

    name: str
    _door: Door = field(repr=False, compare=False)

    def describe(self) -> DatasetCard:
        """Tables, columns, bounds and code lists, as the dictionary declares them: free."""
        return self._door.describe(self.name)

    def quote(
        self,
        sql: str | Question,
        *,
        epsilon: Decimals | None = None,
        accuracy: Decimals | None = None,
        confidence: Decimals | None = None,
    ) -> Quote:
        """What `sql`, or a model such as `domicile.Survival(…)`, would cost and how noisy it would be: free. Say
        `epsilon`, or how near the truth the noise must stay: `accuracy=50, confidence=0.95` (counts and sums; of means
        and quantiles an estimate where a profile was bought)."""
        sql = sql if isinstance(sql, str) else sql.sql
        within = {"accuracy": _plain(accuracy, "accuracy"), "confidence": _plain(confidence, "confidence")}
        return self._door.quote(self.name, sql, _plain(epsilon, "epsilon"), **within)

    def sql(
        self,
        sql: str,
        *,
        epsilon: Decimals | None = None,
        accuracy: Decimals | None = None,
        confidence: Decimals | None = None,
    ) -> Answer:
        """Ask, and pay `epsilon`, or the least that keeps the noise within `accuracy` with `confidence`; the same
        question costs nothing twice."""
        within = {"accuracy": _plain(accuracy, "accuracy"), "confidence": _plain(confidence, "confidence")}
        return self._door.ask(self.name, sql, _plain(epsilon, "epsilon"), **within)

    def linear_regression(
        self,
        outcome: str,
        on: Columns,
        *,
        source: str,
        epsilon: Decimals,
        where: str | None = None,
        reference: Mapping[str, str] | None = None,
        confidence: float = 0.95,
    ) -> Regression:
        """Least squares of `outcome` on the columns `on` over the rows of `source` (what follows FROM), all in one
        charge.

        Numbers need bounds: LEAST(los_days, 30) narrows them, and the narrower the less noise. Codes with a public list
        and conditions may stand among `on`; each code but the `reference` (the first, unless said) gets a coefficient.
        """
        from domicile.models.linear import regression

        question = _clear(lambda: LinearRegression(outcome, on, source, where, reference or {}, confidence))
        return regression(question, self.sql(question.sql, epsilon=epsilon))

    def survival(
        self,
        time: str,
        event: str,
        *,
        source: str,
        every: Decimals,
        until: Decimals,
        epsilon: Decimals,
        by: str | None = None,
        where: str | None = None,
        confidence: float = 0.95,
    ) -> SurvivalCurves:
        """Survival curves from time 0 to `until` in intervals of `every`, and the log-rank test between the groups of
        `by`.

        `source` has one row for each person, with `time` as a bounded number (until the event, or until last seen) and
        `event` as a condition: did it happen? A person falls into one cell of one life table, so all of it is one
        charge.
        """
        from domicile.models.surviving import survival

        question = _clear(lambda: Survival(time, event, source, every, until, by, where, confidence))
        if not self.quote(question, epsilon=epsilon).mechanisms[0].one_per_person:
            raise _problem("models.not_one_row")
        return survival(question, self.sql(question.sql, epsilon=epsilon))

    def crosstab(
        self,
        keys: Columns,
        *,
        source: str,
        epsilon: Decimals,
        where: str | None = None,
        count: str = "COUNT(*)",
        confidence: float = 0.95,
    ) -> CrossTable:
        """Counts by all combinations of public `keys`, never negative and adding up to their margins; shares and tests
        of independence of the same answer. `count` may be COUNT(DISTINCT person key)."""
        from domicile.models.tabulated import crosstab

        question = _clear(lambda: Crosstab(keys, source, where, count, confidence))
        return crosstab(question, self.sql(question.sql, epsilon=epsilon))


def _clear(make: Callable[[], Asked]) -> Asked:
    """A question of a model, or a refusal that says what was expected."""
    try:
        return make()
    except Unclear as unclear:
        raise _problem(unclear.code, **unclear.facts) from None


def _problem(code: str, **facts: object) -> ProblemError:
    return ProblemError(Problem(code=code, words=say(code, "en", **facts), words_zh=say(code, "zh", **facts)))


def _plain(number: Decimals | None, what: str) -> str | None:
    """A number as the decimal text that travels: what was typed, never a binary fraction of it."""
    if number is None:
        return None
    try:
        value = Decimal(str(number))
    except InvalidOperation as broken:
        raise refusal(f"{what}_wrong", place=what) from broken
    if isinstance(number, bool) or not value.is_finite() or value <= 0:
        raise refusal(f"{what}_wrong", place=what)
    return format(value, "f")


def open_dataset(name: str) -> Dataset:
    """The dataset called `name`: the real one behind the wall, its twin at home."""
    return Dataset(name, Channel.inherited() or Api(load()))
