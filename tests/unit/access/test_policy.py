"""Approvals by grade are a policy that is either sound or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from enclave.access import AccessPolicy
from enclave.errors import BadInput

POLICIES = Path(__file__).parents[3] / "policies"
TEXT = (POLICIES / "access.toml").read_text()


def test_the_policy_names_steward_before_officer_and_closes_grade_five() -> None:
    policy = AccessPolicy.load(POLICIES)
    assert all(steps[:2] == ("steward", "officer") for grade, steps in policy.steps.items() if grade < 5)
    assert policy.steps[5] == ()


@pytest.mark.parametrize(
    "change",
    [
        ('1 = ["steward", "officer"]', '1 = ["steward"]'),
        ('1 = ["steward", "officer"]', '1 = ["steward", "researcher"]'),
        ('1 = ["steward", "officer"]', '1 = ["steward", "emperor"]'),
        ('1 = ["steward", "officer"]', ""),
        ("5 = []", "6 = []"),
        ("longest_days = 366", "longest_days = 0"),
        ('lanes = ["dp"]', "lanes = []"),
        ("[approvals]", "[approvals"),
        ("[request]", "[other]"),
    ],
)
def test_an_unsound_policy_is_refused(tmp_path: Path, change: tuple[str, str]) -> None:
    assert change[0] in TEXT
    (tmp_path / "access.toml").write_text(TEXT.replace(*change, 1))
    with pytest.raises(BadInput) as no:
        AccessPolicy.load(tmp_path)
    assert no.value.code == "access.policy_invalid"


def test_no_policy_is_no_permission(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        AccessPolicy.load(tmp_path)
