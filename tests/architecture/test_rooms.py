"""Who may start a process, who may open a writing connection, how long a module may be: read from the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
STARTERS = {
    "enclave/run/started.py",
    "enclave/release/draw.py",
    "enclave/bootstrap/up.py",
    # builds the jail's environment with pip and venv before any notebook exists (docs/decisions/0003)
    "enclave/run/environment.py",
    # at home: pip for the same packages, and JupyterLab over them (docs/decisions/0074)
    "domicile/lab/locked.py",
    "domicile/lab/start.py",
}
STARTING_MODULES = {"subprocess", "multiprocessing", "pty", "_posixsubprocess"}
STARTING_CALLS = {
    "fork", "forkpty", "system", "popen", "posix_spawn", "posix_spawnp", "execv", "execve", "execvp", "execvpe",
    "execl", "execle", "execlp", "execlpe", "spawnv", "spawnve", "spawnl", "spawnle", "startfile",
}  # fmt: skip
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "lib", "misc"}


def room(path: Path) -> str:
    return path.relative_to(ROOT / "src").as_posix()


def starts_processes(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (n.name for n in names if n.name.split(".")[0] in STARTING_MODULES)
            case ast.ImportFrom(module=str(module), names=names):
                if module.split(".")[0] in STARTING_MODULES:
                    yield module
                if module == "os":
                    yield from (n.name for n in names if n.name in STARTING_CALLS)
            case ast.Attribute(value=ast.Name(id="os"), attr=attr) if attr in STARTING_CALLS:
                yield f"os.{attr}"


@pytest.mark.parametrize("path", SOURCES, ids=room)
def test_only_named_rooms_start_processes(path: Path) -> None:
    found = list(starts_processes(ast.parse(path.read_text())))
    assert not found or room(path) in STARTERS, f"{room(path)} starts processes: {found}"


def test_the_process_rule_can_fail() -> None:
    assert list(starts_processes(ast.parse("import os\nos.execv('/bin/sh', [])")))
    assert list(starts_processes(ast.parse("from subprocess import run")))


def test_only_audit_and_migrations_open_a_writing_transaction() -> None:
    writers = {
        room(p)
        for p in SOURCES
        if "writing" in {n.id for n in ast.walk(ast.parse(p.read_text())) if isinstance(n, ast.Name)}
    }
    assert writers <= {"enclave/audit/event.py"}


@pytest.mark.parametrize("path", SOURCES, ids=room)
def test_modules_and_functions_stay_short(path: Path) -> None:
    source = path.read_text()
    assert source.count("\n") <= 400
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno + 1 <= 60, f"{node.name} is over 60 lines"


@pytest.mark.parametrize("path", SOURCES, ids=room)
def test_no_room_is_a_drawer(path: Path) -> None:
    assert not FORBIDDEN_NAMES & {part.removesuffix(".py") for part in path.parts[path.parts.index("src") :]}


def test_sandbox_and_product_never_import_each_other() -> None:
    for path in (ROOT / "sandbox").rglob("*.py"):
        tops = {n.split(".")[0] for n in imported(ast.parse(path.read_text()))}
        assert not tops & {"enclave"}, path
    for path in SOURCES:
        assert "sandbox" not in {n.split(".")[0] for n in imported(ast.parse(path.read_text()))}, path


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (n.name for n in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_every_package_says_its_question() -> None:
    for path in SOURCES:
        if path.name == "__init__.py" and "migrations" not in path.parts:
            assert ast.get_docstring(ast.parse(path.read_text())), room(path)
