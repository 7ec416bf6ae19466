"""How much of a build do the checks of standards take, alone?

The same raw tables are built twice in turns, each in a process of its own: under the shipped descriptor with every data
element, plausible range and stated check that its tables can have, and without any. What is compared is the processor's
time of the whole process, so that a busy machine weighs on neither; the checks ride in the scan that reads the rows anyway.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from bench.hospital import make_raw

ROOT = Path(__file__).resolve().parents[1]
PERSONS, TURNS = 200_000, 3
TABLES = ("patients", "visits")
GOAL = 0.25
_SAID = ("element", "system", "plausible", "required")


def stripped(text: bytes) -> bytes:
    """The descriptor without a word about standards."""
    tree = yaml.safe_load(text)
    for resource in tree["resources"]:
        for name in ("checks", "quality"):
            resource.pop(name, None)
        for field in resource.get("schema", {}).get("fields", ()):
            for name in _SAID:
                field.pop(name, None)
    tree.pop("quality", None)
    return str(yaml.safe_dump(tree, allow_unicode=True, sort_keys=False)).encode()


def build_once(source: Path, *, checked: bool) -> None:
    """What the measured process does."""
    from enclave.intake import narrowed
    from enclave.intake.descriptor import parse
    from enclave.intake.extract import build

    text = narrowed((ROOT / "policies/datasets/hospital/datapackage.yaml").read_bytes(), TABLES, size_class=10**7)
    d = parse(text if checked else stripped(text))
    with tempfile.TemporaryDirectory(prefix="domicile-bench-") as draft:
        build(d, source, Path(draft), pseudonym_key=b"k" * 32, file_key="5e" * 32)


def _seconds(source: Path, which: str) -> float:
    """The processor's seconds of one build."""
    child = subprocess.Popen([sys.executable, "-m", "bench.standards", str(source), which], cwd=ROOT)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError("the build failed: nothing was measured")
    return used.ru_utime + used.ru_stime


def measure() -> list[dict[str, Any]]:
    """One row: the share of a build."""
    with tempfile.TemporaryDirectory(prefix="domicile-bench-") as folder:
        source = Path(folder)
        make_raw(source, PERSONS, TABLES)
        pairs = [(_seconds(source, "checked"), _seconds(source, "plain")) for _ in range(TURNS)]
    checked, plain = (min(pair[n] for pair in pairs) for n in (0, 1))
    share = max(1 - plain / checked, 0.0)
    return [
        {
            "name": "standards.share_of_build",
            "value": round(share, 4),
            "unit": "",
            "against": f"the same build without checks, in turns; {PERSONS:,} persons, {' and '.join(TABLES)}, CPU time",
            "ratio": round(share / GOAL, 3),
            "goal": f"<= {GOAL}",
            "holds": share <= GOAL,
        }
    ]


if __name__ == "__main__":
    build_once(Path(sys.argv[1]), checked=sys.argv[2] == "checked")
