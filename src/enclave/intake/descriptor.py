"""What does the signed descriptor of a dataset say?

`parse` is the only way from text to a `Descriptor`: read strictly (`package`), then held against itself (`coherence`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import ValidationError

from enclave.errors import BadInput
from enclave.intake import coherence
from enclave.intake.package import Descriptor
from enclave.intake.resource import Resource
from enclave.intake.settled import check_settled

__all__ = ["Descriptor", "Resource", "digest_of", "narrowed", "only", "parse"]


def digest_of(text: bytes) -> str:
    """The policy digest: SHA-256 of the file as it stands."""
    return hashlib.sha256(text).hexdigest()


def _first(broken: ValidationError) -> BadInput:
    """The first thing wrong, with its place; pydantic's words name the expectation and never what was given."""
    error = broken.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(part) for part in error["loc"]) or "datapackage.yaml"
    if error["type"] == "extra_forbidden":
        return BadInput("policy.unknown_field", place=place)
    if error["type"] == "missing":
        return BadInput("policy.missing_field", place=place)
    return BadInput("policy.malformed", place=place, why=error["msg"].removeprefix("Value error, "))


def _checked(tree: Any) -> Descriptor:
    try:
        descriptor = Descriptor.model_validate(tree)
    except ValidationError as broken:
        raise _first(broken) from None
    for complaint in coherence.complaints(descriptor):
        raise BadInput("policy.incoherent", why=complaint)
    return descriptor


def parse(text: bytes) -> Descriptor:
    """The descriptor in `text`; BadInput with the place of the first thing wrong."""
    check_settled(text)
    try:
        tree = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError) as broken:
        mark = getattr(broken, "problem_mark", None)
        raise BadInput("policy.not_yaml", place=f"line {mark.line + 1}" if mark else None) from None
    return _checked(tree)


def narrowed(
    text: bytes, tables: tuple[str, ...], *, size_class: int | None = None, classes: Mapping[str, int] | None = None
) -> bytes:
    """The text of a derived descriptor over fewer tables, without the columns that need the others, of this size (and each
    table of its own); to be signed anew."""
    tree = yaml.safe_load(text)
    tree["resources"] = [r for r in tree["resources"] if r["name"] in tables]
    for asked in (sets := tree.get("risk", {}).get("sets", [])):
        gone = [
            d["name"] for r in tree["resources"] for d in r.get("derived", []) if d["any_of"]["table"] not in tables
        ]
        asked["sensitive"] = [c for c in asked.get("sensitive", []) if c not in gone]
    if sets:
        tree["risk"]["sets"] = [asked for asked in sets if asked["table"] in tables]
    for resource in tree["resources"]:
        resource["derived"] = [d for d in resource.get("derived", []) if d["any_of"]["table"] in tables]
        resource["joins"] = [j for j in resource.get("joins", []) if j["table"] in tables]
    if size_class is not None:
        tree["size_class"] = size_class
    for resource in tree["resources"]:
        if (own := (classes or {}).get(resource["name"])) is not None:
            resource["size_class"] = own
    narrow: str = yaml.safe_dump(tree, allow_unicode=True, sort_keys=False)
    parse(narrow.encode())
    return narrow.encode()


def only(descriptor: Descriptor, tables: tuple[str, ...]) -> Descriptor:
    """The same policy over fewer tables; BadInput when a column or join needs one that is left out."""
    unknown = [t for t in tables if descriptor.table(t) is None]
    if unknown:
        known = ", ".join(t.name for t in descriptor.tables)
        raise BadInput("policy.unknown_table", table=", ".join(unknown), known=known)
    chosen = descriptor.model_copy(update={"resources": tuple(r for r in descriptor.resources if r.name in tables)})
    for complaint in coherence.complaints(chosen):
        raise BadInput("policy.incoherent", why=complaint)
    return chosen
