"""A researcher's laptop: the wheel of the researcher's side, with the packages whose lock the jail shares."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.living import ROOT, Living

from enclave.run import SandboxFiles, prepare


def installed(folder: Path) -> Path:
    """The built wheel, installed: an entry point is metadata of an installation."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--disable-pip-version-check", "--target", str(folder), str(ROOT)], check=True)
    return folder


def on_a_laptop(
    living: Living, folder: Path, site: Path, *words: str | Path, project: str = ""
) -> subprocess.CompletedProcess[str]:
    """Python with these words, as the researcher who is logged in; the house's own project pays unless another is named."""
    assert living.cli("researcher", "domicile", "login", living.settings.url).returncode == 0
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "DOMICILE_LANG": "en"}
    environ["XDG_CONFIG_HOME"] = str(living.place.home / "laptop" / "researcher")
    environ["PYTHONPATH"] = str(site)
    environ["DOMICILE_PROJECT"] = project or living.project  # other tests of this house open projects too
    command = [prepare(SandboxFiles.find()).python, *words]
    return subprocess.run(
        [str(word) for word in command], env=environ, cwd=folder, capture_output=True, text=True, check=False
    )
