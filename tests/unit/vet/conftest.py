"""Bundles as a jail hands them back."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from domicile.rules import encode

Bundle = Callable[..., str]


@pytest.fixture
def bundle() -> Bundle:
    """The text of a bundle; a table unless something else is said."""

    def made(table: pa.Table | None = None, **changes: Any) -> str:
        cells = table if table is not None else pa.table({"dept": ["CARD"], "los": [5.5]})
        plain = {"format": 1, "kind": "table", "title": "Stay", "context": "", "answers": ["ans_1"]}
        return json.dumps(plain | {"arrow": base64.b64encode(encode(cells)).decode()} | changes)

    return made
