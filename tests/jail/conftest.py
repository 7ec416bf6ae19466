"""What the tests of the wall share: one wall, and one jail for all probes."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from domicile.wire.shapes import OUTPUT_MIME
from enclave.run import JailSpec, Limits, Outcome, SandboxFiles, Source, Wall, collect, prepare
from enclave.run.jail import run
from enclave.run.notebook import Cell

DECLARE = f"""
def declare(value):
    from IPython.display import display
    display({{"{OUTPUT_MIME}": {{"value": value}}}}, raw=True)
"""


@pytest.fixture(scope="session")
def wall() -> Wall:
    sandbox = SandboxFiles.find()
    return Wall(sandbox, prepare(sandbox), Limits.default(sandbox, seconds=60))


def notebook(*cells: str) -> Source:
    return Source(tuple(Cell("code", cell) for cell in (DECLARE, *cells)))


class Runner:
    """Runs cells behind the wall; the first cell defines `declare(value)`."""

    def __init__(self, wall: Wall) -> None:
        self.wall = wall

    def __call__(self, *cells: str, parameters: dict[str, Any] | None = None, **options: Any) -> Outcome:
        changed = {name: options.pop(name) for name in list(options) if hasattr(self.wall.limits, name)}
        limits = dataclasses.replace(self.wall.limits, **changed)
        return run(self.wall, JailSpec(notebook(*cells), parameters or {}, limits), **options)

    def declared(self, *cells: str, **options: Any) -> list[Any]:
        """What the cells declared; the run must finish."""
        outcome = self(*cells, **options)
        assert outcome.state == "finished", outcome
        bundles = collect(outcome.notebook or b"", notebook(*cells), self.wall.limits)
        return [json.loads(bundle.payload)["value"] for bundle in bundles]


@pytest.fixture(scope="session")
def jailed(wall: Wall) -> Runner:
    return Runner(wall)


@pytest.fixture(scope="session")
def for_others(wall: Wall) -> dict[str, str]:
    """Variables with which another user's Python finds the product; skipped where no other user may walk to it."""
    where = [Path(__file__).parents[2] / "src", *(Path(p) for p in sys.path if p.endswith("site-packages"))]
    environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(map(str, where)), "HOME": "/tmp"}
    uid, gid, groups = wall.environment.user.change
    asked = [str(wall.environment.interpreter.path), "-B", "-c", "import enclave.run"]
    found = subprocess.run(asked, env=environ, cwd="/", user=uid, group=gid, extra_groups=groups, check=False)
    if found.returncode != 0:
        pytest.skip("this checkout lies where no other user may walk, or is for another Python")
    return environ


@pytest.fixture
def left_over() -> Callable[[str], list[int]]:
    """Processes of the machine whose command line holds a mark."""

    def find(mark: str) -> list[int]:
        return list(_with(mark))

    return find


def _with(mark: str) -> Iterator[int]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if mark.encode() in command:
                yield int(folder.name)
