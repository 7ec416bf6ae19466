"""How does JupyterLab start at home, so that a notebook written in it runs behind the wall as it is?

Its one kernel is that of the locked environment; a folder without a notebook gets one that opens the twin.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import NoReturn

from domicile.client.problem import refusal
from domicile.lab.locked import KERNEL, Locked

FIRST = "first.ipynb"


def check_installed() -> None:
    """ProblemError when JupyterLab is not there."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise refusal("needs_lab")


def first_notebook(dataset: str) -> str:
    """A notebook that opens the twin of `dataset` and says what is in it."""
    sources = (f'import domicile\n\ndata = domicile.open("{dataset}")', "data")
    cells: list[dict[str, object]] = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": text, "outputs": [], "execution_count": None}
        for n, text in enumerate(sources)
    ]
    kernel = {"name": KERNEL, "display_name": "Python, as behind the wall", "language": "python"}
    head = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}}
    return json.dumps({**head, "cells": cells}, indent=1) + "\n"


def write_first(folder: Path, dataset: str) -> Path | None:
    """That notebook in `folder`, unless there is one already; where it was written."""
    if any(folder.glob("*.ipynb")):
        return None
    path = folder / FIRST
    path.write_text(first_notebook(dataset), encoding="utf-8")
    return path


def start(locked: Locked, folder: Path, more: list[str]) -> NoReturn:
    """Become JupyterLab over `folder`: what ends this process ends it. `more` are words of JupyterLab's own."""
    environ = {**os.environ, "JUPYTER_PATH": str(locked.kernel())}
    own = [f"--ServerApp.root_dir={folder}", f"--MultiKernelManager.default_kernel_name={KERNEL}"]
    own += [f"--KernelSpecManager.allowed_kernelspecs={KERNEL}", "--KernelSpecManager.ensure_native_kernel=False"]
    os.execve(sys.executable, [sys.executable, "-m", "jupyterlab", *own, *more], environ)
