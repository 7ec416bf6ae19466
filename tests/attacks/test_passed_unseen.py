"""An output says less in its title than it holds, and is passed by somebody who sees no more. Each with its control."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Collection
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import update
from tests.conftest import POLICIES
from typer.testing import CliRunner, Result

from domicile.rules import encode, thresholds
from enclave.cli import app
from enclave.errors import NotFound, Refused, Tampered
from enclave.vet import Finished, Returned, Rules, find, look, take_in
from enclave.vet.tables import outputs

RULES = Rules(thresholds())
HELD = "病案 7654321"


def table(**changes: Any) -> str:
    cells = pa.table({"病历号": [7654321, *range(150)], "note": [HELD, *["\x1b[2K"] * 150]})
    head = {"format": 1, "kind": "table", "title": "Stay", "context": "By department.", "answers": ["ans_1"]}
    return json.dumps(head | {"arrow": base64.b64encode(encode(cells)).decode()} | changes)


def text(words: str) -> str:
    return json.dumps({"format": 1, "kind": "text", "title": "Note", "context": "", "answers": [], "text": words})


def given(_run: str, _ids: Collection[str]) -> Collection[str]:
    return {"ans_1"}


@pytest.fixture
def taken(cast: Any) -> Any:
    shutil.copytree(POLICIES, cast.place.policies, dirs_exist_ok=True)
    cast.place.settings.touch()
    returned = (Returned("out_1", 1, table()), Returned("out_2", 2, text("one\n\ntwo")), Returned("out_3", 3, "{"))
    take_in(
        cast.db, Finished("run_1", "researcher", "prj_1", ("researcher2",), returned), known_answers=given, rules=RULES
    )
    return cast


def typed(cast: Any, who: str, *words: str) -> Result:
    env = {"ENCLAVE_TOKEN": cast.tokens[who], "DOMICILE_LANG": "en"}
    return CliRunner().invoke(app, ["--home", str(cast.place.home), *words], env=env)


def test_who_decides_sees_all_that_would_leave(taken: Any) -> None:
    listed = typed(taken, "steward", "outputs").output
    assert "Stay" in listed and HELD not in listed, "the control: the list shows the title, and passing needs no more"
    seen = typed(taken, "steward", "review", "out_1")
    assert seen.exit_code == 0, seen.output
    assert "By department." in seen.output and "ans_1" in seen.output and "column 1, row 1" in seen.output
    assert f"7654321,{HELD}\n" in seen.output, "the very line of the CSV"
    assert "\x1b" not in seen.output and "\\u{1b}[2K" in seen.output
    assert "51" in seen.output.splitlines()[-1], "what is not shown is counted"
    assert "149," not in seen.output and "149," in typed(taken, "steward", "review", "out_1", "--whole").output
    assert typed(taken, "steward", "review", "out_2").output.endswith("one\n\ntwo\n")
    assert HELD in json.loads(typed(taken, "steward", "review", "out_1", "--json").output)["shown"]


@pytest.mark.parametrize("who", ["researcher", "researcher2", "officer"])
def test_what_nobody_passed_is_read_by_no_author_on_this_way(taken: Any, who: str) -> None:
    refused = typed(taken, who, "review", "out_1")
    assert isinstance(refused.exception, Refused), refused.output
    assert HELD not in refused.output


def test_what_is_looked_at_is_what_was_vetted(taken: Any) -> None:
    steward = taken.member("steward")
    assert look(taken.db, taken.permissions, steward, "out_1", RULES).standing == find(taken.db, "out_1")
    with pytest.raises(NotFound):
        look(taken.db, taken.permissions, steward, "out_3", RULES)
    with taken.db.begin() as connection:
        connection.execute(update(outputs).where(outputs.c.id == "out_2").values(bundle=text("harmless")))
    with pytest.raises(Tampered):
        look(taken.db, taken.permissions, steward, "out_2", RULES)
