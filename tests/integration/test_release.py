"""From a passed output to a verified package, and across crashes on the way."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import domicile
from domicile.client.fetch import unpack
from domicile.rules import Declared, Drawing, encode, thresholds
from enclave import release
from enclave.audit import verify_events
from enclave.errors import NotFound, Refused, Tampered
from enclave.release import BudgetFacts, DatasetFacts, Provenance, RunFacts, fetch, send
from enclave.release.draw import draw
from enclave.release.specification import specification
from enclave.vet import Finished, Returned, Rules, State, decide, of_run, take_in

RULES = Rules(thresholds())
STAY = pa.table({"dept": ["心内科", "=1+1"], "los": [5.5, 6.0], "los_low": [5.0, 5.5], "los_high": [6.0, 6.5]})


def bundle(kind: str, **changes: Any) -> bytes:
    head = {"format": 1, "kind": kind, "title": "住院天数", "context": "", "answers": ["ans_1"]}
    if kind == "text":
        return json.dumps(head | {"text": "冬季更长。"} | changes).encode()
    drawing = {"mark": "bar", "x": "dept", "y": "los", "color": None, "error_low": "los_low", "error_high": "los_high"}
    arrow = base64.b64encode(encode(STAY)).decode()
    return json.dumps(head | {"arrow": arrow} | (drawing if kind == "chart" else {}) | changes).encode()


def provenance(run: str = "run_1") -> Provenance:
    cell: dict[str, Any] = {
        "id": "c0", "cell_type": "code", "metadata": {}, "source": "x", "execution_count": None,
        "outputs": [{"output_type": "display_data", "metadata": {}, "data": {"text/plain": "declared output 1"}}],
    }  # fmt: skip
    executed = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode()
    parameters = {"epsilon": 0.3, "groups": ["a", 1.5]}
    about = RunFacts(run, "researcher", "prj_1", "dp", "stay.ipynb", "ab" * 32, parameters, "env", executed)
    asked = DatasetFacts("hospital", 1, "d" * 64, "f" * 64, "p" * 64, True, "person")
    return Provenance(about, asked, BudgetFacts("0.3", "1e-6", 1_000_000, ("ans_1",), "h" * 64), "one user")


@pytest.fixture
def passed(cast: Any) -> Any:
    """A home where a chart and a text of one run were passed."""
    returned = tuple(Returned(f"out_{n}", n, bundle(kind)) for n, kind in enumerate(("chart", "text"), 1))
    run = Finished("run_1", "researcher", "prj_1", ("researcher",), returned)
    take_in(cast.db, run, known_answers=lambda _run, ids: ids, rules=RULES)
    for output in ("out_1", "out_2"):
        decide(cast.db, cast.permissions, cast.member("steward"), output, "pass")
    return cast


def sent(home: Any) -> Path:
    return send(home.db, home.place, home.keyring, provenance(), rules=RULES)


def test_a_release_leaves_whole_signed_and_verified(passed: Any) -> None:
    folder = sent(passed)
    assert {path.name for path in folder.iterdir()} == {
        "01-chart.csv", "01-chart.parquet", "01-chart.png", "02-text.txt", "notebook.ipynb", "receipt.json",
    }  # fmt: skip
    report = domicile.verify(folder, passed.keyring.public_key)
    assert report.ok and report.key_known
    receipt = report.receipt
    assert (receipt["mark"], receipt["approvers"]) == ("DEMO", ["steward"])
    assert receipt["run"]["parameters"] == {"epsilon": "0.3", "groups": ["a", "1.5"]}
    assert receipt["budget"]["answers"] == ["ans_1"] and receipt["rules"]["digest"] == RULES.digest
    assert [o.state for o in of_run(passed.db, "run_1")] == [State.RELEASED, State.RELEASED]
    assert [e["subject"] for e in passed.events("release.sent")] == [folder.name]
    verify_events(passed.db)


def test_sending_again_sends_nothing_twice(passed: Any) -> None:
    folder = sent(passed)
    before = verify_events(passed.db)
    assert sent(passed) == folder
    assert verify_events(passed.db) == before


def test_nothing_passed_means_nothing_leaves(cast: Any) -> None:
    with pytest.raises(Refused) as refused:
        sent(cast)
    assert refused.value.code == "release.nothing_to_send"
    assert not (cast.place.home / "releases").exists()


@pytest.mark.parametrize("moment", ["_drafted", "_publish", "move_all"])
def test_a_crash_leaves_nothing_half_done_and_the_next_attempt_ends_it(
    passed: Any, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    import sys

    module = sys.modules["enclave.release.send"]
    real: Callable[..., Any] = getattr(module, moment)

    def crashing(*given: Any, **named: Any) -> Any:
        real(*given, **named)  # the worst case: it was done, and the process ends before the commit
        raise KeyboardInterrupt

    events = verify_events(passed.db)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(module, moment, crashing)
        sent(passed)
    assert [o.state for o in of_run(passed.db, "run_1")] == [State.CONSOLIDATED, State.CONSOLIDATED]
    assert verify_events(passed.db) == events
    with pytest.raises(NotFound):
        release.find(passed.db, "run_1")
    folder = sent(passed)
    assert domicile.verify(folder, passed.keyring.public_key).ok


def test_its_project_fetches_a_release_and_nobody_else_does(passed: Any, tmp_path: Path) -> None:
    folder = sent(passed)
    for name in (folder.name, "run_1", "out_2"):
        file, package = fetch(passed.db, passed.place, passed.permissions, passed.member("researcher"), name)
        assert file == f"{folder.name}.zip"
    home = unpack(package, tmp_path / "mine")
    assert domicile.verify(home, passed.keyring.public_key).ok
    zipped = tmp_path / file
    zipped.write_bytes(package)
    assert domicile.verify(zipped, passed.keyring.public_key).ok
    with pytest.raises(NotFound):
        fetch(passed.db, passed.place, passed.permissions, passed.member("researcher2"), "run_1")
    with pytest.raises(NotFound):
        fetch(passed.db, passed.place, passed.permissions, passed.member("researcher"), "run_%")
    assert len(passed.events("release.fetched")) == 3


def test_a_package_altered_at_rest_is_not_handed_out(passed: Any) -> None:
    folder = sent(passed)
    (folder / "02-text.txt").write_text("something else")
    with pytest.raises(Tampered):
        fetch(passed.db, passed.place, passed.permissions, passed.member("researcher"), "run_1")
    shutil.rmtree(folder)
    with pytest.raises(Tampered):
        fetch(passed.db, passed.place, passed.permissions, passed.member("researcher"), "run_1")


def test_two_words_give_two_pictures_so_their_glyphs_are_there() -> None:
    def chart(word: str) -> dict[str, Any]:
        table = pa.table({"dept": [word], "los": [5.0]})
        return specification(Declared("chart", "t", "", ("a",), table, Drawing("bar", "dept", "los")))

    heart, nerve, again = draw([chart("心内科"), chart("神经科"), chart("心内科")])
    assert heart.startswith(b"\x89PNG") and heart == again
    assert heart != nerve, "two different words came out alike: the glyphs are boxes"
