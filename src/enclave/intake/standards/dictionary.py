"""Which data elements and code systems do we know?

`elements.toml` and `systems.toml` beside this file; sources: WS/T 363, GB/T 2261, GB 11643, GB/T 14396 and the front page
as hospitals export it (HQMS). An element that is not known may still be stated: it documents, and adds no check.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Element:
    """A data element: our name for it, what it may tell, the system its values belong to."""

    key: str
    ids: tuple[str, ...]
    en: str
    zh: str
    kind: str
    system: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class System:
    """A code system: `codes`, or a `form` the whole value must match, or a named check of ours."""

    key: str
    title: str
    codes: tuple[str, ...] = ()
    form: str = ""
    check: str = ""


def _read(name: str) -> dict[str, dict[str, Any]]:
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


@cache
def elements() -> Mapping[str, Element]:
    """Every element by our name."""
    return {
        key: Element(key, tuple(e.get("ids", ())), e["en"], e["zh"], e["class"], e.get("system", ""), tuple(e["names"]))
        for key, e in _read("elements.toml").items()
    }


@cache
def systems() -> Mapping[str, System]:
    """Every code system by name."""
    return {
        key: System(key, s["title"], tuple(s.get("codes", ())), s.get("form", ""), s.get("check", ""))
        for key, s in _read("systems.toml").items()
    }


def element(word: str) -> Element | None:
    """The element called `word`: our name, a WS/T 363 id or an HQMS code."""
    return elements().get(word) or next((e for e in elements().values() if word in e.ids), None)


def system(name: str) -> System | None:
    return systems().get(name)


def called(column: str) -> Element | None:
    """The element that columns of this name usually hold."""
    plain = column.casefold().replace("_", "").replace("-", "").replace(" ", "")
    return next((e for e in elements().values() if plain in e.names), None)
