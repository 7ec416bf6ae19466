"""Is every verb found in the module that gives it, and nothing loaded for a verb that does not need it?"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module

import pytest
import typer
from typer.main import get_command

from enclave.cli import SUBJECTS

ENGINES = ("pyarrow", "opendp", "fastapi", "httpx", "numpy")


@pytest.mark.parametrize("module", SUBJECTS)
def test_the_table_of_verbs_is_what_the_module_adds(module: str) -> None:
    part = typer.Typer()
    part.callback()(lambda: None)
    import_module(f"enclave.cli.{module}").add_to(part)
    assert sorted(get_command(part).commands) == sorted(SUBJECTS[module])  # type: ignore[attr-defined]


def loaded_by(words: str) -> set[str]:
    asked = f"import json, sys; {words}; print(json.dumps([m for m in {ENGINES!r} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_a_verb_of_people_waits_for_no_engine() -> None:
    assert loaded_by("import enclave.cli.people") == set()
    assert "pyarrow" in loaded_by("import enclave.cli.data")  # the control
