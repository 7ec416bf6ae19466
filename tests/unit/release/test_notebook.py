"""The executed notebook is rebuilt: sources, and what was released in its places."""

from __future__ import annotations

import base64
import json
from typing import Any

import nbformat
import pyarrow as pa

from domicile.rules import Declared
from enclave.release.notebook import rebuilt

TABLE = Declared("table", "Stay", "of all", ("a",), pa.table({"dept": ["<b>"], "los": [5.0]}))
CHART = Declared("chart", "Stay", "", ("a",), pa.table({"dept": ["CARD"], "los": [5.0]}))


def executed(*outputs: dict[str, Any]) -> bytes:
    cell = {"id": "c0", "cell_type": "code", "metadata": {}, "source": "x", "execution_count": 7, "outputs": outputs}
    note = {"id": "c1", "cell_type": "markdown", "metadata": {}, "source": "words"}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell, note]}).encode()


def placeholder(number: int) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": {}, "data": {"text/plain": f"declared output {number}"}}


def test_what_was_released_stands_in_its_place() -> None:
    made = rebuilt(executed(placeholder(1), placeholder(2)), {1: (TABLE, None), 2: (CHART, b"PNG")})
    nbformat.validate(json.loads(made))
    table, chart = json.loads(made)["cells"][0]["outputs"]
    assert "&lt;b&gt;" in table["data"]["text/html"] and "of all" in table["data"]["text/html"]
    assert base64.b64decode(chart["data"]["image/png"]) == b"PNG"


def test_what_was_not_released_is_not_there() -> None:
    stray = {"output_type": "stream", "name": "stdout", "text": "13800138000"}
    made = rebuilt(executed(placeholder(1), placeholder(2), stray), {2: (CHART, b"PNG")})
    assert len(json.loads(made)["cells"][0]["outputs"]) == 1
    assert b"13800138000" not in made
