"""List what a notebook tries behind the wall, and outside, in docs/reference/probes.md, from the probes themselves.

python docs/list_probes.py           write the page
python docs/list_probes.py --check   exit 1 when the page is not what `sandbox/` says

The tests of `tests/jail` hold the page to what happens: a probe that comes out otherwise, on either side, fails there.
"""

from __future__ import annotations

import importlib
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from sandbox.canary import PROBES, Probe  # noqa: E402  found once the folder is

PAGE = ROOT / "docs" / "reference" / "probes.md"
SUBJECTS = ("files", "places", "network", "processes", "rights", "kernel")
HEAD = """# What is tried behind the wall

Written by `docs/list_probes.py` from `sandbox/probes.toml` and `sandbox/probes/`; `make check` compares. Every probe is
tried in a jail started for its run, in one that waited, and in one that an ordinary user started (`test_probes.py` and
`test_pool.py` of `tests/jail`), and by `enclave selfcheck`. *Outside* is the control: the very same code without the
wall, by the jail's own user ("works"); by root in namespaces of its own where only root may ("works for root"); by root on
a machine made for it, of empty files and folders, where it would change this one or needs what few machines have ("works on
a made machine"). "–": there is none: to ask for that family has the kernel load a driver, or the thing has no use anywhere.

{probes} probes: {stopped} stopped behind the wall, {open} open by design; {controlled} of them have a control.

"""


def load() -> dict[str, Any]:
    """Rows and findings; the probes are registered on the way."""
    for subject in SUBJECTS:
        importlib.import_module(f"sandbox.probes.{subject}")
    return tomllib.loads((ROOT / "sandbox" / "probes.toml").read_text(encoding="utf-8"))


def outside(probe: Probe) -> str:
    words = {"user": "works", "root": "works for root", "made": "works on a made machine"}
    return words.get(probe.control, "–")


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def tests_of(entry: dict[str, Any]) -> list[str]:
    return [f"`{test}`" for test in entry.get("tests", ())]


def page() -> str:
    """The whole page."""
    told = load()
    opened = sum(bool(p.open_because) for p in PROBES.values())
    controlled = sum(bool(p.control) for p in PROBES.values())
    rows = []
    for entry in told["row"]:
        mine = sum(p.row == entry["row"] for p in PROBES.values())
        where = [f"{mine} probes" if mine > 1 else "1 probe"] if mine else []
        rows.append((str(entry["row"]), entry["what"], entry["must"], "<br>".join([*where, *tests_of(entry)])))
    findings = [(str(f["finding"]), f["what"], f["answer"], "<br>".join(tests_of(f))) for f in told["finding"]]
    probes = [
        (str(p.row), name, f"open by design: {p.open_because}" if p.open_because else "stopped", outside(p))
        for name, p in sorted(PROBES.items(), key=lambda item: item[1].row)
    ]
    counts = {"probes": len(PROBES), "stopped": len(PROBES) - opened, "open": opened, "controlled": controlled}
    return "\n".join(
        [
            HEAD.format(**counts).rstrip() + "\n",
            "## By subject\n",
            table(("row", "a notebook tries to …", "and must …", "tried by"), rows),
            "## Known to go wrong with such jails\n",
            table(("finding", "what", "answer", "tried by"), findings),
            "## Every probe\n",
            table(("row", "probe", "behind the wall", "outside"), probes),
        ]
    )


def main() -> None:
    if "--check" in sys.argv:
        sys.exit(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
