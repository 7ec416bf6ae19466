"""How fast are identifiers found in notes and in columns, and how many of them?

Notes of an invented hospital, held against the truth file: a planted identifier counts as found when all its characters
are covered; a span counts as right when at least half of it was planted. Beside our own pack runs what it is compared
with, on the same notes in turns: Presidio with jieba's tagger as its language model and plain patterns, the usual way to
give it Chinese.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb

from enclave.intake.kinds import Kind, Span
from enclave.intake.redact.texts import Note, spans_of

ROOT = Path(__file__).resolve().parents[1]
PERSONS, TURNS = 20_000, 3
BASELINE_NOTES = 400
GOAL_CHARS, GOAL_RATIO, GOAL_ROWS = 600_000, 10, 500_000
GOAL_NAMES, GOAL_OTHERS, GOAL_PRECISION = 0.95, 0.97, 0.9
_NB, _NA = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
Truth = dict[str, list[tuple[str, int, int]]]
Row = dict[str, Any]


def _row(name: str, value: float, unit: str, against: str, ratio: float | None, goal: str, holds: bool) -> Row:
    return {
        "name": name, "value": value, "unit": unit, "against": against,
        "ratio": None if ratio is None else round(ratio, 3), "goal": goal, "holds": holds,
    }  # fmt: skip


def _read(folder: Path) -> tuple[list[tuple[str, Note]], Truth]:
    """(note id, note) with the person's own identifiers, and what was planted in each."""
    raw = f"'{folder}/notes.parquet' n LEFT JOIN '{folder}/patients.parquet' p USING (patient_id)"
    kinds = (Kind.NAME, Kind.RESIDENT_ID, Kind.PHONE, Kind.ADDRESS)
    truth: Truth = defaultdict(list)
    with duckdb.connect() as con:
        found = con.execute(f"SELECT note_id, text, name, resident_id, phone, address FROM {raw} ORDER BY 1").fetchall()
        for note, kind, start, end in con.execute(f"SELECT * FROM '{folder}/truth_notes.parquet'").fetchall():
            truth[note].append((kind, start, end))
    own = (tuple((k, v) for k, v in zip(kinds, values, strict=True) if v) for _, _, *values in found)
    return [(row[0], Note(row[1], 1, 0, mine)) for row, mine in zip(found, own, strict=True)], truth


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def usual() -> Callable[[str], object]:
    """Presidio with jieba's tags as named entities, and patterns for four kinds."""
    from itertools import accumulate

    import jieba.posseg
    from presidio_analyzer import (
        AnalyzerEngine,
        EntityRecognizer,
        Pattern,
        PatternRecognizer,
        RecognizerRegistry,
        RecognizerResult,
    )
    from presidio_analyzer.nlp_engine import NlpArtifacts, NoOpNlpEngine
    from spacy.tokens import Doc
    from spacy.tokens import Span as Entity
    from spacy.vocab import Vocab

    class Tagged(NoOpNlpEngine):
        def process_text(self, text: str, language: str) -> NlpArtifacts:
            words = [(w.word, w.flag) for w in jieba.posseg.cut(text)]
            doc = Doc(Vocab(), words=[w for w, _ in words], spaces=[False] * len(words))
            starts = list(accumulate([0] + [len(w) for w, _ in words]))[:-1]
            named = [
                Entity(doc, n, n + 1, label="PERSON")
                for n, (w, flag) in enumerate(words)
                if flag == "nr" and len(w) > 1
            ]
            return NlpArtifacts(named, doc, starts, [w for w, _ in words], self, language, scores=[0.5] * len(named))

    class People(EntityRecognizer):
        def load(self) -> None:
            """Nothing to load."""

        def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts) -> list[RecognizerResult]:
            return [RecognizerResult("PERSON", e.start_char, e.end_char, 0.5) for e in nlp_artifacts.entities]

    forms = {
        "ID": r"[1-9]\d{16}[\dXx]", "PHONE": r"1[3-9]\d{9}", "CARD": r"62\d{14,17}",
        "DATE": r"\d{4}-\d\d-\d\d|\d{4}年\d+月\d+日",
    }  # fmt: skip
    ours: list[Any] = [
        PatternRecognizer(k, name=k, supported_language="zh", patterns=[Pattern(k, _NB + form + _NA, 0.6)])
        for k, form in forms.items()
    ]
    ours.append(People(supported_language="zh", supported_entities=["PERSON"], name="people"))
    engine = Tagged(models=[{"lang_code": "zh", "model_name": "no_op"}])
    engine.load()
    analyzer = AnalyzerEngine(RecognizerRegistry(ours, supported_languages=["zh"]), engine, supported_languages=["zh"])
    return lambda text: analyzer.analyze(text=text, language="zh")


def _speed(notes: Sequence[Note]) -> Row:
    """Characters a second, ours and the usual way, in turns."""
    other, few = usual(), notes[:BASELINE_NOTES]
    other(few[0].text)
    list(spans_of(notes[:10]))
    ours = theirs = float("inf")
    for _ in range(TURNS):
        ours = min(ours, _timed(lambda: sum(1 for _ in spans_of(notes))))
        theirs = min(theirs, _timed(lambda: [other(note.text) for note in few]))
    rate, usual_rate = sum(len(n.text) for n in notes) / ours, sum(len(n.text) for n in few) / theirs
    against = f"Presidio with jieba's tagger on the same notes, {usual_rate:,.0f} characters/s, one process each"
    ratio = rate / usual_rate
    holds = rate >= GOAL_CHARS and ratio >= GOAL_RATIO
    goal = f">= {GOAL_CHARS:,} and {GOAL_RATIO} times"
    return _row("discover.note_chars_per_second", round(rate), "characters/s", against, ratio, goal, holds)


def _quality(notes: Sequence[tuple[str, Note]], truth: Truth) -> list[Row]:
    """Recall by kind, and precision."""
    planted, covered = Counter[str](), Counter[str]()
    found = right = 0
    for (name, note), spans in zip(notes, spans_of([note for _, note in notes]), strict=True):
        true = truth.get(name, [])
        seen = bytearray(len(note.text))
        for span in spans:
            seen[span.start : span.end] = b"\1" * (span.end - span.start)
        for kind, start, end in true:
            planted[kind] += 1
            covered[kind] += all(seen[start:end])
        found += len(spans)
        right += sum(_is_right(span, true) for span in spans)
    rows = []
    for kind in sorted(planted):
        goal = GOAL_NAMES if kind == "name" else GOAL_OTHERS
        recall = covered[kind] / planted[kind]
        against = f"the truth file, {planted[kind]:,} planted"
        rows.append(
            _row(f"discover.recall.{kind}", round(recall, 4), "share", against, None, f">= {goal}", recall >= goal)
        )
    precision = right / found
    holds = precision >= GOAL_PRECISION
    against = f"the truth file, {found:,} found"
    rows.append(_row("discover.precision", round(precision, 4), "share", against, None, f">= {GOAL_PRECISION}", holds))
    return rows


def _is_right(span: Span, true: Sequence[tuple[str, int, int]]) -> bool:
    return 2 * sum(max(0, min(span.end, e) - max(span.start, s)) for _, s, e in true) >= span.end - span.start


def _columns(folder: Path) -> Row:
    """Rows a second through the profiler of columns, all tables."""
    from enclave.intake import descriptor, identifiers, raw
    from enclave.intake.workshop import Room, workshop

    d = descriptor.parse((ROOT / "policies/datasets/hospital/datapackage.yaml").read_bytes())
    source = raw.source_of(folder)
    with workshop(folder, source.sees, Room()) as con:
        files = [raw.open_raw(con, source, table, zone=d.timezone) for table in d.tables]
        counts = [con.execute(f"SELECT count(*) FROM {file.view}").fetchall()[0][0] for file in files]
        seconds = min(_timed(lambda: [identifiers.look(con, file) for file in files]) for _ in range(TURNS))
    rate = sum(counts) / seconds
    against = f"the goal; {sum(counts):,} rows of five tables, Parquet"
    holds = rate >= GOAL_ROWS
    return _row(
        "discover.rows_per_second", round(rate), "rows/s", against, rate / GOAL_ROWS, f">= {GOAL_ROWS:,}", holds
    )


def measure() -> list[Row]:
    """Speed, recall and precision on notes; speed on columns."""
    with tempfile.TemporaryDirectory(prefix="domicile-bench-") as name:
        folder = Path(name)
        make = [sys.executable, str(ROOT / "datasets_synthetic" / "make.py"), name, "--persons", str(PERSONS)]
        subprocess.run([*make, "--format", "parquet", "--seed", "11"], check=True, cwd=ROOT)
        notes, truth = _read(folder)
        speed = _speed([note for _, note in islice(notes, 5_000)])
        return [speed, *_quality(notes, truth), _columns(folder)]
