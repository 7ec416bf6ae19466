"""Is this a notebook we run, and what of it goes behind the wall?

Only sources go in: cells are rebuilt with ids of ours, without outputs, attachments or foreign metadata; tags stay, for
papermill reads them. A notebook that is none is refused before any jail starts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domicile.rules.parameters import Schema
from enclave.errors import BadInput
from enclave.run.bounded import Malformed, read_json
from enclave.run.limits import MIB, Limits
from enclave.run.parameters import schema_of

_KINDS = ("code", "markdown", "raw")
_NOT_TEXT = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ud800-\udfff]")
"""What no source has. Escape (1b) some have; whoever shows code spells it out (`run.code`)."""
_LONGEST_NAME = 128
_PYTHONS = ("python", "ipython", "conda")
_KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


@dataclass(frozen=True)
class Cell:
    """One cell: its source, and the tags papermill reads."""

    kind: str
    source: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """A notebook as we run it, and the parameters it declares (None: it declares none, and takes any)."""

    cells: tuple[Cell, ...]
    schema: Schema | None = None

    @classmethod
    def read(cls, raw: bytes, limits: Limits) -> Source:
        """The notebook in `raw`; BadInput saying what is wrong with it, and where."""
        if len(raw) > limits.notebook_mib * MIB:
            raise BadInput("run.notebook_too_large", found=len(raw), expected=limits.notebook_mib * MIB)
        try:
            value = read_json(raw, limits.notebook_mib * MIB)
        except Malformed as broken:
            raise BadInput("run.notebook_not_json") from broken
        if not isinstance(value, dict) or not isinstance(value.get("cells"), list) or value.get("nbformat") != 4:
            raise BadInput("run.notebook_shape")
        if len(value["cells"]) > limits.cells:
            raise BadInput("run.notebook_cells", found=len(value["cells"]), expected=limits.cells)
        _check_language(value.get("metadata"))
        cells = tuple(_cell(cell, place) for place, cell in enumerate(value["cells"]))
        return cls(cells, schema_of(value.get("metadata")))

    def for_jail(self) -> bytes:
        """The notebook that goes in: cell n has the id cn."""
        return _notebook([_inside(cell, place) for place, cell in enumerate(self.cells)])

    def with_placeholders(self, bundles: Mapping[int, int]) -> bytes:
        """The executed notebook people may see: our sources, and a placeholder for each declared output.

        `bundles` maps the ordinal of a declared output to its cell. Nothing the jail wrote is in here.
        """
        cells = [_inside(cell, place) for place, cell in enumerate(self.cells)]
        for ordinal, place in sorted(bundles.items()):
            text = f"declared output {ordinal}"
            shown = {"output_type": "display_data", "metadata": {}, "data": {"text/plain": text}}
            cells[place]["outputs"].append(shown)
        return _notebook(cells)


def _notebook(cells: list[dict[str, Any]]) -> bytes:
    value = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": _KERNEL}, "cells": cells}
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def _inside(cell: Cell, place: int) -> dict[str, Any]:
    metadata = {"tags": list(cell.tags)} if cell.tags else {}
    value = {"id": f"c{place}", "cell_type": cell.kind, "metadata": metadata, "source": cell.source}
    return {**value, "outputs": [], "execution_count": None} if cell.kind == "code" else value


def check_name(name: str) -> None:
    """BadInput for a notebook's name that is no name: people read it in lists, on pages and in terminals."""
    if not name.isprintable() or len(name) > _LONGEST_NAME or "/" in name:
        raise BadInput("run.notebook_name", expected=_LONGEST_NAME)


def _check_language(metadata: Any) -> None:
    """BadInput for a notebook that says it is in another language than Python."""
    said = metadata if isinstance(metadata, dict) else {}
    for table, key in (("kernelspec", "language"), ("language_info", "name")):
        entry = said.get(table)
        language = entry.get(key) if isinstance(entry, dict) else None
        if language is not None and language != "python":
            raise BadInput("run.notebook_language", place=f"metadata.{table}.{key}")
        if language is not None:
            return
    spec = said.get("kernelspec")
    name = spec.get("name") if isinstance(spec, dict) else None
    if name is not None and not str(name).startswith(_PYTHONS):
        raise BadInput("run.notebook_kernel", place="metadata.kernelspec.name")


def _cell(value: Any, place: int) -> Cell:
    if not isinstance(value, dict) or value.get("cell_type") not in _KINDS:
        raise BadInput("run.notebook_cell", place=f"cells[{place}]")
    source = value.get("source", "")
    lines = source if isinstance(source, list) else [source]
    if not all(isinstance(line, str) for line in lines):
        raise BadInput("run.notebook_cell", place=f"cells[{place}].source")
    if any(_NOT_TEXT.search(line) for line in lines):
        raise BadInput("run.notebook_binary", place=f"cells[{place}].source")
    metadata = value.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    kept = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
    return Cell(value["cell_type"], "".join(lines), tuple(kept[:20]))
