"""What is stored is read back; what was altered or cut short is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.broker.stored import body_of, pack, unpack
from enclave.errors import Tampered
from enclave.query import Held, Part

INT64 = st.integers(-(2**63), 2**63 - 1)
PARTS = st.builds(Part, st.integers(1, 2**62), st.integers(1, 2**62), st.lists(INT64, max_size=5).map(tuple))
HELD = st.builds(Held, st.lists(st.lists(PARTS, min_size=1, max_size=3).map(tuple), max_size=3).map(tuple))


@given(st.binary(max_size=64), st.none() | HELD)
def test_a_stored_answer_is_read_back(body: bytes, held: Held | None) -> None:
    assert unpack(pack(body, held)) == (body, held)


def test_a_body_from_before_there_was_a_head_is_a_body() -> None:
    assert unpack(b"\xff\xff\xff\xffarrow") == (b"\xff\xff\xff\xffarrow", None)
    assert body_of(pack(b"body", None)) == b"body"


@given(st.integers(1, 40))
def test_a_cut_is_noticed(cut: int) -> None:
    blob = pack(b"body", Held(((Part(3, 4, (1, 2, 3)),),)))
    with pytest.raises(Tampered):
        unpack(blob[:-cut] if cut < len(blob) - 4 else blob + b"\0" * cut)
