"""Behind the wall: three verbs over one connected socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest

from domicile.client import Dataset, ProblemError
from domicile.client.channel import VARIABLE, Channel
from domicile.client.dataset import open_dataset
from domicile.rules import encode
from domicile.wire import frame

QUOTE = {
    "dataset": "hospital", "version": 1, "epsilon": 0.3, "delta": 1e-6, "rho": 7, "reply_ms": 100,
    "columns": ["dept", "n"], "mechanisms": [],
}  # fmt: skip
TABLE = pa.table({"dept": ["CARD"], "n": [10.0], "n_se": [2.0], "n_low": [6.1], "n_high": [13.9]})
HEAD = {
    "answer": "ans_1", "sql": "SELECT", "quote": QUOTE, "epsilon_spent": 0.3, "rho_spent": 7, "ledger_head": "h",
}  # fmt: skip
Reply = Callable[[dict[str, Any]], tuple[dict[str, Any], bytes]]


class Broker:
    """The other end: answers each request by `reply` and keeps what was asked."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair()
        self.asked: list[dict[str, Any]] = []
        self.reply: Reply = lambda asked: ({"id": asked["id"], "ok": True, "kind": "quote", "value": QUOTE}, b"")
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with self.far:
            while True:
                try:
                    asked, _ = frame.receive(self.far)
                except (EOFError, OSError):
                    return
                self.asked.append(asked)
                frame.send(self.far, *self.reply(asked))

    def close(self) -> None:
        self.near.close()
        self._thread.join(5)


@pytest.fixture
def broker() -> Iterator[Broker]:
    made = Broker()
    yield made
    made.close()


def test_a_question_travels_with_the_epsilon_that_was_typed(broker: Broker) -> None:
    dataset = Dataset("hospital", Channel(broker.near))
    assert dataset.quote("SELECT 1", epsilon=0.3).rho == 7
    price = {"epsilon": "0.3", "accuracy": None, "confidence": None}
    assert broker.asked == [{"verb": "quote", "dataset": "hospital", "sql": "SELECT 1", **price, "id": 1}]


def test_an_accuracy_travels_as_it_was_typed(broker: Broker) -> None:
    dataset = Dataset("hospital", Channel(broker.near))
    dataset.quote("SELECT 1", accuracy=50, confidence="0.95")
    assert broker.asked[0] | {"epsilon": None, "accuracy": "50", "confidence": "0.95"} == broker.asked[0]
    for wrong in (0, -1, "much", float("nan"), True):
        with pytest.raises(Exception, match="accuracy"):
            dataset.quote("SELECT 1", accuracy=wrong)


def test_an_answer_has_its_table_its_price_and_its_name(broker: Broker) -> None:
    broker.reply = lambda asked: ({"id": asked["id"], "ok": True, "kind": "answer", "value": HEAD}, encode(TABLE))
    answer = Dataset("hospital", Channel(broker.near)).sql("SELECT 1", epsilon="0.3")
    shown = answer.frame()
    assert (answer.id, answer.spent, answer.quote.rho) == ("ans_1", 0.3, 7)
    assert shown.attrs == {"domicile_answers": ["ans_1"]}
    assert list(shown.columns) == ["dept", "n", "n_se", "n_low", "n_high"]
    assert "n=10 [6.1, 13.9]" in repr(answer) and "n_se" not in repr(answer)
    assert "<table>" in answer._repr_html_()


def test_a_problem_is_raised_with_its_words_and_place(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOMICILE_LANG", "zh")
    problem = {"code": "query.unknown_column", "words": "No such column.", "words_zh": "没有此列。", "place": "line 1"}
    broker.reply = lambda asked: ({"id": asked["id"], "ok": False, "problem": problem}, b"")
    with pytest.raises(ProblemError, match=r"没有此列。 \(line 1\)") as refused:
        Dataset("hospital", Channel(broker.near)).quote("SELECT x")
    assert refused.value.code == "query.unknown_column"


@pytest.mark.parametrize(
    "reply",
    [
        {"id": 99, "ok": True, "kind": "quote", "value": QUOTE},
        {"id": 1, "ok": True, "kind": "answer", "value": QUOTE},
        {"id": 1, "ok": False, "problem": "no"},
    ],
)
def test_a_reply_that_is_none_is_refused(broker: Broker, reply: dict[str, Any]) -> None:
    broker.reply = lambda _asked: (reply, b"")
    with pytest.raises(ProblemError) as refused:
        Dataset("hospital", Channel(broker.near)).quote("SELECT 1")
    assert refused.value.code == "client.unexpected"


def test_a_closed_channel_says_that_the_run_is_ending() -> None:
    near, far = socket.socketpair()
    far.close()
    with near, pytest.raises(ProblemError) as refused:
        Channel(near).quote("hospital", "SELECT 1", None)
    assert refused.value.code == "client.channel_closed"


def test_the_channel_of_the_jail_is_found_by_its_number(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    number = broker.near.detach()
    monkeypatch.setenv(VARIABLE, str(number))
    try:
        assert open_dataset("hospital").quote("SELECT 1").rho == 7
        assert Channel.inherited() is Channel.inherited()
    finally:
        from domicile.client import channel

        channel._opened.pop(number)._stream.close()  # type: ignore[attr-defined]  # the test owns the socket


@pytest.mark.parametrize("epsilon", [0, -1, "abc", float("nan"), float("inf"), True])
def test_an_epsilon_that_is_no_price_never_leaves(broker: Broker, epsilon: float) -> None:
    with pytest.raises(ProblemError) as refused:
        Dataset("hospital", Channel(broker.near)).sql("SELECT 1", epsilon=epsilon)
    assert refused.value.code == "client.epsilon_wrong"
    assert broker.asked == []
