"""What of a jail's result is kept?

Declared outputs alone: display_data bundles of one MIME type, by count and size. Everything that came back is hostile:
the notebook may have rewritten any of it. So nothing is passed on; bundles are taken out as bytes (vet reads them, under
its own caps), and the executed notebook is rebuilt from the source we hold.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from domicile.wire.shapes import OUTPUT_MIME
from enclave.errors import BadInput
from enclave.run.bounded import Malformed, read_json
from enclave.run.limits import MIB, Limits
from enclave.run.notebook import Source

_ID = re.compile(r"c(\d{1,6})")


@dataclass(frozen=True)
class Bundle:
    """One declared output: the n-th of its run, the cell it came from, and its JSON as it was declared."""

    ordinal: int
    cell: int
    payload: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.payload).hexdigest()


def collect(raw: bytes, source: Source, limits: Limits) -> tuple[Bundle, ...]:
    """The declared outputs in a returned notebook; BadInput by name when it is malformed or over a cap."""
    try:
        value = read_json(raw, limits.result_mib * MIB)
        cells = value["cells"]
        if not isinstance(cells, list) or len(cells) > limits.cells + 1:  # papermill adds the cell of parameters
            raise Malformed("cells")
        declared = [(_place(cell, source), output) for cell in cells for output in _declared(cell)]
    except (Malformed, LookupError, TypeError) as broken:
        raise BadInput("run.result_malformed") from broken
    if len(declared) > limits.outputs:
        raise BadInput("run.too_many_outputs", found=len(declared), expected=limits.outputs)
    return tuple(Bundle(n, place, _payload(value, limits)) for n, (place, value) in enumerate(declared, 1))


def _declared(cell: Any) -> list[dict[str, Any]]:
    outputs = cell.get("outputs", []) if isinstance(cell, dict) else None
    if not isinstance(outputs, list):
        raise Malformed("outputs")
    found = []
    for output in outputs:
        data = output.get("data") if isinstance(output, dict) else None
        if isinstance(data, dict) and OUTPUT_MIME in data and output.get("output_type") == "display_data":
            if not isinstance(data[OUTPUT_MIME], dict):
                raise Malformed("bundle")
            found.append(data[OUTPUT_MIME])
    return found


def _place(cell: Any, source: Source) -> int:
    """The number of the source cell, as the returned cell claims it: a label, nothing hangs on it."""
    known = _ID.fullmatch(str(cell.get("id", ""))) if isinstance(cell, dict) else None
    place = int(known.group(1)) if known else 0
    return place if place < len(source.cells) and source.cells[place].kind == "code" else _first_code(source)


def _first_code(source: Source) -> int:
    return next((place for place, cell in enumerate(source.cells) if cell.kind == "code"), 0)


def _payload(bundle: dict[str, Any], limits: Limits) -> bytes:
    try:
        payload = json.dumps(bundle, ensure_ascii=False, allow_nan=False, sort_keys=True).encode()
    except (ValueError, RecursionError) as broken:  # infinity by way of 1e999, half a surrogate pair
        raise BadInput("run.result_malformed") from broken
    if len(payload) > limits.output_mib * MIB:
        raise BadInput("run.output_too_large", found=len(payload), expected=limits.output_mib * MIB)
    return payload


def executed(source: Source, bundles: tuple[Bundle, ...]) -> bytes:
    """The executed notebook, rebuilt: our sources, a placeholder for each declared output."""
    if not any(cell.kind == "code" for cell in source.cells):
        return source.with_placeholders({})
    return source.with_placeholders({bundle.ordinal: bundle.cell for bundle in bundles})
