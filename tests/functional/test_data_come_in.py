"""The tutorial of raw tables, as it stands: drafted, settled, signed, taken in, reported, retired."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from datasets_synthetic import omop
from tests.living import ROOT

PAGE = (ROOT / "docs" / "tutorials" / "data-come-in.md").read_text()
FENCE = re.compile(r"```(\w+) (\S+)\n(.*?)```", re.DOTALL)
TOKEN = re.compile(r"^dom_\S+$", re.MULTILINE)


def settle(path: Path) -> None:
    """What the page says: take the marks out, and name the register of the first dataset."""
    kept = [line for line in path.read_text().splitlines() if "SETTLE:" not in line]
    path.write_text(re.sub(r"^register: .*$", "register: omop_persons", "\n".join(kept), flags=re.MULTILINE) + "\n")


def test_the_tutorial_runs_line_by_line(tmp_path: Path) -> None:
    home, tokens, said = tmp_path / "home", dict[str, str](), dict[str, str]()
    omop.make(tmp_path / "OMOP", persons=120, seed=4)
    (tmp_path / "WARD").mkdir()
    for kind, who, text in FENCE.findall(PAGE):
        if kind == "csv":
            (tmp_path / "WARD" / who).write_text(text, encoding="gb18030")
            continue
        for line in text.splitlines():
            _, *words = shlex.split(line.replace("POLICIES", str(home / "policies")))
            if words[0] == "draft":
                Path(words[-1]).parent.mkdir()
            done = subprocess.run(
                [str(Path(sys.executable).parent / "enclave"), *words],
                env={
                    "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "COLUMNS": "200", "HOME": str(tmp_path),
                    "ENCLAVE_HOME": str(home), "ENCLAVE_TOKEN": tokens.get(who, ""),
                },
                capture_output=True, text=True, check=False, cwd=tmp_path,
            )  # fmt: skip
            assert done.returncode == 0, f"{line}: {done.stderr}"
            said[line] = done.stdout
            if found := TOKEN.search(done.stdout):
                tokens["operator" if words[0] == "init" else words[2]] = found[0]
            if words[0] == "draft":
                assert "to be settled" in done.stdout
                settle(Path(words[-1]))
    assert "person" in said["enclave report omop"] and (tmp_path / "omop.html").stat().st_size > 5000
    assert "names taken out of the notes" in said["enclave report ward"]
    assert "somebody who works there" in said["enclave report ward"]
    everything = "".join(said.values())
    assert not any(name in everything for name in ("沙明远", "王伟", "13812345678"))
    assert "omop" in said["enclave datasets"] and "ward" not in said["enclave datasets"]
