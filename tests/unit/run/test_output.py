"""What is kept of a returned notebook, whatever it holds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domicile.wire.shapes import OUTPUT_MIME
from enclave.errors import BadInput
from enclave.run.limits import Limits
from enclave.run.notebook import Cell, Source
from enclave.run.output import collect, executed
from enclave.run.sandbox import SandboxFiles

LIMITS = Limits.default(SandboxFiles.find(), outputs=3, output_mib=1, result_mib=2)
SOURCE = Source((Cell("markdown", "x"), Cell("code", "a"), Cell("code", "b")))


def shown(value: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {OUTPUT_MIME: value}, "metadata": {}}


def returned(*cells: tuple[str, list[Any]]) -> bytes:
    return json.dumps({"cells": [{"id": name, "outputs": outputs} for name, outputs in cells]}).encode()


def test_declared_outputs_are_numbered_in_order_and_keep_their_cell() -> None:
    bundles = collect(returned(("c1", [shown({"a": 1})]), ("c2", [shown({"b": 2}), shown({"c": 3})])), SOURCE, LIMITS)
    assert [(b.ordinal, b.cell, b.payload) for b in bundles] == [
        (1, 1, b'{"a": 1}'),
        (2, 2, b'{"b": 2}'),
        (3, 2, b'{"c": 3}'),
    ]


def test_everything_else_is_dropped() -> None:
    others = [
        {"output_type": "stream", "text": "secret"},
        {"output_type": "display_data", "data": {"text/html": "secret"}},
        {"output_type": "execute_result", "data": {OUTPUT_MIME: {"secret": 1}}},
        {"output_type": "error", "evalue": "secret"},
        "secret",
    ]
    raw = json.dumps({"cells": [{"id": "c1", "outputs": others, "secret": 1}], "metadata": {"secret": 1}}).encode()
    assert collect(raw, SOURCE, LIMITS) == ()
    assert b"secret" not in executed(SOURCE, ())


@pytest.mark.parametrize("claimed", ["c0", "c9", "c-1", "", "x", "c99999999"])
def test_a_claimed_cell_that_cannot_be_is_only_a_wrong_label(claimed: str) -> None:
    (bundle,) = collect(returned((claimed, [shown({})])), SOURCE, LIMITS)
    assert bundle.cell == 1


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "run.result_malformed"),
        (b"[]", "run.result_malformed"),
        (b"{}", "run.result_malformed"),
        (b'{"cells": 1}', "run.result_malformed"),
        (b'{"cells": [1]}', "run.result_malformed"),
        (b'{"cells": [{"outputs": 1}]}', "run.result_malformed"),
        (b'{"cells": NaN}', "run.result_malformed"),
        (b"[" * 1_000_000, "run.result_malformed"),
        (b'{"cells":' + b'{"a":' * 100_000, "run.result_malformed"),
        (b"[" + b"1," * 1_000_001 + b"1]", "run.result_malformed"),
        (b'{"cells": ' + b"9" * 100_000 + b"}", "run.result_malformed"),
        (b" " * (3 << 20), "run.result_malformed"),
        (json.dumps({"cells": [{"outputs": []}] * 1002}).encode(), "run.result_malformed"),
        (returned(("c1", [shown([1])])), "run.result_malformed"),
        (returned(("c1", [shown({"x": 1})] * 4)), "run.too_many_outputs"),
        (returned(("c1", [shown({"x": "a" * (1 << 20)})])), "run.output_too_large"),
        (returned(("c1", [shown({"x": 0})])).replace(b'{"x": 0}', b'{"x": 1e999}'), "run.result_malformed"),
        (returned(("c1", [shown({"x": "\\ud800"})])).replace(b"\\\\u", b"\\u"), "run.result_malformed"),
    ],
)
def test_a_hostile_result_is_refused_by_name(raw: bytes, reason: str) -> None:
    with pytest.raises(BadInput) as refused:
        collect(raw, SOURCE, LIMITS)
    assert refused.value.code == reason


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner), max_leaves=20
)
outputs = st.fixed_dictionaries(
    {},
    optional={
        "output_type": st.just("display_data") | anything,
        "data": st.dictionaries(st.just(OUTPUT_MIME), anything),
    },
)
cells = st.fixed_dictionaries(
    {}, optional={"id": anything, "outputs": st.lists(outputs | anything, max_size=4) | anything}
)


@settings(deadline=None, max_examples=300)
@given(st.fixed_dictionaries({"cells": st.lists(cells | anything, max_size=4) | anything}) | anything)
def test_whatever_comes_back_is_bundles_or_a_refusal(value: Any) -> None:
    raw = json.dumps(value).encode()
    try:
        bundles = collect(raw, SOURCE, LIMITS)
    except BadInput:
        return
    assert [bundle.ordinal for bundle in bundles] == list(range(1, len(bundles) + 1))
    for bundle in bundles:
        assert isinstance(json.loads(bundle.payload), dict)
        assert SOURCE.cells[bundle.cell].kind == "code"
    json.loads(executed(SOURCE, bundles))


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200))
def test_whatever_bytes_come_back_are_a_refusal(raw: bytes) -> None:
    with pytest.raises(BadInput):
        collect(raw, SOURCE, LIMITS)
