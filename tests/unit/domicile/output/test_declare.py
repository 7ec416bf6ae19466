"""Declaring: what is built, what is refused at once, what a kernel is shown."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import domicile.output as output
from domicile.client import Answer
from domicile.rules import Thresholds, read, thresholds
from domicile.wire.shapes import OUTPUT_MIME, AnswerHead, Quote


def frame() -> pd.DataFrame:
    made = pd.DataFrame({"dept": ["CARD", "NEUR"], "los": [5.5, 6.0], "los_low": [5.0, 5.5], "los_high": [6.0, 6.5]})
    made.attrs["domicile_answers"] = ["ans_1"]
    return made


def answer() -> Answer:
    quote = Quote(
        dataset="hospital", version=1, epsilon=0.3, delta=1e-6, rho=1, reply_ms=100, columns=("los",), mechanisms=()
    )
    head = AnswerHead(answer="ans_9", sql="SELECT", quote=quote, epsilon_spent=0.3, rho_spent=1, ledger_head="h")
    return Answer(head, pa.Table.from_pandas(frame(), preserve_index=False))


def declared(made: output.Output | None) -> Any:
    assert made is not None
    return read(made.bundle, thresholds())


def test_a_frame_carries_its_answers_through_ordinary_pandas() -> None:
    made = frame()
    derived = made[made["los"] > 0].sort_values("los").assign(days=1).round(1)
    assert declared(output.table(derived, title="Stay")).answers == ("ans_1",)


def test_an_answer_is_named_by_its_id() -> None:
    assert declared(output.table(answer(), title="Stay")).answers == ("ans_9",)


def test_answers_can_be_named_when_pandas_forgot_them() -> None:
    made = output.table(pd.DataFrame({"n": [1]}), title="Stay", answers=[answer(), "ans_1", "ans_9"])
    assert declared(made).answers == ("ans_9", "ans_1")


def test_a_chart_takes_the_error_bars_that_stand_beside_its_numbers() -> None:
    drawing = declared(output.chart(frame(), mark="bar", x="dept", y="los", title="Stay")).drawing
    assert (drawing.error_low, drawing.error_high) == ("los_low", "los_high")
    assert declared(output.chart(frame(), mark="bar", x="dept", y="los_low", title="Stay")).drawing.error_low is None


def test_a_frame_is_brought_to_plain_types() -> None:
    made = pd.DataFrame(
        {
            "group": pd.Categorical(["a", "b"]),
            "day": pd.to_datetime(["2024-01-01", "2024-02-01"]),
            "n": pd.array([1, None], dtype="Int64"),
        },
        index=pd.Index(["x", "y"], name="key"),
    )
    table = declared(output.table(made, title="Stay", answers=["ans_1"])).table
    assert [str(t) for t in table.schema.types] == ["string", "string", "date32[day]", "int64"]
    assert table.column_names == ["key", "group", "day", "n"]
    assert table.column("n").to_pylist() == [1, None]


def test_columns_of_two_levels_get_one_title() -> None:
    wide = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("persons", "yes"), ("persons", "")]))
    table = declared(output.table(wide, title="Stay", answers=["a"])).table
    assert table.column_names == ["persons yes", "persons"]


@pytest.mark.parametrize(
    ("declare", "words"),
    [
        (lambda: output.table(frame(), title=""), "no title"),
        (lambda: output.table(pd.DataFrame({"n": [1]}), title="Stay"), "names no private answer"),
        (lambda: output.table([1], title="Stay"), "pandas DataFrame"),  # type: ignore[arg-type]  # on purpose
        (lambda: output.table(pd.DataFrame({"n": [1, "x"]}), title="Stay"), "mixes types"),
        (
            lambda: output.table(pd.DataFrame({"t": [datetime(2024, 1, 1, 3)]}), title="S", answers=["a"]),
            "type timestamp",
        ),
        (lambda: output.chart(frame(), mark="pie", x="dept", y="los", title="S"), "one of these marks"),  # type: ignore[arg-type]  # on purpose
        (lambda: output.text("姓名：张三", title="Stay"), "identifies a person"),
        (lambda: output.text(3, title="Stay"), "made of a string"),  # type: ignore[arg-type]  # on purpose
        (lambda: output.model(object()), "Models cannot leave"),
        (lambda: output.table(frame(), title="Stay", limits=Thresholds(max_rows=1)), "more than 1 rows"),
    ],
)
def test_what_could_not_leave_is_refused_while_writing(
    declare: Callable[[], object], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOMICILE_LANG", "en")
    with pytest.raises(output.OutputError, match=words):
        declare()


def test_the_refusal_speaks_chinese_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOMICILE_LANG", "zh")
    with pytest.raises(output.OutputError, match="没有标题"):
        output.table(frame(), title="")


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Where IPython would be: it is no dependency of ours, so only the two names we use stand in."""
    displayed: list[dict[str, Any]] = []
    shell = SimpleNamespace(
        get_ipython=lambda: object(),
        display=SimpleNamespace(display=lambda data, raw: displayed.append(data) if raw else None),
    )
    monkeypatch.setitem(sys.modules, "IPython", shell)
    yield displayed


def test_a_kernel_displays_the_bundle_once(kernel: list[dict[str, Any]]) -> None:
    assert output.table(frame(), title="Stay") is None
    assert [set(data) for data in kernel] == [{OUTPUT_MIME, "text/plain", "text/html"}]
    assert base64.b64decode(kernel[0][OUTPUT_MIME]["arrow"])


def test_what_is_shown_is_escaped() -> None:
    made = output.table(pd.DataFrame({"<b>": ["<script>alert(1)</script>"]}), title="<i>x</i>", answers=["a"])
    assert made is not None
    assert "<script>" not in made._repr_html_() and "<i>x" not in made._repr_html_()


def test_importing_the_researchers_side_loads_neither_pandas_nor_a_network() -> None:
    import subprocess

    probe = "import sys, domicile; print(sorted({'pandas', 'httpx', 'IPython', 'cryptography'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_nameless_index_left_by_sorting_is_not_a_column() -> None:
    made = output.table(frame().sort_values("los", ascending=False), title="Stay")
    assert declared(made).table.column_names == ["dept", "los", "los_low", "los_high"]
