"""What is content of level 5, and how is it held back?

By public lists (`special.toml`) of codes, concepts and words. Codes without a list and free text are held back value by
value, each a function of that value alone; what a policy lists or names itself is refused as text (`violations`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from enclave.intake import treatments as t
from enclave.intake.columns import literal
from enclave.intake.field import RawField
from enclave.intake.graded.violation import Violation
from enclave.intake.package import Descriptor
from enclave.intake.report import Category
from enclave.intake.resource import Resource
from enclave.intake.standards import Compiled

RULE = "level-5"
HELD = "special_held"
MARKS = ("[特殊病种]", "[SPECIAL-DISEASE]")
"""What stands in the place of such a word in a Chinese and in another text."""


@dataclass(frozen=True)
class Group:
    """A group of diseases: RE2 patterns that also Python reads."""

    name: str
    codes: str
    words: str

    def holds(self, value: str) -> bool:
        """Whether a code or a name is of this group."""
        return bool(re.match(self.codes, value, re.IGNORECASE) or re.search(self.words, value))


@cache
def groups() -> tuple[Group, ...]:
    """Every group there is."""
    tree = tomllib.loads((files(__package__) / "special.toml").read_text(encoding="utf-8"))
    return tuple(_group(name, entry) for name, entry in tree.items())


def _group(name: str, entry: dict[str, list[str]]) -> Group:
    codes = "|".join([*entry["codes"], *(f"{concept}$" for concept in entry["concepts"])])
    sharp = "|".join(re.escape(word) for word in entry["sharp"])
    words = "|".join(re.escape(word) for word in entry["words"])
    return Group(name, f"(?:{codes})", f"(?i:{words})|\\b(?:{sharp})\\b")


def _held_back(d: Descriptor) -> list[Group]:
    return [group for group in groups() if group.name not in d.special]


_CODES = (t.Prefix, t.Icd10Chapter, t.Flag, t.Form)


def held_back(field: RawField, d: Descriptor) -> str:
    """SQL over the raw row `r`, true where a code is of level 5: it is then read as missing. "" for other columns."""
    kinds = [output for output in field.outputs if isinstance(output, _CODES)]
    groups_ = _held_back(d)
    if not kinds or not groups_:
        return ""
    patterns = [f"^(?i:{'|'.join(group.codes for group in groups_)})"]
    if any(isinstance(output, t.Form) for output in kinds):
        patterns += [group.words for group in groups_]
    return f"regexp_matches(r.{_quoted(field)}, {literal('|'.join(patterns))})"


def laid(d: Descriptor, table: Resource, view: str) -> str:
    """The raw view with the outcome beside each such column: it is needed several times and costs as much as the rest."""
    tests = [f"{sql} AS {_flag(f.name)}" for f in table.fields if (sql := held_back(f, d))]
    return f"(SELECT r.*, {', '.join(tests)} FROM {view} r)" if tests else view


def read(field: RawField, d: Descriptor) -> str:
    """SQL, over a row of `laid`, of the raw value as treatments see it."""
    held = held_back(field, d)
    return f"CASE WHEN r.{_flag(field.name)} THEN NULL ELSE r.{_quoted(field)} END" if held else f"r.{_quoted(field)}"


def test_of(check: Compiled) -> str:
    """SQL of a check over a row of `laid`."""
    return f"r.{_flag(check.column)}" if check.code == HELD else check.sql


def held(d: Descriptor, table: Resource) -> list[Compiled]:
    """The counts of values held back, for the steward's report."""
    tests = ((field.name, held_back(field, d)) for field in table.fields)
    return [Compiled(HELD, Category.LEFT_OUT, name, sql) for name, sql in tests if sql]


def _quoted(field: RawField) -> str:
    return f'"{field.name}"'


def _flag(column: str) -> str:
    return f'"held {column}"'


def without(raw: str, d: Descriptor) -> str:
    """SQL of a text with the words of level 5 taken out."""
    words = "|".join(group.words for group in _held_back(d))
    if not words:
        return raw
    mark = f"CASE WHEN regexp_matches({raw}, '[\u3400-\u9fff]') THEN {literal(MARKS[0])} ELSE {literal(MARKS[1])} END"
    return f"regexp_replace({raw}, {literal(words)}, {mark}, 'g')"


def violations(d: Descriptor) -> Iterator[Violation]:
    """Where the text of the policy itself keeps such content without naming it; and a group named below grade 5."""
    if d.special and d.grade < 5:
        yield Violation("special_grade", RULE, facts={"groups": ", ".join(d.special), "grade": d.grade})
    for table in d.tables:
        for field, output in table.outputs():
            yield from _of_output(d, table, field, output)
    for derived in d.person_table.derived:
        if found := _first(d, derived.any_of.prefixes):
            facts = {"named": found[1], "group": found[0]}
            yield Violation("special_code", RULE, d.person_table.name, derived.name, facts)


def _of_output(d: Descriptor, table: Resource, field: RawField, output: t.Kept) -> Iterator[Violation]:
    if isinstance(output, t.Pseudonym):
        return
    if named := _first(d, (field.name.replace("_", " "), output.name.replace("_", " ")), words=True):
        yield Violation("special_column", RULE, table.name, field.name, {"group": named[0]})
    if found := _first(d, _listed(d, output)):
        yield Violation("special_code", RULE, table.name, field.name, {"named": found[1], "group": found[0]})


def _listed(d: Descriptor, output: t.Kept) -> tuple[str, ...]:
    """The codes that the policy itself names for an output: raw ones, and the words they become."""
    match output:
        case t.Keep() | t.Prefix():
            codes = d.code_lists[output.list]
            return (*codes.codes, *codes.rename, *codes.rename.values())
        case t.Flag():
            return output.prefixes
        case _:
            return ()


def _first(d: Descriptor, values: tuple[str, ...], *, words: bool = False) -> tuple[str, str] | None:
    """(group, value) of the first value that is of a group nobody named."""
    for group in _held_back(d):
        for value in values:
            if re.search(group.words, value) if words else group.holds(value):
                return group.name, value
    return None
