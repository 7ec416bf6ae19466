"""Hostile bytes in, one value out, or BadInput by name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domicile.rules import Thresholds, thresholds
from enclave.errors import BadInput
from enclave.vet import parse

LIMITS = thresholds()


def test_a_bundle_is_read_from_bytes_or_text(bundle: Callable[..., str]) -> None:
    text = bundle()
    assert parse(text, LIMITS) == parse(text.encode(), LIMITS)
    assert parse(text, LIMITS).answers == ("ans_1",)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "vet.not_json"),
        (b"\xff\xfe", "vet.not_json"),
        (b"[1]", "vet.not_json"),
        (b"null", "vet.not_json"),
        (b'{"format": NaN}', "vet.not_json"),
        (b'{"format": 1, "format": 1}', "vet.not_json"),
        (b"[" * 100_000, "vet.not_json"),
        (b"{}", "vet.not_bundle"),
        (b'{"format": 1, "kind": "model"}', "vet.not_bundle"),
    ],
)
def test_what_is_no_bundle_is_refused_by_name(payload: bytes, code: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(payload, LIMITS)
    assert refused.value.code == code
    assert refused.value.words("en") and refused.value.words("zh")


@pytest.mark.parametrize(
    ("changes", "code"), [({"arrow": "bm90IGFycm93"}, "vet.not_arrow"), ({"arrow": "!"}, "vet.not_arrow")]
)
def test_what_is_no_arrow_is_refused_by_name(bundle: Callable[..., str], changes: dict[str, str], code: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(bundle(**changes), LIMITS)
    assert refused.value.code == code


def test_what_is_over_the_cap_is_refused_by_name(bundle: Callable[..., str]) -> None:
    for limits, payload in ((Thresholds(max_bytes=64), bundle()), (LIMITS, b" " * 23_000_000)):
        with pytest.raises(BadInput) as refused:
            parse(payload, limits)
        assert refused.value.code == "vet.over_cap"
