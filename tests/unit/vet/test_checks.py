"""Rules, Presidio and the question whether every named answer was given."""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection

import pyarrow as pa
import pytest

from domicile.rules import Passage, Thresholds, passages, thresholds
from enclave.errors import BadInput
from enclave.vet import Rules, parse, run_checks, scan

RULES = Rules(thresholds())


def all_given(ids: Collection[str]) -> Collection[str]:
    return ids


def test_an_ordinary_output_has_no_findings(bundle: Callable[..., str]) -> None:
    assert run_checks(parse(bundle(), RULES.limits), all_given, RULES) == []


def test_an_answer_that_was_never_given_is_refused_by_name(bundle: Callable[..., str]) -> None:
    declared = parse(bundle(answers=["ans_1", "ans_2"]), RULES.limits)
    with pytest.raises(BadInput) as refused:
        run_checks(declared, lambda ids: {"ans_1"}, RULES)
    assert (refused.value.code, refused.value.facts) == ("vet.answer_unknown", {"count": 1})


def test_presidio_sees_what_our_own_scan_sees(bundle: Callable[..., str]) -> None:
    table = pa.table({"姓名": ["张三", None], "note": ["电话13800138000", "plain"], "n": [440524188001010014, 1]})
    declared = parse(bundle(table, title="住院号：123456"), RULES.limits)
    seen = [(p.place, p.hits(), scan.hits(p)) for p in passages(declared)]
    assert any(own for _, own, _ in seen)
    assert all(own == theirs for _, own, theirs in seen)


def test_the_scan_asks_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("the scan reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    scan.analyzer.cache_clear()
    assert [h.kind for h in scan.hits(Passage("title", "邮箱zhanglh@example.com"))] == ["email"]


def test_a_scan_that_does_not_end_forbids_release(bundle: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_passage: Passage) -> list[object]:
        raise TimeoutError

    monkeypatch.setattr(scan, "hits", broken)
    found = run_checks(parse(bundle(), RULES.limits), all_given, RULES)
    assert [(f.rule, f.verdict) for f in found] == [("unscanned", "fail")]


def test_the_digest_of_the_rules_moves_with_their_figures() -> None:
    assert Rules(Thresholds(max_rows=1)).digest != RULES.digest != Rules(thresholds(), version=RULES.version + 1).digest
