"""On any text the lint of a laptop and the gate of the enclave see the same identifiers (soundness U7)."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domicile.rules import Passage, scan
from enclave.vet import scan as presidio

SEEDS = [
    "11010519491231002X", "440524188001010014", "13800138000", "+86 138-0013-8000", "010-62345678", "a.b@example.com",
    "6222021234567890128", "护照号E12345678", "MRN: 00123456", "住院号123456", "姓名：张三", "患者：李明",
    "Patient name: Li Wei", "出生日期：1950-03-04", "I10.x00x002", "１３８００１３８０００", "医保号ABC12345",
    "微信:abcdef", "\n", " ", "：", "号", "x", "9",
]  # fmt: skip
PIECES = st.one_of(st.sampled_from(SEEDS), st.text(max_size=8), st.text("0123456789Xx- 号：姓名患者", max_size=20))


@given(st.lists(PIECES, max_size=12).map("".join))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_presidio_and_the_plain_scan_agree(text: str) -> None:
    assert presidio.hits(Passage("text", text)) == scan(text)


@given(st.lists(PIECES, max_size=12).map("".join))
@settings(max_examples=300, deadline=None)
def test_hits_never_overlap_and_are_never_empty(text: str) -> None:
    hits = scan(text)
    assert all(hit.start < hit.end for hit in hits)
    assert all(one.end <= other.start for one, other in pairwise(hits))
