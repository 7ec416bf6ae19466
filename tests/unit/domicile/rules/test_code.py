"""What is flagged in a notebook's code for whoever reads it, and what is left alone."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domicile.rules.code import MAX_CHARACTERS, examine_code

SPELLED = {
    "open('/etc/passwd')": "code_file",
    "f = open": "code_file",
    "from io import open as look\nlook('x')": "code_file",
    "import pathlib\npathlib.Path('x').read_text()": "code_file",
    "frame.to_csv('x')": "code_file",
    "where = '/data/visits'": "code_file",
    "import os\nos.environ['X']": "code_environment",
    "import os as o\no.getenv('X')": "code_environment",
    "from os import environ as e\ne": "code_environment",
    "𝓸𝓼.environ": "code_environment",
    "import subprocess": "code_process",
    "from subprocess import run": "code_process",
    "import os\nos.execvp('sh', [])": "code_process",
    "import multiprocessing.pool": "code_process",
    "import socket": "code_network",
    "import urllib.request as u": "code_network",
    "link = 'https://example.org/x'": "code_network",
    "import duckdb": "code_data",
    "import pandas as pd\npd.read_parquet('x')": "code_data",
    "import pyarrow.parquet as pq": "code_data",
    "from pyarrow import dataset": "code_data",
    "eval('1')": "code_dynamic",
    "import importlib\nimportlib.import_module('os')": "code_dynamic",
    "__import__('os')": "code_dynamic",
    "().__class__.__bases__[0].__subclasses__()": "code_inside",
    "import ctypes": "code_inside",
    "globals()['x']": "code_inside",
    "!ls": "code_shell",
    "x = !ls": "code_shell",
    "%pip install x": "code_shell",
    "%%bash\nls": "code_shell",
    "get_ipython().system('ls')": "code_shell",
    "def f(:": "code_unread",
    "x = 1 #\u202e": "code_hidden",
    "x = 'a\u200bb'": "code_hidden",
    "password = 'correct horse'.replace(' ', '')\ntoken = 'hunter2hunter2'": "code_secret",
    "# postgres://me:hunter2@db/x": "code_secret",
    "key = '-----BEGIN EC PRIVATE KEY-----'": "code_secret",
    "口令 = 'hunter2hunter2'": "code_secret",
}


@pytest.mark.parametrize("source", SPELLED, ids=repr)
def test_what_a_reader_must_look_at_is_flagged(source: str) -> None:
    found = examine_code([("code", source)])
    assert SPELLED[source] in {f.rule for f in found}
    assert "hunter2" not in "".join(f.words + f.words_zh + f.place for f in found)


EVERYDAY = r"""
import domicile
import numpy as np
import pandas as pd
pattern = "\d+"
hospital = domicile.open("hospital")
los = hospital.sql("SELECT dept, AVG(los_days) AS los FROM visits WHERE age > 60 GROUP BY dept", epsilon="0.3")
frame = los.frame().sort_values("los")
rate = frame["los"] / 2 % 3
if __name__ == "__main__":
    domicile.output.chart(los, mark="bar", x="dept", y="los", title="住院天数 / 科室", context="95 %")
"""


def test_what_every_notebook_does_is_not_flagged() -> None:
    assert examine_code([("markdown", "# Title\n\nWe open the file of results."), ("code", EVERYDAY)]) == []


def test_an_alias_of_an_earlier_cell_is_followed() -> None:
    assert examine_code([("code", "o.environ")]) == []
    (first, second) = examine_code([("code", "from os import environ as e"), ("code", "\ne")])
    assert (first.place, second.place) == ("cell 0, line 1", "cell 1, line 2")


def test_places_are_cell_and_line_and_secrets_in_prose_count() -> None:
    found = examine_code([("markdown", "text\ntoken: 'hunter2hunter2'"), ("code", "x = 1\n\nopen('x')")])
    assert [(f.rule, f.place, f.verdict) for f in found] == [
        ("code_secret", "cell 0, line 2", "fail"),
        ("code_file", "cell 1, line 3", "review"),
    ]


@pytest.mark.parametrize(
    "source",
    [
        "-" * 100_000 + "1",
        "(" * 5000,
        "a" + ".a" * 50_000,
        "[" * 90 + "]" * 90,
        "\x00",
        "x = '\ud800'",
        "1" * 10_000,
        "+".join("1" * 50_000),
    ],
    ids=lambda s: s[:6],
)
def test_code_made_to_break_the_reader_is_looked_at_or_said_not_to_be(source: str) -> None:
    rules = {f.rule for f in examine_code([("code", source), ("code", "import socket")])}
    assert "code_network" in rules, "what stands after it is still seen"


def test_what_is_too_long_to_look_at_is_said_to_be() -> None:
    found = examine_code([("code", "import socket"), ("code", "#" * MAX_CHARACTERS), ("code", "import duckdb")])
    assert [(f.rule, f.place) for f in found] == [("code_network", "cell 0, line 1"), ("code_long", "cell 1")]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(["code", "markdown", "raw"]), st.text(max_size=60)), max_size=4))
def test_no_text_brings_the_reader_down(cells: list[tuple[str, str]]) -> None:
    examine_code(cells)
