"""The page of state diagrams is what the code says, and no machine is missing from it."""

from __future__ import annotations

import ast
import runpy
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def drawing() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "docs" / "draw_states.py"))


def test_the_page_is_what_the_code_says(drawing: dict[str, Any]) -> None:
    assert drawing["PAGE"].read_text(encoding="utf-8") == drawing["page"](), "run `python docs/draw_states.py`"


def test_every_machine_is_drawn(drawing: dict[str, Any]) -> None:
    found = set()
    for path in (ROOT / "src" / "enclave").rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "MOVES":
                found.add(".".join(path.relative_to(ROOT / "src").with_suffix("").parts))
    assert found == set(drawing["MACHINES"].values())


def test_every_machine_is_total(drawing: dict[str, Any]) -> None:
    for name in drawing["MACHINES"].values():
        module = import_module(name)
        kind: type[StrEnum] = type(next(iter(module.MOVES)))
        states = set(kind)
        assert set(module.MOVES) == set(module.OWNERS) == states, name
        assert {there for following in module.MOVES.values() for there in following} <= states, name
        assert set(getattr(module, "EVENTS", states)) == states, name
