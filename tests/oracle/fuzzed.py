"""Text that was a question once: drawn from a seed, then bent in ways people and attackers bend it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from tests.oracle.generated import question

from enclave.catalogue.dataset import Dataset

MARK = "zq7mark"
"""Stands in what an attacker writes as names, remarks and functions; must never stand in SQL of ours."""

HOSTILE = (
    *(
        "//",
        "%",
        "::INTEGER",
        "||",
        "->",
        "'x.csv'",
        ";",
        "--",
        "/*",
        "*/",
        "$1",
        "?",
        "@x",
        "{",
        "[1]",
        ":=",
        "\\",
        "~",
    ),
    *(
        "TRY(",
        "error('x')",
        "read_text('/etc/passwd')",
        "sleep_ms(9)",
        "COLUMNS(*)",
        "UNNEST([1])",
        "QUALIFY",
        "OVER ()",
    ),
    *(
        "PIVOT",
        "USING SAMPLE 1",
        "POSITIONAL JOIN",
        "ASOF JOIN",
        "GROUPING SETS ((dept), ())",
        "CUBE (dept)",
        "ALL",
        "*",
    ),
    *(
        "UNION ALL SELECT 1",
        "EXCEPT",
        "INTERSECT",
        "LATERAL",
        "WITH x AS (SELECT 1)",
        "EXCLUDE (dept)",
        "REPLACE",
        "AS",
    ),
    *(
        "CURRENT_DATE",
        "now()",
        "random()",
        "NULL",
        "TRUE",
        "0x1F",
        "1e400",
        "NaN",
        "'infinity'::DATE",
        "INTERVAL 1 DAY",
    ),
    *("DATE '2023-02-30'", "ROW(1)", "x -> x", "visits.*", "#1", "$$x$$", "E'\\n'", "X'00'", "AT TIME ZONE", "ESCAPE"),
    *(
        "SIMILAR TO",
        "GLOB 'x'",
        "IS DISTINCT FROM",
        "ANY (1)",
        "EXISTS (SELECT 1)",
        "MAX(los_days)",
        "LIST(dx)",
        "FIRST(dx)",
    ),
    *(
        "COUNT(DISTINCT dx)",
        "GROUP BY ALL",
        "ORDER BY ALL",
        "HAVING COUNT(*) = 1",
        "LIMIT (SELECT 1)",
        "OFFSET 1",
        "FETCH",
    ),
    *(
        "patient_id",
        "unit_rows",
        "score",
        "extract.main.visits",
        "information_schema.tables",
        "duckdb_tables()",
        "visits",
    ),
    *(
        "99999999999999999999",
        "-9223372036854775808",
        "0.000000000000000000001",
        "''",
        '""',
        "'\U0001f600'",
        "ｄｅｐｔ",
        "\u202e",
    ),
    *(MARK, f'"{MARK}"', f"/* {MARK} */", f"{MARK}(1)", f"'{MARK}'", f"AS {MARK}", f"{MARK}.{MARK}"),
)
WORDS = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|\w+(?:\.\w+)*|[(),]|[^\w\s(),]+")
Bend = Callable[[random.Random, list[str]], None]


def _replace(draw: random.Random, words: list[str]) -> None:
    words[draw.randrange(len(words))] = draw.choice(HOSTILE)


def _insert(draw: random.Random, words: list[str]) -> None:
    words.insert(draw.randrange(len(words) + 1), draw.choice(HOSTILE))


def _drop(draw: random.Random, words: list[str]) -> None:
    del words[draw.randrange(len(words))]


def _double(draw: random.Random, words: list[str]) -> None:
    start = draw.randrange(len(words))
    words[start:start] = words[start : start + draw.randint(1, 6)]


def _swap(draw: random.Random, words: list[str]) -> None:
    one, other = draw.randrange(len(words)), draw.randrange(len(words))
    words[one], words[other] = words[other], words[one]


def _nest(draw: random.Random, words: list[str]) -> None:
    start = draw.randrange(len(words))
    end = min(len(words), start + draw.randint(1, 4))
    deep = draw.choice((1, 1, 2, 60))
    words[start:end] = ["("] * deep + words[start:end] + [")"] * deep


def _quote(draw: random.Random, words: list[str]) -> None:
    at = draw.randrange(len(words))
    words[at] = draw.choice(('"{}"', "'{}'", "{} --", "/*{}*/")).format(words[at])


def _spell(draw: random.Random, words: list[str]) -> None:
    at = draw.randrange(len(words))
    letters = list(words[at])
    letters[draw.randrange(len(letters))] = draw.choice("аіοＡ\u200b\x00'\";1_ ")
    words[at] = "".join(letters)


BENDS: tuple[Bend, ...] = (_replace, _replace, _insert, _insert, _drop, _double, _swap, _nest, _quote, _spell)


def text(draw: random.Random, dataset: Dataset) -> str:
    words = WORDS.findall(question(draw, dataset))
    for _ in range(draw.choice((0, 0, 1, 1, 1, 2, 3, 6))):
        if words:
            draw.choice(BENDS)(draw, words)
    return draw.choice((" ", " ", " ", "\n", "\t")).join(words)
