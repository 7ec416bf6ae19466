"""Bad input is a clear error by name, an event, and nothing half-done."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from sqlalchemy import select
from tests.living import Living, granted, notebook_of

from domicile.client import ProblemError
from domicile.wire.shapes import OUTPUT_MIME
from enclave import access, people
from enclave.audit.tables import events
from enclave.run.job import listing
from enclave.store import reading


def kinds_since(living: Living, seq: int) -> list[str]:
    with reading(living.db) as connection:
        return list(connection.execute(select(events.c.kind).where(events.c.seq > seq)).scalars())


def newest(living: Living) -> int:
    with reading(living.db) as connection:
        return int(connection.execute(select(events.c.seq).order_by(events.c.seq.desc()).limit(1)).scalar_one())


def book(source: str = "x = 1", cells: int = 1, **more: Any) -> str:
    cell = {"cell_type": "code", "source": source, "metadata": {}, "outputs": []}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell] * cells, **more})


NO_NOTEBOOKS = {
    "nothing": "",
    "no json": "not json",
    "a list": "[]",
    "no cells": '{"cells": 3}',
    "deep": "[" * 100_000,
    "nbformat 3": json.dumps({"nbformat": 3, "worksheets": [{"cells": []}]}),
    "an unknown kernel": book(metadata={"kernelspec": {"name": "ir", "display_name": "R"}}),
    "another language": book(metadata={"kernelspec": {"name": "julia-1.9", "language": "julia"}}),
    "binary in a cell": book("\x00\x01\x02"),
    "many cells": book(cells=100_000),
    "base64 of megabytes": book("x = '" + "QUJD" * (2 << 20) + "'"),
}


@pytest.mark.parametrize("text", NO_NOTEBOOKS.values(), ids=NO_NOTEBOOKS)
def test_a_notebook_that_is_no_notebook_is_refused_before_any_jail(living: Living, text: str) -> None:
    seq, before = newest(living), len(listing(living.db))
    with pytest.raises(ProblemError) as refused:
        living.submit(text)
    assert refused.value.code.startswith("run.")
    assert len(listing(living.db)) == before
    assert "run.submission_refused" in kinds_since(living, seq)


def test_a_name_with_a_line_break_is_refused_by_name(living: Living) -> None:
    with pytest.raises(ProblemError) as refused:
        living.api().submit(book(), project=living.project, dataset="hospital", parameters={}, name="a\nb\x1b[2J.ipynb")
    assert refused.value.code == "run.notebook_name"


@pytest.mark.parametrize("kind", ["200 MB", "a pipe", "a device"])
def test_a_file_that_is_too_large_or_endless_is_not_read(living: Living, tmp_path: Path, kind: str) -> None:
    path = Path("/dev/zero")
    if kind == "200 MB":
        path = tmp_path / "large.ipynb"
        with path.open("wb") as file:
            file.truncate(200 << 20)
    elif kind == "a pipe":
        path = tmp_path / "pipe.ipynb"
        os.mkfifo(path)
    done = living.cli("researcher", "domicile", "submit", str(path), "--project", living.project)
    assert done.returncode == 3, done.stderr
    assert ("larger than 24 MiB" if kind == "200 MB" else "cannot be read") in " ".join(done.stderr.split())


def test_a_notebook_that_prints_a_million_lines_ends_with_a_clear_result(living: Living) -> None:
    card = living.run("for n in range(1_000_000): print(n)")
    assert card.state in ("finished", "killed"), card.why
    assert not card.outputs


def test_an_own_error_is_named_by_class_cell_and_line_without_its_message(living: Living) -> None:
    card = living.run("x = 1", "y = 2\nraise ValueError('a secret of 13 people')")
    assert card.state == "failed"
    assert "ValueError" in card.why and "secret" not in card.why


QUESTIONS = {
    "unknown column": ("SELECT COUNT(*) AS n FROM visits WHERE blood = 'A'", "query."),
    "missing bound": ("SELECT SUM(diagnoses.rank * diagnoses.rank * visit_id) AS s FROM diagnoses", "query."),
    "not a select": ("DELETE FROM visits", "query."),
    "a file": ("SELECT COUNT(*) AS n FROM 'patients.csv'", "query."),
    "a function": ("SELECT COUNT(*) AS n FROM visits WHERE error('x')", "query."),
    "a row": ("SELECT * FROM visits", "query."),
}


def test_a_refused_question_is_refused_in_words_uncharged_and_on_record(living: Living) -> None:
    seq = newest(living)
    spent = {a.name: a.rho_spent for a in living.api().budget()}
    asks = "\n".join(
        f"""
try:
    hospital.sql({sql!r}, epsilon="0.1")
    told[{name!r}] = "answered"
except domicile.ProblemError as refused:
    told[{name!r}] = refused.code"""
        for name, (sql, _) in QUESTIONS.items()
    )
    shown = "domicile.output.text(' '.join(f'{k}={v};' for k, v in told.items()), title='told', context='test')"
    card = living.run(f"import domicile\nhospital = domicile.open('hospital')\ntold = {{}}\n{asks}\n{shown}")
    assert card.state == "finished", card.why
    told = text_of(living, card.run)
    for name, (_, code) in QUESTIONS.items():
        assert f"{name}={code}" in told, told
    assert {a.name: a.rho_spent for a in living.api().budget()} == spent
    assert kinds_since(living, seq).count("question.refused") == len(QUESTIONS)


def text_of(living: Living, run: str) -> str:
    from enclave.run.job import outputs

    return str(json.loads(outputs(living.db, run)[0].bundle)["text"])


def bundle_cell(bundle: dict[str, Any]) -> str:
    return f"from IPython.display import display\ndisplay({{{OUTPUT_MIME!r}: {bundle!r}}}, raw=True)"


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("no arrow", {"arrow": "bm8gYXJyb3c="}, "Arrow"),
        ("a foreign answer", {"answers": ["ab" * 32]}, "answer"),
        ("no bundle", {"kind": "executable"}, ""),
    ],
)
def test_an_output_that_is_none_is_refused_by_name(
    living: Living, name: str, change: dict[str, Any], code: str
) -> None:
    good = living.run(
        "import domicile",
        "t = domicile.open('hospital').sql('SELECT COUNT(*) AS n FROM visits', epsilon='0.1')",
        "domicile.output.table(t, title='n', context='test')",
    )
    living.settled(good.run)
    from enclave.run.job import outputs

    bundle = json.loads(outputs(living.db, good.run)[0].bundle)
    card = living.settled(living.run(bundle_cell({**bundle, **change})).run)
    assert [o.state for o in card.outputs] == ["refused"], name
    assert code in card.outputs[0].why


def test_an_expired_token_opens_nothing(living: Living) -> None:
    token = people.add(
        living.db, living.keyring, living.permissions, living.member("operator"), "latecomer", "Late", ["researcher"]
    )
    assert people.authenticate(living.db, living.keyring, token).id == "latecomer"  # the control
    with pytest.raises(Exception, match="expired"):
        people.authenticate(living.db, living.keyring, token, at="2999-01-01T00:00:00.000000+00:00")


def test_a_revoked_grant_ends_asking(living: Living) -> None:
    _, project = granted(living)
    old, living.project = living.project, project
    try:
        ask = "import domicile\ndomicile.open('hospital').sql('SELECT COUNT(*) AS n FROM visits', epsilon='0.1')"
        assert living.run(ask).state == "finished"  # the control
        access.revoke(living.db, living.keyring, living.permissions, living.member("officer"), project, reason="test")
        with pytest.raises(ProblemError) as refused:
            living.submit(notebook_of(ask))
        assert refused.value.code == "access.grant_revoked"
    finally:
        living.project = old


def test_a_stranger_sees_neither_run_nor_release(living: Living) -> None:
    card = living.run("x = 1")
    assert living.api().run(card.run).state == "finished"  # the control
    with pytest.raises(ProblemError):
        living.api("stranger").run(card.run)
    with pytest.raises(ProblemError):
        living.submit(nbformat.writes(nbformat.v4.new_notebook()), who="stranger")


def test_no_token_no_answer(living: Living) -> None:
    import httpx

    base = f"{living.settings.url}/api/v1"
    assert httpx.get(f"{base}/health").status_code == 200  # the control: this one is public
    for path in ("datasets", "requests", "runs", "budget", "me"):
        reply = httpx.get(f"{base}/{path}")
        assert reply.status_code == 403 and set(reply.json()) == {"code", "words", "words_zh", "place"}, path
