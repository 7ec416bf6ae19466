"""Which identifiers stand in a text, in Chinese or English?

Presidio orchestrates our own recognisers and none of its own: those miss what stands beside Han characters, take ICD-10
codes for driving licences, and one of them reaches for the network. Its language model is the empty one, so nothing is
ever downloaded; the words around an identifier are our cues. Importing Presidio costs a second or two, hence late.
"""

from __future__ import annotations

import re
import socket
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from enclave.intake.discover import dates, names, numbers, places
from enclave.intake.discover.cues import Cue, cues
from enclave.intake.kinds import Kind, Span

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

_LANGUAGE = "zh"
"""One code carries the patterns of both languages: Presidio compares codes, and notes mix languages."""

_WIDE = {0xFF10 + n: 0x30 + n for n in range(10)} | {0xFF21 + n: 0x41 + n for n in range(26)}
_WIDE |= {0xFF41 + n: 0x61 + n for n in range(26)} | {0xFF20: 0x40, 0x3000: 0x20, 0xA0: 0x20}
_IS_WIDE = re.compile("[\uff10-\uff19\uff20-\uff3a\uff41-\uff5a\u3000\xa0]")

Finder = Callable[[str], Iterable[Span]]


def narrow(text: str) -> str:
    """Full-width digits and letters as plain ones, character for character: places stay places."""
    return text.translate(_WIDE) if _IS_WIDE.search(text) else text


@lru_cache(maxsize=1)
def _cues(text: str) -> list[Cue]:
    """Two recognisers ask for the cues of one text in turn."""
    return cues(text)


def _numbers(text: str) -> Iterator[Span]:
    yield from numbers.announced(text, _cues(text))
    yield from numbers.formed(text)


def _places(text: str) -> Iterator[Span]:
    yield from places.addresses(text)
    yield from places.emails(text)
    yield from places.plates(text)


def _names(text: str) -> Iterator[Span]:
    yield from names.announced(text, _cues(text))
    yield from names.unannounced(text)


FINDERS: dict[str, Finder] = {"numbers": _numbers, "places": _places, "dates": dates.dates, "names": _names}


@contextmanager
def _without_probing() -> Iterator[None]:
    """Presidio brings urllib3, which binds a socket when it is imported, to see whether there is IPv6: none is opened."""
    there, socket.has_ipv6 = socket.has_ipv6, False
    try:
        yield
    finally:
        socket.has_ipv6 = there


@cache
def analyzer() -> AnalyzerEngine:
    """The one engine of this process."""
    with _without_probing():
        import presidio_analyzer  # noqa: F401  (what follows is then there already)
    from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
    from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer
    from presidio_analyzer.nlp_engine import NoOpNlpEngine

    class Ours(EntityRecognizer):
        """One of our finders. What it finds has been checked already."""

        def __init__(self, name: str, finder: Finder) -> None:
            self._finder = finder
            super().__init__(supported_entities=[*Kind], supported_language=_LANGUAGE, name=name)
            names = RecognizerResult.RECOGNIZER_NAME_KEY, RecognizerResult.RECOGNIZER_IDENTIFIER_KEY
            self._origin = dict(zip(names, (name, self.id), strict=True))

        def load(self) -> None:
            """Nothing to load."""

        def analyze(self, text: str, entities: list[str], nlp_artifacts: Any) -> list[RecognizerResult]:
            origin = self._origin
            return [
                RecognizerResult(s.kind, s.start, s.end, 1.0, recognition_metadata=origin) for s in self._finder(text)
            ]

    class Settled(ContextAwareEnhancer):
        """Cues have been heard by the recognisers: nothing is raised afterwards."""

        def enhance_using_context(
            self, text: str, raw_results: list[RecognizerResult], *_: Any, **__: Any
        ) -> list[RecognizerResult]:
            return raw_results

    engine = NoOpNlpEngine(models=[{"lang_code": _LANGUAGE, "model_name": "no_op"}])
    engine.load()
    recognizers = [Ours(name, finder) for name, finder in FINDERS.items()]
    registry = RecognizerRegistry(recognizers=recognizers, supported_languages=[_LANGUAGE])
    return AnalyzerEngine(registry, engine, supported_languages=[_LANGUAGE], context_aware_enhancer=Settled(0, 0, 0, 0))


def find(text: str) -> list[Span]:
    """Every identifier in `text`, in order, none overlapping another."""
    found = analyzer().analyze(text=narrow(text), language=_LANGUAGE)
    return settled([Span(Kind(r.entity_type), r.start, r.end) for r in found])


_RANK = {Kind.NAME: 2, Kind.DATE: 1}
"""Of two readings that overlap the more certain kind stays; names are the least certain, dates give way to numbers."""

_start = attrgetter("start")


def settled(spans: Iterable[Span]) -> list[Span]:
    """Of overlapping spans the surer kind, then the longer, then the earlier; what is left, in order."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (_RANK.get(s.kind, 0), s.start - s.end, s.start)):
        at = bisect_left(kept, span.start, key=_start)
        if (at == len(kept) or span.end <= kept[at].start) and (not at or kept[at - 1].end <= span.start):
            kept.insert(at, span)
    return kept
