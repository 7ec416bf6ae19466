"""What of a comparison is written down, and where?

`measured.json` keeps every figure by peer and form, so that one peer can be measured alone; from it come the rows of
`bench/results.json` and the tables between the marks of `docs/reference/peers.md`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from bench import run_all
from bench.peers.compare import Compared
from bench.peers.registry import HERE, PEERS, Peer
from bench.questions import SUITE

MEASURED = HERE / "measured.json"
TOLD = HERE.parents[1] / "docs" / "reference" / "peers.md"
MARKS = ("<!-- measured: written by make bench-peers -->\n", "<!-- end of measured -->")
US = "ours"
GOAL_ERROR = 0.6

Kept = Mapping[str, Any]
Row = dict[str, Any]


def line(made: Compared) -> str:
    """One form, for somebody who watches."""
    if made.cannot:
        return f"{made.form}: cannot ({made.cannot})"
    errors = f"error {made.error:.2%}, ours {median(made.our_errors):.2%}"
    return f"{made.form}: {made.speedup:,.0f} times as long ({median(made.theirs):.2f} s); {errors}; {made.bounds}"


def written(found: Sequence[Compared]) -> None:
    """Merge with what was measured before, and put everything on disk."""
    before = json.loads(MEASURED.read_text()) if MEASURED.exists() else []
    kept = {(m["peer"], m["form"]): m for m in [*before, *(made.kept() for made in found)]}
    forms = [form.name for form in SUITE]
    order = [US, *(p.name for p in PEERS)]
    lines = sorted(
        (m for m in kept.values() if m["form"] in forms), key=lambda m: (order.index(m["peer"]), forms.index(m["form"]))
    )
    MEASURED.write_text("[\n" + ",\n".join(json.dumps(m) for m in lines) + "\n]\n")
    rows = {r["name"]: r for r in json.loads(run_all.RESULTS.read_text())} | {r["name"]: r for r in rows_of(lines)}
    run_all.written(sorted(rows.values(), key=lambda row: str(row["name"])))
    head, rest = TOLD.read_text().split(MARKS[0])
    TOLD.write_text(head + MARKS[0] + "\n" + tables(lines) + "\n" + MARKS[1] + rest.split(MARKS[1])[1])


def rows_of(lines: Sequence[Kept]) -> list[Row]:
    """The rows of `bench/results.json`."""
    return [*(_speed(peer, lines) for peer in PEERS), *_errors(lines)]


def _speed(peer: Peer, lines: Sequence[Kept]) -> Row:
    mine = {m["form"]: m["speedup"] for m in lines if m["peer"] == peer.name and "speedup" in m}
    worst = min(mine.values(), default=None)
    each = ", ".join(f"{form} {speedup:,.0f}" for form, speedup in sorted(mine.items(), key=lambda found: found[1]))
    reasons = {m["cannot"] for m in lines if m["peer"] == peer.name and "cannot" in m}
    return {
        "name": f"query.peer.{peer.name}.speedup",
        "value": None if worst is None else round(worst, 1),
        "unit": "×",
        "against": f"{peer.title} {peer.version}, the worst of: {each}" if mine else "; ".join(sorted(reasons)),
        "ratio": None if worst is None else round(worst, 1),
        "goal": f">= {peer.goal:g}",
        "holds": worst is not None and worst >= peer.goal,
    }


def _errors(lines: Sequence[Kept]) -> list[Row]:
    ratios = _ratios(lines)
    if not ratios:
        return []
    worst: dict[str, float] = {}
    for form in SUITE:
        if form.name in ratios:
            worst[form.question] = max(ratios[form.name], worst.get(form.question, 0.0))
    middle = median(worst.values())
    behind = sorted((form for form, ratio in ratios.items() if ratio > 1), key=lambda form: -ratios[form])
    said = ", ".join(f"{form} {_figure(ratios[form])}" for form in behind) or "none"
    return [
        {
            "name": "query.suite.error_vs_best_peer",
            "value": round(middle, 3),
            "unit": "×",
            "against": f"the best peer's total error, over {len(worst)} questions, each as its worst form",
            "ratio": round(middle, 3),
            "goal": f"<= {GOAL_ERROR}",
            "holds": middle <= GOAL_ERROR,
        },
        {
            "name": "query.suite.error_behind",
            "value": len(behind),
            "unit": "forms",
            "against": f"forms on which the best peer's total error is less: {said}",
            "ratio": None,
            "goal": "<= 0",
            "holds": not behind,
        },
    ]


def _ratios(lines: Sequence[Kept]) -> dict[str, float]:
    """Our total error over the best peer's, by form."""
    ours = {m["form"]: m["error"] for m in lines if m["peer"] == US and "error" in m}
    theirs: dict[str, float] = {}
    for m in lines:
        if m["peer"] != US and "error" in m:
            theirs[m["form"]] = min(m["error"], theirs.get(m["form"], math.inf))
    return {form: _over(ours[form], theirs[form]) for form in ours if form in theirs}


def _over(ours: float, best: float) -> float:
    """1 where both are exact."""
    if best > 0:
        return ours / best
    return 1.0 if ours == 0 else math.inf


def tables(lines: Sequence[Kept]) -> str:
    """Speed, error, bounds, and what cannot be asked, as Markdown."""
    by = {(m["peer"], m["form"]): m for m in lines}
    forms = list(dict.fromkeys(m["form"] for m in lines))
    ratios = _ratios(lines)
    titles = [f"{p.title} {p.version}" for p in PEERS]
    speed = [[form, _seconds(by.get((US, form))), *(_times(by.get((p.name, form))) for p in PEERS)] for form in forms]
    error = [
        [
            form,
            _percent(by.get((US, form))),
            *(_percent(by.get((p.name, form))) for p in PEERS),
            _figure(ratios[form]) if form in ratios else "–",
        ]
        for form in forms
    ]
    bounds = [
        [p.title, m["form"], ", ".join(f"{name} {value:g}" for name, value in m["bounds"].items()), str(m["answers"])]
        for p in PEERS
        for m in lines
        if m["peer"] == p.name and "bounds" in m
    ]
    cannot = [[p.title, m["form"], m["cannot"]] for p in PEERS for m in lines if m["peer"] == p.name and "cannot" in m]
    return "\n".join(
        [
            "How many times as long as ours:\n",
            _table(["form", "ours, ms", *titles], speed),
            "\nTotal error under one ε = 1, δ = 1e-6, median of the answers:\n",
            _table(["form", "ours", *titles, "ours / best"], error),
            "\nThe bounds the oracle chose, and how many answers were taken:\n",
            _table(["engine", "form", "bounds", "answers"], bounds),
            "\nWhat could not be asked:\n",
            _table(["engine", "form", "why"], cannot),
        ]
    )


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    written = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *lines)]
    return "\n".join(written) + "\n"


def _seconds(made: Kept | None) -> str:
    return f"{1000 * made['ours']:.1f}" if made and "ours" in made else "–"


def _times(made: Kept | None) -> str:
    return f"{made['speedup']:,.0f}" if made and "speedup" in made else "–"


def _percent(made: Kept | None) -> str:
    return f"{made['error']:.2%}" if made and "error" in made else "–"


def _figure(ratio: float) -> str:
    return f"{ratio:.2f}" if math.isfinite(ratio) else "ours alone errs"
