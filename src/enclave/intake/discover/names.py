"""Which characters of a text are a person's name?

A surname stands at the front of a Chinese name; what follows is read in two ways, as a name and as words of the
dictionary, and the likelier reading counts. A cue in front or a title behind raises the reading as a name; `姓名：` makes
any Han name one. In Latin letters: capitalised words behind a cue, and Chinese names in pinyin by themselves.

Everything here is a function of the one text and of public lists (soundness U6).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from enclave.intake.discover.cues import Cue
from enclave.intake.discover.lexicon import load
from enclave.intake.discover.parts import parts
from enclave.intake.discover.reading import NEAR, SAID, SURE, Reader
from enclave.intake.kinds import Kind, Span

_HAN = "\u3400-\u9fff"
_BETWEEN = re.compile(r"(?:的?姓名)?[ \t]*(?:[：:=＝（(、，,|]|是|为|叫|名叫|系)?[ \t]*")
_FORM = re.compile(
    rf"[ \t]*[：:=＝|为是][ \t]*([{_HAN}]{{2,8}}(?:[·•.][{_HAN}]{{2,8}}){{1,3}}|[{_HAN}]{{2,4}})(?![{_HAN}])"
)
_DOTTED = re.compile(rf"[{_HAN}]{{2,6}}(?:[·•][{_HAN}]{{2,8}}){{1,2}}")
_TITLES = "(?:副?主任|医师|医生|大夫|教授|护士长?|护师|院长|老师|先生|女士|阿姨|大爷|大妈|师傅)"

_PINYIN = re.compile(
    r"(?<![A-Za-z])[A-Z][a-zü]{1,11}(?:-[a-zü]{2,7})?,? [A-Z][a-zü]{1,11}"
    r"(?:[\-'’][A-Za-z]?[a-zü]{1,7}| [A-Z][a-zü]{1,7})?(?![A-Za-z])"
)
_JOINT = re.compile(r"[,\-'’ ]+")
_WORD = r"(?:[A-Z][a-zü]+[’'\-]?)?[A-Z][A-Za-zü’'\-]+"
_LATIN = re.compile(rf"[ \t]*[:：=]?[ \t]*({_WORD}(?:,? (?:[A-Z]\. )?{_WORD}){{0,2}})(?![A-Za-z])")


@cache
def _reader() -> Reader:
    """The one reader of this process."""
    return Reader(load())


@cache
def _titled() -> re.Pattern[str]:
    """A surname with a title alone: 王主任."""
    return re.compile(rf"[{parts().surnames}](?={_TITLES}(?!医))")


@cache
def _given_in_pinyin() -> re.Pattern[str]:
    return re.compile(f"(?:{'|'.join(parts().syllables)}){{1,2}}")


def announced(text: str, cues: Iterable[Cue]) -> Iterator[Span]:
    """The names behind their cues."""
    for cue in cues:
        found: Span | None = None
        if cue.about == "form" and (match := _FORM.match(text, cue.end)):
            found = Span(Kind.NAME, *match.span(1))
        elif cue.about in ("form", "person"):
            between = _BETWEEN.match(text, cue.end)
            begin = between.end() if between else cue.end
            found = _behind(text, begin, NEAR if begin == cue.end else SURE)
        elif cue.about == "particle":
            found = _behind(text, cue.end, SAID)
        elif cue.about == "latin":
            found = _latin(text, cue.end)
        if found:
            yield found


def _behind(text: str, place: int, least: float) -> Span | None:
    end = _reader().name_at(text, place, least)
    return Span(Kind.NAME, place, end) if end else None


def _latin(text: str, place: int) -> Span | None:
    """Capitalised words behind a cue, up to the first that is no name."""
    match = _LATIN.match(text, place)
    if match is None:
        return None
    end = begin = match.start(1)
    for word in re.finditer(r"[^ ,]+", match[1]):
        if word[0].strip(".").capitalize() in parts().no_name:
            break
        end = begin + word.end()
    return Span(Kind.NAME, begin, end) if end > begin else None


def unannounced(text: str) -> Iterator[Span]:
    """The names that no cue announces: Chinese ones, surnames with a title, dotted ones, pinyin."""
    reader = _reader()
    for start, end in reader.names(text):
        yield Span(Kind.NAME, start, end)
    for match in _titled().finditer(text):
        yield Span(Kind.NAME, *match.span())
    for match in _DOTTED.finditer(text):
        yield Span(Kind.NAME, match.start(), reader.end_of_dotted(text, match.start(), match.end()))
    for match in _PINYIN.finditer(text):
        words = _JOINT.split(match[0])
        if _is_pinyin(words):
            yield Span(Kind.NAME, *match.span())
        elif len(words) > 2 and _is_pinyin(words[:2]):
            end = match[0].index(words[1], len(words[0])) + len(words[1])
            yield Span(Kind.NAME, match.start(), match.start() + end)


def _is_pinyin(words: list[str]) -> bool:
    """A Chinese name in Latin letters, the surname first or last."""
    surnames = parts().pinyin
    given = words[1:] if words[0] in surnames else words[:-1] if words[-1] in surnames else []
    return bool(given) and all(_given_in_pinyin().fullmatch(word.lower()) for word in given)
