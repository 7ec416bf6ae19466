"""Is what `domicile` names there when it is asked for, whatever was loaded before?"""

from __future__ import annotations

import subprocess
import sys

import pytest

import domicile
from domicile import models, output, verified
from domicile.client import dataset, problem, session


def test_each_name_is_what_its_room_holds() -> None:
    assert domicile.output is output and domicile.open is dataset.open_dataset and domicile.login is session.login
    assert domicile.verify is verified.verify and domicile.Report is verified.Report
    assert domicile.ProblemError is problem.ProblemError and domicile.Survival is models.Survival
    assert domicile.Crosstab is models.Crosstab and domicile.LinearRegression is models.LinearRegression
    assert {name for name in domicile.__all__ if getattr(domicile, name)} <= set(dir(domicile))


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nowhere"):
        _ = domicile.nowhere


def test_the_words_are_had_without_the_frames_and_the_network() -> None:
    asked = "import sys, domicile.wire.words; sys.exit(bool({'pyarrow', 'numpy', 'httpx'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0
    assert (
        subprocess.run([sys.executable, "-c", f"import domicile; domicile.open; {asked}"], check=False).returncode == 1
    )
