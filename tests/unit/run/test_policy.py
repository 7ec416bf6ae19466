"""Whose notebooks are read first."""

from __future__ import annotations

from pathlib import Path

import pytest

from enclave.errors import BadInput
from enclave.run import RunPolicy

SHIPPED = Path(__file__).parents[3] / "policies"


def written(folder: Path, text: str) -> RunPolicy:
    (folder / "run.toml").write_text(text)
    return RunPolicy.load(folder)


def test_the_policy_that_is_shipped_asks_from_grade_four_on() -> None:
    policy = RunPolicy.load(SHIPPED)
    assert [bool(policy.asks("prj_1", "hospital", grade)) for grade in (1, 2, 3, 4, 5)] == [False] * 3 + [True] * 2
    assert policy.asks("prj_1", "hospital", 4) == policy.digest


def test_grade_dataset_and_project_each_ask(tmp_path: Path) -> None:
    policy = written(tmp_path, "[code_review]\ngrades = [3]\ndatasets = ['icu']\nprojects = ['prj_2']\n")
    asked = [policy.asks("prj_1", "icu", 1), policy.asks("prj_2", "hospital", 1), policy.asks("prj_1", "hospital", 3)]
    assert all(asked) and not policy.asks("prj_1", "hospital", 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[code_review]\ngrades = [4]\ndatasets = []\n",
        "[code_review]\ngrades = [4]\ndatasets = []\nproject = []\n",
        "[code_review]\ngrades = [4]\ndatasets = []\nprojects = []\nprojcts = []\n",
        "[code_review]\ngrades = [6]\ndatasets = []\nprojects = []\n",
        "[code_review]\ngrades = ['4']\ndatasets = []\nprojects = []\n",
        "[code_review]\ngrades = [true]\ndatasets = []\nprojects = []\n",
        "[code_review]\ngrades = [4]\ndatasets = 'hospital'\nprojects = []\n",
        "[code_review]\ngrades = [4]\ndatasets = []\nprojects = []\n[other]\n",
        "[code_review",
    ],
)
def test_a_policy_that_says_something_else_is_refused_whole(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput) as refused:
        written(tmp_path, text)
    assert refused.value.code == "run.policy_invalid"


def test_a_home_without_one_runs_nothing_unread(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        RunPolicy.load(tmp_path)
