"""How does a draft stand on paper?

YAML as people write it: one line per column, and above each guess a comment with its reason, marked for `settled`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import yaml

from domicile.wire.words import say
from enclave.intake.draft.guess import Guess
from enclave.intake.raw import Listed
from enclave.intake.settled import MARK

CLIP, DISTINCT = 20, 5
"""What a first draft lets one person count for; only the steward, or a paid profile, knows better."""


@dataclass(frozen=True)
class Drafted:
    """A table of the draft: what stands in its resource, and each column's guess."""

    name: str
    resource: Mapping[str, Any]
    columns: Sequence[tuple[str, Guess]] = ()
    why: str = ""
    """A code of `draft.toml` for the whole table; "" when nothing is to be said."""
    clips: bool = False
    """Whether its clips are guesses."""


@dataclass(frozen=True)
class Head:
    """What stands before the tables. `demo` is the home's own mark, and no guess."""

    name: str
    domain: str
    demo: bool
    unit: Mapping[str, str]
    rows: int
    """Of the largest table; only its size class is written."""
    zoned: bool
    today: date
    standard: str = ""
    """A code of `draft.toml`: what settles the parts that bear no mark."""
    outside: tuple[str, Sequence[str]] | None = None
    """A table, and the stored columns of it that somebody might know of a person."""
    apart: tuple[str, Sequence[str]] | None = None
    """The raw column that names a person in every system, and the other registers of the house."""
    staff: Sequence[Mapping[str, str]] = ()
    """Tables of those who work there, and the column of their names."""
    code_lists: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Each as a descriptor states it; `note` is written above it, `site` says that it is to be looked over."""


def text(head: Head, tables: Sequence[Drafted], lang: str) -> str:
    """The whole draft."""
    return "\n".join([*_head(head, lang), "", "resources:", *(line for t in tables for line in _table(t, lang))]) + "\n"


def flow(value: Any) -> str:
    """A value on one line of YAML."""
    return str(yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6, sort_keys=False)).strip()


def _mark(code: str, lang: str, indent: int = 0, **facts: object) -> str:
    return f"{' ' * indent}{MARK} {say(f'draft.{code}', lang, **facts)}"


def _head(head: Head, lang: str) -> Iterator[str]:
    yield from (f"# {line}" for line in say("draft.preface", lang, mark=MARK.strip("# :")).splitlines())
    if head.standard:
        yield f"# {say(f'draft.{head.standard}', lang)}"
    yield "profile: domicile-data-package"
    yield from (_mark("name", lang), f"name: {head.name}", "policy_version: 1")
    yield from (_mark("title", lang), f"title: {flow({'en': head.name, 'zh': head.name})}")
    yield from (_mark("grade", lang), "grade: 3")
    yield from (_mark("domain", lang), f"domain: {head.domain}", f"demo: {'true' if head.demo else 'false'}")
    yield from (_mark("register", lang), f"register: {head.name[:40]}_persons")
    yield from (_mark("presets", lang), "presets: []")
    yield f"unit: {flow(dict(head.unit))}"
    yield from (_mark("delta", lang), 'delta: "1e-6"', 'keys_delta: "1e-9"')
    yield from (_mark("size_class", lang), f"size_class: {size_class(head.rows)}")
    yield from (_mark("reference_date", lang), f"reference_date: {head.today.year}-01-01")
    yield from (_mark("shift_days", lang), "shift_days: 15")
    if head.zoned:
        yield from (_mark("timezone", lang), "timezone: Asia/Shanghai")
    yield from _apart(head, lang)
    yield from _risk(head, lang)
    if head.staff:
        yield from ("", _mark("staff_names", lang), "staff:", *(f"  - {flow(dict(one))}" for one in head.staff))
    if head.code_lists:
        yield from ("", "code_lists:")
    for name, codes in head.code_lists.items():
        if codes.get("site"):
            yield _mark("list", lang, 2)
        if codes.get("note"):
            yield f"  # {codes['note']}"
        yield f"  {name}: {flow({k: v for k, v in codes.items() if k in ('codes', 'rename')})}"


def _apart(head: Head, lang: str) -> Iterator[str]:
    """A comment alone: that two registers share nobody is a claim, and nobody makes it for the steward."""
    if head.apart is not None:
        column, others = head.apart
        yield _mark("apart", lang, others=", ".join(others))
        rules = {other: say("draft.apart_rule", lang) for other in others}
        yield f"# apart: {flow({'by': column, 'from': rules})}"


def _risk(head: Head, lang: str) -> Iterator[str]:
    """Measured and told; nothing stops by it until the steward says what must hold."""
    if head.outside is not None:
        table, columns = head.outside
        known = {"name": "known_outside", "table": table, "columns": list(columns), "k": 3, "at_fault": 100}
        yield from (
            _mark("risk", lang),
            "risk:",
            "  opening: enclave",
            '  most: "1"',
            "  sets:",
            f"    - {flow(known)}",
        )


def _table(table: Drafted, lang: str) -> Iterator[str]:
    yield ""
    if table.why:
        yield _mark(table.why, lang, 2)
    first, *rest = table.resource.items()
    yield f"  - {first[0]}: {flow_value(first[1])}"
    for key, value in rest:
        if table.clips and key == "row_clip":
            yield _mark("clips", lang, 4)
        if key == "identity":
            yield _mark(f"identity_{value['duplicates']}", lang, 4)
        yield f"    {key}: {flow_value(value)}"
    if table.columns:
        yield from ("    schema:", "      fields:")
    for column, guess in table.columns:
        if guess.why:
            yield _mark(guess.why, lang, 8, **guess.facts)
        yield f"        - {flow(_field(column, guess))}"


def flow_value(value: Any) -> str:
    """A value as it stands behind its key: a bare word where it is one."""
    return flow(value).removesuffix("\n...").strip()


def _field(column: str, guess: Guess) -> dict[str, Any]:
    field_: dict[str, Any] = {"name": column, "type": guess.type}
    if guess.format:
        field_["format"] = list(guess.format)
    if guess.element:
        field_["element"] = guess.element
    if len(guess.yields) == 1 and guess.yields[0].get("name", column) == column:
        return field_ | {k: v for k, v in guess.yields[0].items() if k != "name"}
    return field_ | {"yields": [dict(output) for output in guess.yields]}


def size_class(rows: int) -> int:
    """The power of ten that leaves room for ten times as many rows: the class is public, the count is not."""
    return max(1000, int("1" + "0" * len(str(max(rows, 1) * 10 - 1))))


_TRAITS = ("keep", "prefix", "age_band", "band")
MOST_OUTSIDE = 5


def outside_of(table: Drafted) -> tuple[str, Sequence[str]] | None:
    """What of the person table somebody might know of a person: its words, bands and the year of birth."""
    outputs = (o for _, guess in table.columns for o in guess.yields)
    names = [o["name"] for o in outputs if o["treatment"] in _TRAITS or o.get("name") == "year_of_birth"]
    return (table.name, names[:MOST_OUTSIDE]) if names else None


def facets_of(columns: Sequence[tuple[str, Guess]]) -> list[dict[str, Any]]:
    """Facets for the stored columns that hold words of a list, two at most."""
    coded = ("keep", "prefix", "icd10_chapter")
    names = [o["name"] for _, guess in columns for o in guess.yields if o["treatment"] in coded]
    return [facet(name) for name in names[:2]]


def facet(name: str) -> dict[str, Any]:
    """A facet with first clips."""
    return {"column": name, "clip": CLIP, "distinct_clip": DISTINCT}


def reading(listed: Listed) -> dict[str, str]:
    """What a resource must say of how its file is written."""
    found = {"encoding": listed.encoding} if listed.encoding != "utf-8" else {}
    return found | ({"delimiter": listed.delimiter} if listed.delimiter != "," else {})
