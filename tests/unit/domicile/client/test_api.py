"""Each method asks its path and reads its reply; every refusal keeps its words."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pyarrow as pa
import pytest

from domicile.client import Api, ProblemError, Session
from domicile.rules import encode

SESSION = Session("https://enclave.example.org", "secret")
RUN = {"run": "run_1", "project": "p", "dataset": "hospital", "state": "queued", "submitted_at": "2026-01-01T00:00:00Z"}
QUOTE = {
    "dataset": "hospital", "version": 1, "epsilon": 0.3, "delta": 1e-6, "rho": 7, "reply_ms": 100,
    "columns": [], "mechanisms": [],
}  # fmt: skip


class Server:
    """Replies what it was told to; keeps what it was asked."""

    def __init__(self, reply: Any, status: int = 200) -> None:
        self.reply, self.status = reply, status
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if isinstance(self.reply, bytes):
            return httpx.Response(self.status, content=self.reply)
        return httpx.Response(self.status, json=self.reply)

    def api(self) -> Api:
        return Api(SESSION, httpx.MockTransport(self))


def test_a_notebook_travels_as_text_with_its_parameters_apart() -> None:
    server = Server(RUN)
    card = server.api().submit("{}", project="p", dataset="hospital", parameters={"epsilon": 0.3})
    asked = server.asked[0]
    assert card.run == "run_1"
    assert (asked.method, asked.url.path) == ("POST", "/api/v1/runs")
    assert asked.headers["authorization"] == "Bearer secret"
    assert json.loads(asked.content) == {
        "project": "p", "dataset": "hospital", "parameters": {"epsilon": 0.3}, "notebook": "{}", "name": "notebook.ipynb",
        "priority": 0,
    }  # fmt: skip


def test_names_stay_one_segment_of_the_path() -> None:
    server = Server(RUN)
    server.api().run("../budget?x=1")
    assert server.asked[0].url.raw_path == b"/api/v1/runs/..%2Fbudget%3Fx%3D1"


def test_lists_are_lists_of_cards() -> None:
    assert [card.run for card in Server({"runs": [RUN]}).api().runs()] == ["run_1"]
    assert Server({"datasets": []}).api().datasets() == []
    assert Server({"requests": [{"request": "req_1"}]}).api().requests() == [{"request": "req_1"}]


def test_a_quote_is_a_question_without_an_answer() -> None:
    server = Server(QUOTE)
    assert server.api().quote("hospital", "SELECT 1", "0.3").rho == 7
    assert json.loads(server.asked[0].content) == {
        "sql": "SELECT 1",
        "epsilon": "0.3",
        "accuracy": None,
        "confidence": None,
        "project": None,
    }


def test_the_twin_answers_in_the_shape_of_the_broker() -> None:
    head = {"answer": "a", "sql": "S", "quote": QUOTE, "epsilon_spent": 0.0, "rho_spent": 0, "ledger_head": ""}
    arrow = base64.b64encode(encode(pa.table({"n": [1.0]}))).decode()
    answer = Server({"head": head, "arrow": arrow}).api().ask("hospital", "S", "0.3")
    assert answer.frame()["n"].tolist() == [1.0]


def test_a_problem_keeps_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOMICILE_LANG", "en")
    problem = {"code": "twin.failed", "words": "No twin yet.", "words_zh": "尚无。", "place": None}
    with pytest.raises(ProblemError, match=r"No twin yet\."):
        Server(problem, 409).api().ask("hospital", "S", None)


@pytest.mark.parametrize(
    ("reply", "status"), [(b"<html>", 500), ({"detail": "x"}, 422), (b"not json", 200), ([1], 200), ({"run": 1}, 200)]
)
def test_a_reply_that_is_none_is_named(reply: Any, status: int) -> None:
    with pytest.raises(ProblemError) as refused:
        Server(reply, status).api().run("run_1")
    assert refused.value.code == "client.unexpected"


def test_a_redirect_does_not_take_the_token_elsewhere() -> None:
    def elsewhere(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "enclave.example.org"
        return httpx.Response(302, headers={"location": "https://other.example.org/"})

    with pytest.raises(ProblemError):
        Api(SESSION, httpx.MockTransport(elsewhere)).me()


def test_an_enclave_that_does_not_answer_is_named() -> None:
    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no")

    with pytest.raises(ProblemError) as refused:
        Api(SESSION, httpx.MockTransport(refuse)).me()
    assert refused.value.code == "client.unreachable"
