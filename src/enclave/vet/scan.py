"""Does Presidio, with our recognisers alone, see an identifier?

Presidio orchestrates; the patterns are those of `domicile.rules`, so that the lint on a laptop without Presidio says the
same (a test compares them on random texts). Its own recognisers stay out: they miss identifiers beside Han characters, take
ICD-10 codes for licences, and one of them reaches for the network. The language model is the empty one, so nothing is ever
downloaded. One language code carries the patterns of both languages. Importing costs 1.5 s, hence late.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, cast

from domicile.rules import PATTERNS, Hit, Passage, Pattern, matches, normal, settled

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

_LANGUAGE = "zh"


@cache
def analyzer() -> AnalyzerEngine:
    """The one engine of this process."""
    from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
    from presidio_analyzer.nlp_engine import NoOpNlpEngine

    class Ours(EntityRecognizer):
        """One of our patterns. Its checksum has been applied already, so a hit is certain of its reading."""

        def __init__(self, pattern: Pattern) -> None:
            self._pattern = pattern
            self._entity = f"{pattern.kind}/{pattern.verdict}"
            super().__init__(supported_entities=[self._entity], supported_language=_LANGUAGE, name=self._entity)

        def load(self) -> None:
            """Nothing to load."""

        def analyze(self, text: str, entities: list[str], nlp_artifacts: Any) -> list[RecognizerResult]:
            return [RecognizerResult(self._entity, hit.start, hit.end, 1.0) for hit in matches(self._pattern, text)]

    engine = NoOpNlpEngine(models=[{"lang_code": _LANGUAGE, "model_name": "no_op"}])
    engine.load()
    registry = RecognizerRegistry(recognizers=[Ours(p) for p in PATTERNS], supported_languages=[_LANGUAGE])
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[_LANGUAGE])


def hits(passage: Passage) -> list[Hit]:
    """What Presidio sees in a passage, settled like our own scan."""
    found = []
    for result in analyzer().analyze(text=normal(passage.text), language=_LANGUAGE):
        kind, _, verdict = result.entity_type.partition("/")
        found.append(Hit(kind, cast(Literal["fail", "review"], verdict), result.start, result.end))
    return passage.kept(settled(found))
