"""`make bench-peers`: beside every open peer, how much faster are we, and how much nearer the truth?

    python -m bench.peers.run [--only PEER …] [--alone] [--visits N] [--forms FORM …]

Rows go into `bench/results.json` and its table beside those of `make bench`, all figures into `bench/peers/measured.json`
and the tables of `docs/reference/peers.md`. `--only`, `--alone` (ours, beside no peer) and `--forms` leave what was
measured before as it stands (`--only` ours as well); nothing is written down at another size than the usual one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench.hospital import Hospital, shelved  # noqa: E402
from bench.peers import report  # noqa: E402
from bench.peers.compare import Compared, compared, truths  # noqa: E402
from bench.peers.environments import NotInstalled, python_of  # noqa: E402
from bench.peers.ours import Ours  # noqa: E402
from bench.peers.registry import PEERS, Peer  # noqa: E402
from bench.peers.rows import handed  # noqa: E402
from bench.peers.shapes import Shape, shape_of  # noqa: E402
from bench.peers.talk import Failed, spoken  # noqa: E402
from bench.questions import SUITE  # noqa: E402
from bench.suite import Cells, total_error  # noqa: E402

VISITS = 1_000_000
OUR_PROFILES, OUR_ANSWERS, OUR_TURNS = 8, 15, 25
"""So many profiles are bought, and under each the suite is answered so often: clips depend on what a profile says. Seconds
are those of fewer turns."""


def measured(
    peers: Sequence[Peer], hospital: Hospital, folder: Path, forms: Sequence[str], *, and_ours: bool
) -> Iterator[list[Compared]]:
    """Ours, then each peer form by form, handed on at once: a run that ends early has not been for nothing."""
    every = [shape_of(form, hospital.dataset) for form in SUITE]
    shapes = [s for s in every if not forms or s.form.name in forms]
    handed(hospital, folder / "rows")
    truth = truths(hospital, shapes)
    ours = Ours(hospital, every)
    if and_ours:
        yield _ours(ours, shapes, truth)
    for peer in peers:
        print(f"{peer.title} {peer.version}", flush=True)
        for made in _peer(peer, ours, shapes, truth, folder):
            yield [made]
    ours.close()


def _peer(peer: Peer, ours: Ours, shapes: Sequence[Shape], truth: dict[str, Cells], folder: Path) -> Iterator[Compared]:
    told: set[str] = set()
    scratch = folder / peer.name
    scratch.mkdir()
    try:
        with spoken(peer, python_of(peer), folder / f"{peer.name}.log") as process:
            print(f"  ready after {process.load(folder / 'rows', scratch):.1f} s", flush=True)
            for made in compared(peer, process, ours, shapes, truth, folder / "rows"):
                print(f"  {report.line(made)}", flush=True)
                told.add(made.form)
                yield made
    except (NotInstalled, Failed) as reason:
        print(f"  {reason}", flush=True)
        missing = [s.form.name for s in shapes if s.form.name not in told]
        yield from (Compared(peer.name, name, cannot=str(reason)) for name in missing)


def _ours(ours: Ours, shapes: Sequence[Shape], truth: dict[str, Cells]) -> list[Compared]:
    """Our own errors: of the whole suite as it was asked, so many times over; and our own seconds, form by form."""
    made = {shape.form.name: Compared(report.US, shape.form.name) for shape in shapes}
    for turn in range(OUR_PROFILES * OUR_ANSWERS):
        if turn % OUR_ANSWERS == 0:
            ours.buy()
        told = ours.suite()
        for shape in shapes:
            true, mine = truth[shape.form.name], made[shape.form.name]
            mine.their_errors.append(total_error(shape.form, shape.asked_of(told[shape.form.name], true), true))
            if turn < OUR_TURNS:
                mine.ours.append(ours.ask(shape)[0])
                mine.theirs.append(mine.ours[-1])
    return list(made.values())


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", nargs="*", default=[], choices=[p.name for p in PEERS], help="these peers alone")
    options.add_argument("--alone", action="store_true", help="no peer: our own errors alone")
    options.add_argument("--visits", type=int, default=VISITS)
    options.add_argument("--forms", nargs="*", default=[], help="these forms of the suite alone")
    given = options.parse_args()
    peers = [p for p in PEERS if not given.alone and (not given.only or p.name in given.only)]
    with shelved(given.visits) as hospital, tempfile.TemporaryDirectory(prefix="domicile-peers-") as folder:
        for found in measured(peers, hospital, Path(folder), given.forms, and_ours=not given.only):
            if given.visits == VISITS:
                report.written(found)
            else:
                print(report.tables([made.kept() for made in found]))


if __name__ == "__main__":
    main()
