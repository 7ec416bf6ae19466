"""Every word shown to people, Chinese and English, in one catalogue of TOML files beside this one.

A file is an area (`query.toml`), a table is a code (`[unknown_column]`) with `en` and `zh`; the full code is
`query.unknown_column`. `{name}` is filled from the facts. A missing code or fact is our fault, so it raises.
"""

from __future__ import annotations

import os
import tomllib
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "zh")


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """All entries: code → {language: template}."""
    entries: dict[str, dict[str, str]] = {}
    for area in sorted(files(__package__).iterdir(), key=lambda f: f.name):
        if area.name.endswith(".toml"):
            for name, words in tomllib.loads(area.read_text(encoding="utf-8")).items():
                entries[f"{area.name.removesuffix('.toml')}.{name}"] = words
    return entries


def preferred_language(environ: dict[str, str] | None = None) -> str:
    """`DOMICILE_LANG` if set, else Chinese for a Chinese locale, else English."""
    env = os.environ if environ is None else environ
    wanted = env.get("DOMICILE_LANG") or env.get("LC_ALL") or env.get("LANG") or ""
    return "zh" if wanted.lower().startswith("zh") else "en"


def say(code: str, lang: str | None = None, **facts: object) -> str:
    """The sentence for `code` in `lang`; raises KeyError for an unknown code, language or fact."""
    return catalogue()[code][lang or preferred_language()].format(**facts)
