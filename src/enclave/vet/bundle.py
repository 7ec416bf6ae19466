"""What did the jail declare? Hostile bytes in, one frozen value out, or BadInput by name.

Caps before parsing, one JSON object without repeated keys or NaN, nothing that nests deeper than the format, then the
strict reader of `domicile.rules`, which decodes the Arrow stream as hostile too.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from domicile.rules import Declared, Malformed, Thresholds, read
from domicile.rules.findings import fail
from domicile.wire.shapes import Finding
from domicile.wire.words import say
from enclave.errors import BadInput

_ENVELOPE = 256 * 1024
"""Characters a bundle may have beside its table: titles, text, names."""

_CODES = {
    "not_arrow": "vet.not_arrow",
    "compressed": "vet.not_arrow",
    "type_not_allowed": "vet.not_arrow",
    "bytes_over": "vet.over_cap",
    "rows_over": "vet.over_cap",
    "columns_over": "vet.over_cap",
}


class NotABundle(BadInput):
    """The jail declared something that is no output; the rule that says so speaks both languages."""

    def __init__(self, code: str, finding: Finding) -> None:
        super().__init__(code, place=finding.place, rule=finding.rule)
        self._finding = finding

    def words(self, lang: str = "en") -> str:
        return say(self.code, lang, reason=self._finding.words_zh if lang == "zh" else self._finding.words)


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("not a JSON number")


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key is repeated")
    return dict(pairs)


def parse(payload: bytes | str, limits: Thresholds) -> Declared:
    """The output declared by `payload`."""
    if len(payload) > limits.max_bytes // 3 * 4 + _ENVELOPE:
        raise NotABundle("vet.over_cap", fail("bytes_over", "bundle", limit=limits.max_bytes))
    try:
        text = payload.decode() if isinstance(payload, bytes) else payload
        bundle = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_repeats)
    except (ValueError, RecursionError) as broken:
        raise BadInput("vet.not_json", place="bundle") from broken
    if not isinstance(bundle, dict):
        raise BadInput("vet.not_json", place="bundle")
    try:
        return read(bundle, limits)
    except Malformed as broken:
        first = broken.findings[0]
        raise NotABundle(_CODES.get(first.rule, "vet.not_bundle"), first) from broken
