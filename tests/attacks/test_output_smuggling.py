"""A notebook tries to carry out what it must not, inside what it may declare. Each attack has its control."""

from __future__ import annotations

import base64
import json
import resource
import subprocess
import sys
import time
from collections.abc import Collection
from typing import Any

import pyarrow as pa
import pytest

from domicile.rules import encode, thresholds
from enclave.errors import BadInput
from enclave.release.draw import _command, draw
from enclave.release.files import csv_bytes
from enclave.release.specification import specification
from enclave.vet import Rules, parse, run_checks

RULES = Rules(thresholds())
RESIDENT = "11010519491231002X"


def bundle(table: pa.Table | None = None, **changes: Any) -> str:
    arrow = base64.b64encode(encode(table if table is not None else pa.table({"dept": ["CARD"]}))).decode()
    head = {"format": 1, "kind": "table", "title": "Stay", "context": "", "answers": ["ans_1"], "arrow": arrow}
    return json.dumps(head | changes)


def given(_ids: Collection[str]) -> Collection[str]:
    return {"ans_1"}


def forbidden(text: str) -> set[str]:
    found = run_checks(parse(text, RULES.limits), given, RULES)
    return {f.place for f in found if f.verdict == "fail"}


def text_bundle(words: str) -> str:
    return json.dumps({"format": 1, "kind": "text", "title": "t", "context": "", "answers": [], "text": words})


def test_the_control_passes() -> None:
    assert forbidden(bundle()) == set()
    assert forbidden(text_bundle("住院时间冬季更长。")) == set()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (bundle(title=f"Stay of {RESIDENT}"), "title"),
        (bundle(context=f"身份证{RESIDENT}号"), "context"),
        (bundle(pa.table({f"c{RESIDENT}": [1]})), None),
        (bundle(pa.table({RESIDENT: [1]})), "name of column 1"),
        (bundle(pa.table({"dept": [f"心内{RESIDENT}"]})), "column 1, row 1"),
        (bundle(pa.table({"dept": ["１３８００１３８０００"]})), "column 1, row 1"),
        (bundle(pa.table({"患者姓名": ["欧阳修"]})), "column 1, row 1"),
        (text_bundle("x" * 3790 + f"电话13800138000{'，' * 300}"), "text"),
        (text_bundle(f"110105\u200b19491231002X and {RESIDENT[:6]}\u2060{RESIDENT[6:]}"), "text"),
    ],
)
def test_an_identifier_does_not_leave(text: str, place: str | None) -> None:
    assert forbidden(text) == ({place} if place else set())


@pytest.mark.parametrize(
    "written",
    [
        "110105 1949 1231 002X",
        "110105 1949-12-31 002X",
        "110105-19491231-002X",
        "(010)62345678",
        "(0571) 8765-4321",
        "008613800138000",
        "+86 138-0013-8000",
    ],
)
def test_an_identifier_does_not_leave_in_the_spacing_people_give_it(written: str) -> None:
    assert forbidden(bundle(pa.table({"dept": [f"心内 {written}"]}))) == {"column 1, row 1"}


@pytest.mark.parametrize("written", ["110105 1949 1231 0021", "(0571) 2019", "f(010)", "2024 (012) 345", "1949 12 31"])
def test_the_control_numbers_of_another_form_pass(written: str) -> None:
    assert forbidden(bundle(pa.table({"dept": [f"心内 {written}"]}))) == set()


def test_a_foreign_answer_cannot_be_named() -> None:
    with pytest.raises(BadInput) as refused:
        run_checks(parse(bundle(answers=["ans_of_another_run"]), RULES.limits), given, RULES)
    assert refused.value.code == "vet.answer_unknown"
    assert "ans_of_another_run" not in refused.value.words("en")


def _stream(table: pa.Table, **options: Any) -> str:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return base64.b64encode(sink.getvalue().to_pybytes()).decode()


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_an_arrow_bomb_is_refused_before_it_unfolds(compression: str) -> None:
    bomb = pa.table({"x": pa.array(["0" * 1_000_000] * 200)})
    arrow = _stream(bomb, compression=compression)
    assert len(arrow) < 8_000_000 and bomb.nbytes > 190_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadInput) as refused:
        parse(bundle(arrow=arrow), RULES.limits)
    assert refused.value.code == "vet.not_arrow"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64_000  # KiB


def test_a_table_that_lies_about_its_rows_is_refused() -> None:
    honest = encode(pa.table({"n": pa.array([1, 2, 3], pa.int64())}))
    lied = honest.replace((3).to_bytes(8, "little"), (2**40).to_bytes(8, "little"))
    assert lied != honest
    with pytest.raises(BadInput) as refused:
        parse(bundle(arrow=base64.b64encode(lied).decode()), RULES.limits)
    assert refused.value.code in {"vet.not_arrow", "vet.over_cap"}


def test_no_flipped_byte_of_a_table_does_more_than_be_refused_or_read() -> None:
    honest = encode(pa.table({"dept": ["CARD", "NEUR"], "n": [1, None]}))
    for place in range(0, len(honest), 3):
        flipped = honest[:place] + bytes([honest[place] ^ 0xFF]) + honest[place + 1 :]
        try:
            parse(bundle(arrow=base64.b64encode(flipped).decode()), RULES.limits)
        except BadInput as refused:
            assert refused.code.startswith("vet.")


def test_a_formula_does_not_run_in_a_spreadsheet() -> None:
    hostile = ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "＝1", "|calc", "plain"]
    lines = csv_bytes(pa.table({"=cmd": hostile, "n": [-1.5] * 8})).decode("utf-8-sig").splitlines()
    assert lines[0] == "'=cmd,n"
    assert all(line.startswith("'") for line in lines[1:8])
    assert lines[8] == "plain,-1.5", "plain words and true numbers stay as they are"


@pytest.mark.parametrize(
    "changes",
    [
        {"data": {"url": "file:///etc/hostname"}},
        {"mark": {"type": "image", "url": "file:///etc/hostname"}},
        {"mark": ["bar"]},
        {"title": {"expr": "1"}},
        {"x": {"field": "dept", "href": "https://example.org"}},
    ],
)
def test_a_chart_cannot_bring_a_specification_along(changes: dict[str, Any]) -> None:
    chart = {
        "kind": "chart",
        "mark": "bar",
        "x": "dept",
        "y": "n",
        "color": None,
        "error_low": None,
        "error_high": None,
    }
    table = pa.table({"dept": ["CARD"], "n": [1.0]})
    assert forbidden(bundle(table, **chart)) == set()
    with pytest.raises(BadInput):
        parse(bundle(table, **(chart | changes)), RULES.limits)


def test_what_is_written_in_a_chart_is_drawn_as_words() -> None:
    name = "datum['c1']|url(file:///etc/hostname)"
    table = pa.table({name: ["{{c1}}"], "n": [1.0]})
    chart = {"kind": "chart", "mark": "bar", "x": name, "y": "n", "color": None, "error_low": None, "error_high": None}
    [picture] = draw([specification(parse(bundle(table, **chart), RULES.limits))])
    assert picture.startswith(b"\x89PNG")


PROBE = """
import json, os, socket
def tried(what):
    try:
        what(); return "open"
    except OSError:
        return "shut"
print(json.dumps({
    "home": tried(lambda: os.listdir(HOME)),
    "passwords": tried(lambda: open("/etc/passwd").read()),
    "write": tried(lambda: open("/easel/x", "w").write("x")),
    "network": tried(lambda: socket.create_connection(ADDRESS, 2)),
    "environment": sorted(os.environ),
}))
"""


def test_what_draws_can_reach_no_file_no_network_and_no_environment(tmp_path: Any) -> None:
    import socket

    (tmp_path / "secret").write_text("x")
    with socket.create_server(("127.0.0.1", 0)) as server:
        head = f"HOME={str(tmp_path)!r}\nADDRESS={server.getsockname()!r}\n"
        inside = [*_command()[:-1], "-c", head + PROBE]
        shut = json.loads(subprocess.run(inside, capture_output=True, check=True, env={}, timeout=60).stdout)
        control = [sys.executable, "-I", "-c", head + PROBE.replace("/easel/x", f"{tmp_path}/x")]
        opened = json.loads(subprocess.run(control, capture_output=True, check=True, timeout=60).stdout)
    assert {k: v for k, v in opened.items() if k != "environment"} == dict.fromkeys(
        ("home", "passwords", "write", "network"), "open"
    )
    assert {k: v for k, v in shut.items() if k != "environment"} == dict.fromkeys(
        ("home", "passwords", "write", "network"), "shut"
    )
    assert set(shut["environment"]) <= {"PWD", "LC_CTYPE"}


def test_a_text_made_to_be_slow_is_scanned_all_the_same() -> None:
    slow = text_bundle(("a@" * 2000 + "姓名" * 2000 + "1 " * 2000 + "62-" * 2000)[:20_000])
    began = time.monotonic()
    forbidden(slow)
    assert time.monotonic() - began < 5
