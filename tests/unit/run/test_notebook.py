"""Which notebooks are run, and what of them goes behind the wall."""

from __future__ import annotations

import json
from typing import Any

import pytest

from enclave.errors import BadInput
from enclave.run.limits import Limits
from enclave.run.notebook import Source, check_name
from enclave.run.sandbox import SandboxFiles

LIMITS = Limits.default(SandboxFiles.find(), cells=5)


def raw(*cells: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells), **more}).encode()


def code(source: Any, **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], **more}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (b"", "run.notebook_not_json"),
        (b"\xff\xfe", "run.notebook_not_json"),
        (b"print(1)", "run.notebook_not_json"),
        (b'{"nbformat": NaN}', "run.notebook_not_json"),
        (b"[" * 200_000, "run.notebook_not_json"),
        (b"[" + b"[]," * 1_100_000 + b"[]]", "run.notebook_not_json"),
        (b'{"nbformat": ' + b"9" * 10_000 + b"}", "run.notebook_not_json"),
        (b"[]", "run.notebook_shape"),
        (b'{"nbformat": 3, "worksheets": []}', "run.notebook_shape"),
        (b'{"nbformat": 4, "cells": {}}', "run.notebook_shape"),
        (b" " * (5 << 20), "run.notebook_too_large"),
        (raw(*[code("1")] * 6), "run.notebook_cells"),
        (raw({"cell_type": "evil", "source": ""}), "run.notebook_cell"),
        (raw(code(7)), "run.notebook_cell"),
        (raw(code(["a", 7])), "run.notebook_cell"),
        (raw(code("1"), metadata={"kernelspec": {"language": "R"}}), "run.notebook_language"),
        (raw(code("1"), metadata={"kernelspec": {"name": "ir"}}), "run.notebook_kernel"),
        (raw(code("1"), metadata={"kernelspec": {"name": ["python"]}}), "run.notebook_kernel"),
        (raw(code("x = '\x00'")), "run.notebook_binary"),
        (raw(code(["a\n", "\x1b]0;title\x07"])), "run.notebook_binary"),
        (raw(code("\ud800")), "run.notebook_binary"),
        (raw({"cell_type": "markdown", "source": "\x7fELF"}), "run.notebook_binary"),
        (raw(code("1"), metadata={"language_info": {"name": "julia"}}), "run.notebook_language"),
    ],
)
def test_what_is_no_notebook_is_refused_by_name(given: bytes, reason: str) -> None:
    with pytest.raises(BadInput) as refused:
        Source.read(given, LIMITS)
    assert refused.value.code == reason
    assert refused.value.words("zh") and str(refused.value)


@pytest.mark.parametrize(
    "metadata",
    [{}, {"kernelspec": {"name": "python3"}}, {"kernelspec": {"name": "mine", "language": "python"}},
     {"kernelspec": {"name": "mine"}, "language_info": {"name": "python"}}, {"kernelspec": {"name": "conda-env-a-py"}}],
)  # fmt: skip
def test_a_kernel_of_python_by_any_name_is_one(metadata: dict[str, Any]) -> None:
    assert Source.read(raw(code("a = 'tab\t 长 é'\n"), metadata=metadata), LIMITS).cells[0].kind == "code"


@pytest.mark.parametrize("name", ["a\nb.ipynb", "a\x1b[2J.ipynb", "x" * 129, "../a.ipynb", "\u202eyp.ipynb", "\ud800"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="Rename"):
        check_name(name)


def test_a_name_may_be_in_any_script() -> None:
    for name in ("住院 天数.ipynb", "Étude (2).ipynb", ""):
        check_name(name)


def test_only_sources_and_tags_go_in() -> None:
    old = {"output_type": "stream", "text": "secret"}
    cell = code(["a = 1\n", "a"], id="mine", outputs=[old], attachments={"x": "secret"})
    cell["metadata"] = {"tags": ["parameters", 7], "secret": "secret"}
    value = json.loads(Source.read(raw(cell, metadata={"secret": 1, "kernelspec": 7}), LIMITS).for_jail())
    assert value["cells"] == [
        {"id": "c0", "cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": "a = 1\na", "outputs": [],
         "execution_count": None}
    ]  # fmt: skip
    assert "secret" not in json.dumps(value)


def test_the_executed_notebook_holds_placeholders_only() -> None:
    source = Source.read(raw(code("1"), code("2")), LIMITS)
    value = json.loads(source.with_placeholders({1: 1, 2: 1}))
    assert [len(cell["outputs"]) for cell in value["cells"]] == [0, 2]
    assert value["cells"][1]["outputs"][0]["data"] == {"text/plain": "declared output 1"}
