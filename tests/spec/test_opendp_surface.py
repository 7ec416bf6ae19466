"""What we use of OpenDP, and what the version we are locked to is known to get wrong.

The first half reads our own source: only the kernel (scalar noise on clean int64 vectors, its maps, one conversion) may be
named, and no feature but "contrib" is switched on. The second half pins the behaviour of that kernel, and the listed
faults around it: a fault that is gone, or new, makes a test fail, so that an upgrade is read before it is taken.
"""

from __future__ import annotations

import ast
import inspect
import math
import random
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from importlib.metadata import version
from typing import Any

import opendp.prelude as dp
import pytest

from enclave.query import mechanisms

KERNEL = {
    "enable_features",
    "vector_domain",
    "atom_domain",
    "l1_distance",
    "l2_distance",
    "linf_distance",
    "max_divergence",
    "zero_concentrated_divergence",
    "m.make_gaussian",
    "m.make_laplace",
    "m.make_noisy_max",
    "c.make_zCDP_to_approxDP",
}
"""Planner, transformations, thresholds, filters, samplers of rows and user functions are not among them."""

UNREAD = "OpenDP behaves otherwise than the version that was examined: read the change before taking it"


# --- our own source -------------------------------------------------------------------------------------------------


def names_of_opendp(source: str) -> set[str]:
    """Dotted names taken from the library, as `make_x` modules deep."""
    tree = ast.parse(source)
    aliases = {
        a.asname or a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names if "opendp" in a.name
    }
    whole = {n.value for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    return {
        ".".join(parts[1:])
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node not in whole
        for parts in (dotted(node),)
        if parts and parts[0] in aliases
    }


def dotted(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return [*inner, node.attr] if inner else []
    return [node.id] if isinstance(node, ast.Name) else []


def calls_of(source: str, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
            yield node


OURS = inspect.getsource(mechanisms)


def test_the_version_is_the_one_that_was_examined() -> None:
    assert version("opendp") == "0.16.0", UNREAD


def test_mechanisms_names_nothing_but_the_kernel() -> None:
    used = names_of_opendp(OURS)
    assert used <= KERNEL, f"outside the examined surface: {sorted(used - KERNEL)}"
    assert "m.make_gaussian" in used


def test_control_the_reader_sees_what_is_outside() -> None:
    source = "import opendp.prelude as dp\nx = dp.t.make_resize(1)\ny = dp.m.make_laplace_threshold"
    assert names_of_opendp(source) == {"t.make_resize", "m.make_laplace_threshold"}


def test_it_is_imported_in_one_way_only() -> None:
    found = [n for n in ast.walk(ast.parse(OURS)) if isinstance(n, ast.ImportFrom) and "opendp" in (n.module or "")]
    assert not found, "names would escape the reader"


def test_only_contrib_is_switched_on() -> None:
    switched = [ast.literal_eval(a) for call in calls_of(OURS, "enable_features") for a in call.args]
    assert switched == ["contrib"]


def test_every_domain_is_of_int64() -> None:
    """Floats would bring NaN, infinity and the low bits; "int" would be 32 bits wide."""
    kinds = [ast.unparse(k.value) for call in calls_of(OURS, "atom_domain") for k in call.keywords if k.arg == "T"]
    assert kinds
    assert set(kinds) == {"'i64'"}


# --- the kernel -----------------------------------------------------------------------------------------------------

I64 = "i64"


def vectors() -> Any:
    return dp.vector_domain(dp.atom_domain(T=I64))


def gaussian(scale: float) -> Any:
    return dp.m.make_gaussian(vectors(), dp.l2_distance(T=float), scale=scale)


def test_the_map_of_the_gaussian_is_never_below_the_formula() -> None:
    draw = random.Random(1)
    for _ in range(300):
        scale, reach = draw.randrange(1, 2**50), float(draw.randrange(1, 2**50))
        exact = Fraction(reach) ** 2 / (2 * Fraction(scale) ** 2)
        assert exact <= Fraction(gaussian(float(scale)).map(reach)) <= exact * (1 + Fraction(1, 10**12))


def test_laplace_costs_what_it_must() -> None:
    made: Any = dp.m.make_laplace(vectors(), dp.l1_distance(T=I64), scale=2.0)
    assert 1.5 <= made.map(3) <= 1.5 + 1e-12


def test_results_saturate_and_do_not_wrap() -> None:
    high, low = gaussian(1e9)([2**63 - 1] * 50), gaussian(1e9)([-(2**63)] * 50)
    assert min(high) > 2**62
    assert max(low) < -(2**62)


def test_the_gaussian_is_unbiased_which_it_was_not_before_0_14_2() -> None:
    """#2638: the mean of 20,000 draws at scale 100 lies within 5 standard errors of 0."""
    draws = gaussian(100.0)([0] * 20_000)
    assert abs(sum(draws)) < 5 * 100 * math.sqrt(20_000)


def noisy_max(measure: Any) -> Any:
    return dp.m.make_noisy_max(vectors(), dp.linf_distance(T=I64), measure, scale=1.0)


def test_noisy_max_is_priced_by_the_range_of_its_scores() -> None:
    assert noisy_max(dp.zero_concentrated_divergence()).map(1) == 0.5, UNREAD
    assert noisy_max(dp.zero_concentrated_divergence()).map(2) == 2.0, UNREAD
    assert noisy_max(dp.max_divergence()).map(1) == 2.0, UNREAD


def test_under_zcdp_noisy_max_is_the_exponential_mechanism_since_0_16() -> None:
    """#2911: scores 0 and 2 at scale 1 are chosen as e⁰ : e², 0.119 : 0.881; permute-and-flip would give 0.068."""
    chosen = Counter(noisy_max(dp.zero_concentrated_divergence())([0, 2]) for _ in range(4_000))
    assert 0.095 < chosen[0] / 4_000 < 0.143, UNREAD


# --- the listed faults, and how we do not meet them -----------------------------------------------------------------


def test_2922_thresholds_under_report_delta() -> None:
    """True δ of one key at scale 1, T = 5, |change| ≤ 1: P[1 + noise ≥ 5]; reported is that of 6. We do not use it."""
    space = dp.map_domain(dp.atom_domain(T=str), dp.atom_domain(T=int))
    made: Any = dp.m.make_laplace_threshold(
        space, dp.l01inf_distance(dp.absolute_distance(T=int)), scale=1.0, threshold=5
    )
    ratio = math.exp(-1)
    true = ratio**4 / (1 + ratio)
    assert true == pytest.approx(0.01339, abs=1e-5)
    assert made.map((1, 1, 1))[1] == pytest.approx(ratio * true, rel=1e-6), UNREAD


def test_2935_nan_and_infinity_are_released_as_numbers() -> None:
    floats = dp.vector_domain(dp.atom_domain(T=float, nan=False))
    made = dp.m.make_laplace(floats, dp.l1_distance(T=float), scale=0.01)
    (of_nan,), (of_infinity,) = made([math.nan]), made([math.inf])
    assert abs(of_nan) < 1, UNREAD
    assert of_infinity > 1e308, UNREAD
    with pytest.raises((TypeError, ValueError)):
        mechanisms.noisy([math.nan], 1)  # type: ignore[list-item]  # the attack


def test_scale_zero_releases_the_exact_value_and_we_refuse_it() -> None:
    assert gaussian(0.0)([5]) == [5], UNREAD
    assert gaussian(0.0).map(1.0) == math.inf, UNREAD
    for scale in (0, -1):
        with pytest.raises(ValueError, match="at least 1"):
            mechanisms.noisy([5], scale)


def test_int_is_32_bits_wide() -> None:
    with pytest.raises(ValueError, match="i32"):
        dp.m.make_laplace(dp.atom_domain(T=int), dp.absolute_distance(T=int), scale=2.0)(2**40)


def test_a_filter_dies_of_one_request_too_many() -> None:
    """Hence the ledger is ours: an over-budget question must not end all later ones."""
    odometer = dp.c.make_fully_adaptive_composition(
        vectors(), dp.l2_distance(T=float), dp.zero_concentrated_divergence()
    )
    asked = dp.c.make_privacy_filter(odometer, d_in=1.0, d_out=0.6)([0])
    assert asked(gaussian(1.0))
    with pytest.raises(dp.OpenDPException, match="exhausted"):
        asked(gaussian(1.0))
    with pytest.raises(dp.OpenDPException, match="exhausted"):
        asked(gaussian(1_000.0))


def test_user_code_cannot_become_a_mechanism_in_this_process() -> None:
    with pytest.raises(dp.OpenDPException, match="honest-but-curious"):
        dp.m.make_user_measurement(
            dp.atom_domain(T=I64), dp.absolute_distance(T=I64), dp.max_divergence(), lambda x: x, lambda d: 0.0
        )


def test_a_mechanism_checks_no_membership_so_totals_are_ours_to_prove() -> None:
    """Row 47: a sized domain takes a vector of another length. We give it whole int64 vectors and no declared size."""
    sized = dp.vector_domain(dp.atom_domain(T=I64), size=1_000_000)
    made = dp.m.make_gaussian(sized, dp.l2_distance(T=float), scale=1.0)
    assert len(made([1, 2, 3])) == 3, UNREAD
    with pytest.raises((OverflowError, ValueError, TypeError)):
        mechanisms.noisy([2**63], 1)
