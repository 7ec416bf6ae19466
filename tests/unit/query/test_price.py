"""What a question costs is a function of text and dictionary."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.oracle.extracts import DATASET
from tests.oracle.questions import ANSWERED

from enclave.errors import BadInput, EnclaveError, Refused
from enclave.query import mechanisms
from enclave.query.moment import MARGIN, REPLY_CLASSES_MS, worst_ms
from enclave.query.price import prepare

COUNT = "SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept"


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3_000_000).map(lambda n: f"{n // 1000}.{n % 1000:03d}"), st.sampled_from(ANSWERED))
def test_a_question_never_costs_more_than_was_asked(epsilon: str, sql: str) -> None:
    try:
        priced = prepare(sql, DATASET, epsilon)
    except EnclaveError as error:
        assert error.code in ("query.bad_epsilon", "query.epsilon_too_small")
        return
    assert Fraction(priced.epsilon) <= Fraction(epsilon)
    assert priced.rho == sum(d.rho for d in priced.draws) <= mechanisms.rho_for(epsilon, DATASET.delta)


def test_little_is_left_over() -> None:
    priced = prepare("SELECT dept, COUNT(*), AVG(fee) FROM visits GROUP BY dept", DATASET, "0.3")
    assert priced.rho > 0.999 * mechanisms.rho_for("0.3", DATASET.delta)


def test_shares_are_even() -> None:
    rhos = [d.rho for d in prepare("SELECT COUNT(*), AVG(fee), SUM(change) FROM visits", DATASET, "1").draws]
    assert max(rhos) - min(rhos) < 0.001 * max(rhos)


@pytest.mark.parametrize("epsilon", ["0", "-1", "nan", "inf", "1e3", "1001", "0.0000000001", "１", "0x1", "1 2", "1_0"])
def test_malformed_epsilons_are_bad_input(epsilon: str) -> None:
    with pytest.raises(BadInput) as bad:
        prepare(COUNT, DATASET, epsilon)
    assert bad.value.code == "query.bad_epsilon"


@pytest.mark.parametrize("epsilon", [None, "", "  "])
def test_without_epsilon_the_question_asks_for_it(epsilon: str | None) -> None:
    with pytest.raises(BadInput) as bad:
        prepare(COUNT, DATASET, epsilon)
    assert bad.value.code == "query.no_epsilon"


def test_an_epsilon_below_the_smallest_unit_buys_nothing() -> None:
    with pytest.raises(Refused) as refused:
        prepare("SELECT AVG(fee), AVG(change) FROM visits", DATASET, "0.0001")
    assert refused.value.code == "query.epsilon_too_small"


def test_the_answer_key_binds_everything_the_bytes_depend_on() -> None:
    first = prepare(COUNT, DATASET, "1").answer_key
    assert (
        prepare(f"select dept, count(*) as n\nfrom visits group by 1 -- {'x' * 50}", DATASET, "1.0").answer_key == first
    )
    others = [
        prepare(COUNT, DATASET, "1.1"),
        prepare(COUNT.replace(" n", " m"), DATASET, "1"),
        prepare(COUNT + " ORDER BY n", DATASET, "1"),
        prepare(COUNT + " LIMIT 1", DATASET, "1"),
        prepare(COUNT.replace("GROUP", "WHERE urgent GROUP"), DATASET, "1"),
        prepare(COUNT, replace(DATASET, digest="2" * 64), "1"),
        prepare(COUNT, replace(DATASET, policy_digest="3" * 64), "1"),
    ]
    assert len({first, *(o.answer_key for o in others)}) == 8


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SUM(los_days / 7)", "SUM(los_days / 14)"),
        ("COVAR_POP(change, los_days / 2)", "COVAR_POP(change, los_days / 20)"),
        ("COVAR_POP(los_days * 0.5, change)", "COVAR_POP(los_days * 0.05, change)"),
        ("SSCP(change, los_days / 2)", "SSCP(change, los_days / 20)"),
        ("AVG(x)", "AVG(x) FILTER (WHERE urgent)"),
    ],
)
def test_what_is_read_in_other_steps_is_another_answer(one: str, other: str) -> None:
    """The same whole numbers are drawn, and told as other numbers."""
    rows = "(SELECT patient_id, urgent, change, los_days, los_days AS x FROM visits)"
    keys = {prepare(f"SELECT {each} AS a FROM {rows}", DATASET, "1").answer_key for each in (one, other)}
    assert len(keys) == 2


def test_the_reply_moment_is_of_shape_and_size_class_only() -> None:
    small = prepare(COUNT, DATASET, "1")
    assert small.reply_ms == 200
    assert prepare(COUNT, DATASET, "0.01").reply_ms == 200
    large = prepare(COUNT, replace(DATASET, size_class=10_000_000), "1")
    assert large.reply_ms in REPLY_CLASSES_MS
    worst = worst_ms(large.plan, tuple(d.tally for d in large.draws), large.statements, 10_000_000)
    assert large.reply_ms >= MARGIN * worst


def test_a_question_past_the_longest_moment_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        prepare("SELECT COUNT(DISTINCT patient_id) FROM visits", replace(DATASET, size_class=10**10), "1")
    assert refused.value.code == "query.too_heavy"


def test_the_quote_shows_every_mechanism_in_units_of_its_column() -> None:
    quote = prepare("SELECT dept, AVG(fee) AS f, SUM(fee) FROM visits GROUP BY dept", DATASET, "0.5").quote
    assert quote.columns == ("dept", "f", "sum_fee")
    assert [m.column for m in quote.mechanisms] == ["f (centred sum)", "f (count)", "sum_fee"]
    assert [m.sensitivity for m in quote.mechanisms] == [5 * 25_000.0, 5.0, 20_000.0]
    assert quote.mechanisms[2].bound == "total_fee, clipped at 2000000"
    assert (quote.dataset, quote.version, quote.delta, quote.reused) == ("small", 1, 1e-6, False)


@pytest.mark.parametrize(
    ("sql", "once"),
    [
        ("SELECT sex, COUNT(*) FROM patients GROUP BY sex", True),
        ("SELECT COUNT(DISTINCT patient_id) FROM visits", True),
        ("SELECT n, COUNT(*) FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id) GROUP BY n", True),
        (COUNT, False),
        ("SELECT dept, COUNT(DISTINCT patient_id) FROM visits GROUP BY dept", False),
    ],
)
def test_a_quote_says_whether_everybody_counts_once(sql: str, once: bool) -> None:
    assert all(m.one_per_person is once for m in prepare(sql, DATASET, "1").quote.mechanisms)
