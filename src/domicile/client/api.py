"""What can be asked of the enclave from outside? One typed method per path of `/api/v1`."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from domicile.client.answer import Answer
from domicile.client.problem import received, refusal
from domicile.client.rehearsal import note
from domicile.client.session import PROJECT, Session
from domicile.wire.known import KnownCard
from domicile.wire.shapes import (
    AccountCard,
    AnswerHead,
    BatchCard,
    BatchForm,
    DatasetCard,
    EnvironmentCard,
    Quote,
    RunCard,
    Shape,
)

if TYPE_CHECKING:
    import httpx

Card = TypeVar("Card", bound=Shape)
Scalar = str | int | float | bool
_SECONDS = 60.0


class Api:
    """The enclave one logged in to. `transport` is for tests: an in-process server instead of a socket."""

    def __init__(self, session: Session, transport: httpx.BaseTransport | None = None) -> None:
        import httpx

        self._unreachable = (httpx.TransportError,)
        self._http = httpx.Client(
            base_url=f"{session.url}/api/v1/",
            headers={"Authorization": f"Bearer {session.token}"},
            timeout=_SECONDS,
            transport=transport,
            follow_redirects=False,
            trust_env=False,  # a proxy named in the environment would be handed the token
        )

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def key(self) -> str:
        """The public key under which this enclave signs its receipts, in hex."""
        return str(self._get("key")["public_key"])

    def environment(self) -> EnvironmentCard:
        """The lock of the packages that notebooks find behind the wall."""
        return self._card(EnvironmentCard, self._get("environment"))

    def me(self) -> dict[str, Any]:
        """Whose token this is: member, name, roles, expiry."""
        return self._get("me")

    def datasets(self) -> list[DatasetCard]:
        return self._cards(DatasetCard, self._get("datasets"), "datasets")

    def describe(self, dataset: str) -> DatasetCard:
        return self._card(DatasetCard, self._get(f"datasets/{_segment(dataset)}"))

    def known(self, dataset: str) -> KnownCard:
        """Beside the dictionary: freshness, use, and the summaries that were bought."""
        return self._card(KnownCard, self._get(f"datasets/{_segment(dataset)}/known"))

    def quote(
        self,
        dataset: str,
        sql: str,
        epsilon: str | None,
        project: str | None = None,
        *,
        accuracy: str | None = None,
        confidence: str | None = None,
    ) -> Quote:
        price = {"epsilon": epsilon, "accuracy": accuracy, "confidence": confidence}
        question = {"sql": sql, **price, "project": project or os.environ.get(PROJECT)}
        return self._card(Quote, self._post(f"datasets/{_segment(dataset)}/quote", question))

    def ask(
        self,
        dataset: str,
        sql: str,
        epsilon: str | None,
        project: str | None = None,
        *,
        accuracy: str | None = None,
        confidence: str | None = None,
    ) -> Answer:
        """Ask the invented twin: free, and of nobody; at the price, in the measure and under the rules of the project."""
        price = {"epsilon": epsilon, "accuracy": accuracy, "confidence": confidence}
        question = {"sql": sql, **price, "project": project or os.environ.get(PROJECT)}
        reply = self._post(f"datasets/{_segment(dataset)}/ask", question)
        head = self._card(AnswerHead, reply.get("head"))
        note(head)
        return Answer.read(head, base64.b64decode(str(reply.get("arrow", ""))))

    def request(self, form: Mapping[str, Any]) -> dict[str, Any]:
        """Ask for access; the reply names the request and its state."""
        return self._post("requests", dict(form))

    def requests(self) -> list[dict[str, Any]]:
        return list(self._get("requests")["requests"])

    def budget(self) -> list[AccountCard]:
        return self._cards(AccountCard, self._get("budget"), "accounts")

    def ask_for_budget(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Ask for higher caps; the reply names the request and its state."""
        return self._post("budget/requests", dict(form))

    def budget_requests(self) -> list[dict[str, Any]]:
        return list(self._get("budget/requests")["increases"])

    def withdraw_budget_request(self, increase: str) -> dict[str, Any]:
        return self._post(f"budget/requests/{_segment(increase)}/withdraw", {})

    def submit(
        self,
        notebook: str,
        *,
        project: str,
        dataset: str,
        parameters: Mapping[str, Scalar],
        name: str = "notebook.ipynb",
        priority: int = 0,
    ) -> RunCard:
        """Submit the text of a notebook; its parameters travel apart from it. `priority` is among the project's runs."""
        job = {"project": project, "dataset": dataset, "parameters": dict(parameters), "notebook": notebook}
        return self._card(RunCard, self._post("runs", {**job, "name": name, "priority": priority}))

    def retry(self, run: str) -> RunCard:
        """The same notebook and parameters once more; what was asked before costs nothing again."""
        return self._card(RunCard, self._post(f"runs/{_segment(run)}/retry", {}))

    def runs(self) -> list[RunCard]:
        return self._cards(RunCard, self._get("runs"), "runs")

    def run(self, run: str) -> RunCard:
        return self._card(RunCard, self._get(f"runs/{_segment(run)}"))

    def cancel(self, run: str) -> RunCard:
        return self._card(RunCard, self._post(f"runs/{_segment(run)}/cancel", {}))

    def check_batch(self, form: BatchForm) -> BatchCard:
        """The runs of a plan and their price; nothing is handed in."""
        return self._card(BatchCard, self._post("batches/check", form.model_dump(mode="json")))

    def submit_batch(self, form: BatchForm) -> BatchCard:
        """Hand a plan in; the same plan again is the batch there is."""
        return self._card(BatchCard, self._post("batches", form.model_dump(mode="json")))

    def batches(self, digest: str = "") -> list[BatchCard]:
        """The batches of one's projects, newest first, or those of one plan."""
        path = f"batches?digest={_segment(digest)}" if digest else "batches"
        return self._cards(BatchCard, self._get(path), "batches")

    def batch(self, batch: str) -> BatchCard:
        return self._card(BatchCard, self._get(f"batches/{_segment(batch)}"))

    def cancel_batch(self, batch: str) -> BatchCard:
        return self._card(BatchCard, self._post(f"batches/{_segment(batch)}/cancel", {}))

    def release(self, name: str) -> bytes:
        """The zip of a release, named by its own id, its run, or one of its outputs."""
        return self._call("GET", f"releases/{_segment(name)}").content

    def _get(self, path: str) -> dict[str, Any]:
        return self._object(self._call("GET", path))

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._object(self._call("POST", path, body))

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        try:
            reply = self._http.request(method, path, json=body)
        except self._unreachable as gone:
            raise refusal("unreachable") from gone
        if not reply.is_success:
            try:
                problem = reply.json()
            except ValueError:
                problem = None
            raise received(problem, reply.status_code)
        return reply

    def _object(self, reply: httpx.Response) -> dict[str, Any]:
        try:
            value = reply.json()
        except ValueError as broken:
            raise refusal("unexpected", status=reply.status_code) from broken
        if not isinstance(value, dict):
            raise refusal("unexpected", status=reply.status_code)
        return value

    def _card(self, shape: type[Card], value: object) -> Card:
        try:
            return shape.model_validate(value)
        except ValidationError as broken:
            raise refusal("unexpected", status=shape.__name__) from broken

    def _cards(self, shape: type[Card], reply: dict[str, Any], key: str) -> list[Card]:
        return [self._card(shape, value) for value in reply.get(key, ())]


def _segment(name: str) -> str:
    """`name` as one segment of a path."""
    from urllib.parse import quote

    return quote(name, safe="")
