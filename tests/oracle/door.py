"""A door to the planner and an engine in this very process: what a notebook asks is priced and answered as the broker would,
without a ledger."""

from __future__ import annotations

from typing import Any

from domicile.client.answer import Answer
from domicile.client.dataset import Dataset
from domicile.client.problem import ProblemError
from domicile.wire.shapes import AnswerHead, DatasetCard, Problem, Quote
from enclave import catalogue
from enclave.errors import EnclaveError
from enclave.query import Priced, execute, prepare
from enclave.query.answer import Totals


class Door:
    """Three verbs over one dataset."""

    def __init__(self, dataset: catalogue.Dataset, engine: Totals, *, pure: bool = False) -> None:
        self.pure = pure
        self.dataset = dataset
        self.engine = engine
        self.asked: list[Priced] = []

    def describe(self, dataset: str) -> DatasetCard:
        return catalogue.card(self.dataset)

    def quote(self, dataset: str, sql: str, epsilon: str | None, **within: Any) -> Quote:
        return self._priced(sql, epsilon, **within).quote

    def ask(self, dataset: str, sql: str, epsilon: str | None, **within: Any) -> Answer:
        priced = self._priced(sql, epsilon, **within)
        done = execute(priced, self.engine)
        assert not done.incident, sql
        self.asked.append(priced)
        head = AnswerHead(
            answer=f"ans_{len(self.asked)}",
            sql=sql,
            quote=priced.quote,
            epsilon_spent=priced.epsilon,
            rho_spent=priced.rho,
            ledger_head="0" * 64,
        )
        return Answer.read(head, done.body)

    def _priced(self, sql: str, epsilon: str | None, **within: Any) -> Priced:
        try:
            return prepare(sql, self.dataset, epsilon, **within, pure=self.pure)
        except EnclaveError as refused:
            said = Problem(
                code=refused.code, words=refused.words("en"), words_zh=refused.words("zh"), place=refused.place
            )
            raise ProblemError(said) from None


def opened(dataset: catalogue.Dataset, engine: Totals, *, pure: bool = False) -> tuple[Dataset, Door]:
    """The dataset as a notebook has it, of a project in pure ε or not, and what was asked of it."""
    door = Door(dataset, engine, pure=pure)
    return Dataset(dataset.name, door), door
