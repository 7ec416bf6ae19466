"""The page of models: its examples run, over the real dictionary, and its columns are those that come back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.oracle.door import Door
from tests.oracle.madeup import MadeUp

import domicile
from domicile.client.answer import Answer
from domicile.client.dataset import Dataset
from domicile.wire.shapes import AnswerHead
from enclave.catalogue.dictionary import dataset_of
from enclave.intake import descriptor
from enclave.query import execute

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "models.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.S)
CALLS = re.compile(r"^(\w+\.\w+\(.*?\))  # (.*)$", re.M)


class InventedDoor(Door):
    """Answers every question from totals out of thin air."""

    def ask(self, dataset: str, sql: str, epsilon: str | None, **within: Any) -> Answer:
        priced = self._priced(sql, epsilon, **within)
        body = execute(priced, MadeUp(priced)).body
        head = AnswerHead(
            answer="ans",
            sql=sql,
            quote=priced.quote,
            epsilon_spent=priced.epsilon,
            rho_spent=priced.rho,
            ledger_head="0",
        )
        return Answer.read(head, body)


@pytest.fixture
def hospital(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "policies" / "datasets" / "hospital" / "datapackage.yaml").read_bytes()
    dataset = dataset_of(descriptor.parse(text), version=1, digest="0" * 64, policy_digest="0" * 64)
    door = InventedDoor(dataset, None)  # type: ignore[arg-type]  # never asked for totals
    monkeypatch.setattr(domicile, "open", lambda name: Dataset(name, door))


@pytest.mark.usefixtures("hospital")
def test_every_example_runs_and_shows_the_columns_it_names() -> None:
    names: dict[str, Any] = {}
    for example in EXAMPLES:
        exec(compile(example, "models.md", "exec"), names)  # noqa: S102 - running it is the test
        for call, said in CALLS.findall(example):
            columns = set(eval(call, names).columns)  # noqa: S307 - the same
            for word in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", said):
                assert word in columns or word in ("residual_sd", "age_band"), (call, word)
    assert {"stay", "back", "table"} <= set(names)
    assert len(EXAMPLES) == 4


def test_the_text_shown_by_hand_is_the_text_that_is_asked() -> None:
    asked = domicile.Survival("days", "died", "…", every=10, until=100, by="age_band").sql
    for part in ("HISTOGRAM(days, [0, 10,", "(died) = TRUE AS happened, age_band AS stratum, COUNT(*) AS persons"):
        assert part in asked
        assert part in PAGE
    assert domicile.LinearRegression("LEAST(los_days, 20)", ["age", "sex"], "…").sql.splitlines()[0] in PAGE
