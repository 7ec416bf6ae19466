"""The demo's notebooks, cell by cell: their questions are ones the planner prices, their outputs ones the gate lets through.

The broker's place is taken by a thread that plans each question over the real dictionary and answers with made-up numbers;
the notebooks themselves run behind the wall in the functional tests. Unchanged they run on the twin too that is drawn from
paid marginals.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.oracle import profiles
from tests.oracle.madeup import MadeUp

from domicile.client.channel import VARIABLE
from domicile.rules import failed, thresholds
from domicile.wire import frame
from domicile.wire.shapes import OUTPUT_MIME, AnswerHead
from enclave.catalogue.dataset import Dataset
from enclave.catalogue.dictionary import dataset_of
from enclave.intake import descriptor
from enclave.profile import marginals
from enclave.query import Engine, Priced, execute, prepare
from enclave.twin import make
from enclave.vet import Rules, parse, run_checks

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SHIPPED = ROOT / "policies" / "datasets" / "hospital" / "datapackage.yaml"
RULES = Rules(thresholds())


@pytest.fixture(scope="module")
def hospital() -> Dataset:
    return dataset_of(descriptor.parse(SHIPPED.read_bytes()), version=1, digest="0" * 64, policy_digest="0" * 64)


@pytest.fixture(scope="module")
def drawn_twin(hospital: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The twin that a researcher rehearses on after the steward bought a profile."""
    path = tmp_path_factory.mktemp("drawn") / "hospital.duckdb"
    bought = replace(hospital, profile=profiles.of_nobody(hospital))
    make(descriptor.parse(SHIPPED.read_bytes()), path, persons=500, told=marginals(bought))
    engine = Engine(path, None)
    yield engine
    engine.close()


@pytest.fixture(params=["made up", "drawn twin"])
def twin(request: pytest.FixtureRequest) -> Engine | None:
    """Who answers: nobody, or the twin drawn from paid marginals."""
    if request.param == "made up":
        return None
    engine = request.getfixturevalue("drawn_twin")
    assert isinstance(engine, Engine)
    return engine


def reply(dataset: Dataset, asked: dict[str, Any], twin: Engine | None) -> tuple[str, dict[str, Any], bytes]:
    """A planned and priced question, answered by a twin or from totals out of thin air."""
    priced = prepare(asked["sql"], dataset, asked["epsilon"])
    if asked["verb"] == "quote":
        return "quote", priced.quote.model_dump(mode="json"), b""
    head = AnswerHead(
        answer=priced.answer_key, sql=asked["sql"], quote=priced.quote, epsilon_spent=priced.epsilon,
        rho_spent=priced.rho, ledger_head="0" * 64,
    )  # fmt: skip
    return "answer", head.model_dump(mode="json"), _answered(priced, twin)


def _answered(priced: Priced, twin: Engine | None) -> bytes:
    done = execute(priced, twin or MadeUp(priced))
    assert not done.incident
    return done.body


@pytest.fixture
def asked(hospital: Dataset, twin: Engine | None, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    near, far = socket.socketpair()
    questions: list[dict[str, Any]] = []

    def serve() -> None:
        while True:
            try:
                question, _ = frame.receive(far)
            except EOFError:
                return
            if question["verb"] == "ask":
                questions.append(question)
            kind, value, body = reply(hospital, question, twin)
            frame.send(far, {"id": question["id"], "ok": True, "kind": kind, "value": value}, body)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    number = near.detach()
    monkeypatch.setenv(VARIABLE, str(number))
    yield questions
    from domicile.client import channel

    channel._opened.pop(number)._stream.close()  # type: ignore[attr-defined]  # the test owns the socket
    thread.join(5)
    far.close()


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The bundles a kernel would have displayed."""
    bundles: list[str] = []
    show: Callable[..., None] = lambda data, raw: bundles.append(json.dumps(data[OUTPUT_MIME]))  # noqa: E731
    shell = SimpleNamespace(get_ipython=lambda: object(), display=SimpleNamespace(display=show))
    monkeypatch.setitem(sys.modules, "IPython", shell)
    return bundles


def cells_of(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text())["cells"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_asks_within_its_price_and_declares_what_may_leave(
    path: Path, asked: list[dict[str, Any]], displayed: list[str], hospital: Dataset, twin: Engine | None
) -> None:
    names: dict[str, Any] = {}
    for cell in cells_of(path):
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), path.name, "exec"), names)  # noqa: S102 - running it is the test
        if twin is not None and "parameters" in cell["metadata"].get("tags", []):
            names["epsilon"] = type(names["epsilon"])(100)  # as papermill does: five hundred persons drown in less
    rho = sum(prepare(q["sql"], hospital, q["epsilon"]).rho for q in asked)
    whole = prepare(asked[0]["sql"], hospital, str(names["epsilon"])).rho
    assert len(asked) >= 2 and 0 < rho <= whole
    answers = {prepare(q["sql"], hospital, q["epsilon"]).answer_key for q in asked}
    declared = [parse(text, RULES.limits) for text in displayed]
    assert [d.kind for d in declared].count("chart") >= 1 and "table" in {d.kind for d in declared}
    assert len(declared) >= 3
    for output in declared:
        assert not failed(run_checks(output, lambda ids: answers & set(ids), RULES))
        assert output.drawing is None or (output.drawing.error_low and output.drawing.error_high)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_is_stored_without_outputs_and_with_its_parameters_tagged(path: Path) -> None:
    cells = cells_of(path)
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in cells)
    [parameters] = [c for c in cells if "parameters" in c["metadata"].get("tags", [])]
    assert "".join(parameters["source"]).startswith('dataset = "hospital"\nepsilon = ')
