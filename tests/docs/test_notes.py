"""The page of notes is what the code makes of them, and holds none of what it took out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_code_says() -> None:
    done = subprocess.run([sys.executable, ROOT / "docs" / "show_notes.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0, "docs/reference/notes.md is not what the code says: python docs/show_notes.py"
