"""What is read of a notebook before it leaves the laptop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from domicile.client.notebook import Notebook, guessed, words_of
from domicile.client.problem import ProblemError


def book(folder: Path, **declared: Any) -> Path:
    path = folder / "in.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "cells": [], "metadata": {"domicile": {"parameters": declared}}}))
    return path


def test_words_are_read_as_declared(tmp_path: Path) -> None:
    read = Notebook.read(book(tmp_path, code={"type": "string"}, n={"type": "int", "default": 3}))
    assert read.parameters(words_of(["code=007"])) == {"code": "007", "n": 3}
    assert guessed("007") == "007" and guessed("7") == 7, "the control: undeclared text is guessed at"


def test_a_value_that_does_not_fit_is_refused_at_home_and_not_repeated(tmp_path: Path) -> None:
    read = Notebook.read(book(tmp_path, n={"type": "int"}))
    with pytest.raises(ProblemError) as refused:
        read.parameters(words_of(["n=hunter2"]))
    assert refused.value.problem.place == "n" and "hunter2" not in str(refused.value)


@pytest.mark.parametrize("pair", ["hunter2", "=hunter2", "a b=hunter2"])
def test_a_pair_that_is_none_is_not_repeated(pair: str) -> None:
    with pytest.raises(ProblemError) as refused:
        words_of([pair])
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("text", ["{", "[]", "nothing", '{"metadata": 3}', "[" * 100_000])
def test_what_is_no_notebook_is_left_for_the_enclave_to_refuse(tmp_path: Path, text: str) -> None:
    path = tmp_path / "in.ipynb"
    path.write_text(text)
    assert Notebook.read(path).schema is None


def test_a_declaration_that_is_not_understood_is_refused_where_it_stands(tmp_path: Path) -> None:
    with pytest.raises(ProblemError) as refused:
        Notebook.read(book(tmp_path, n={"type": "whole"}))
    assert refused.value.problem.place == "metadata.domicile.parameters.n.type"
