"""Is a name the likelier reading of these characters, or are words?

Around each surname a few characters are read twice: once with a name there, once as words alone. What stands behind helps
(`医师`, `，女`, `综合征`). Both readings are sums of natural logarithms, so thresholds are differences of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from enclave.intake.discover.lexicon import LONGEST, Lexicon
from enclave.intake.discover.parts import parts

BARE, SAID, NEAR, SURE = -2.5, -4.0, -5.0, -14.0
"""By how much words may be the likelier reading of what is still taken for a name: alone, behind a particle, right behind
a cue, behind a cue with a mark between. On the safe side of even: a name kept costs more than a word lost."""

_PRIOR = -5.0
"""One word in 150 of a note is a name."""
_RARE_SURNAME, _RARE_GIVEN = -8.5, -11.5
_ONE, _TWO = -0.9, 0.5
"""Given names of one and of two characters; of two that are near, the longer: half a name left is a name left."""
_TO_THE_MARK = 1.5
"""For a name of two given characters that ends where the characters do: the second is seldom left over."""
_TITLE, _STEM = 6.0, -6.0
"""For a title behind; for what stands behind the stem of a drug or an eponym."""
_LEAST_GIVEN = -10.5
_LEFT, _RIGHT = 3, 5
"""Characters of context that are read with a name."""

_NEVER = -1e9

_HAN = "\u3400-\u9fff"
_BEHIND = re.compile(
    r"(?:副?主任)?(?:医师|医生|大夫|主任|教授|护士长?|护师|药师|技师|院长|科长|老师|先生|女士|小姐|同志|阿姨|大爷|大妈|师傅)"
    r"|[，,、（( ]{0,2}(?:男|女)(?:性|[，,。；、 ）)]|[0-9])"
    r"|[（(](?:病案|病历|住院|门诊|电话|手机|身份证|工号|其|患者|家属|[男女])"
)
_NO_NAME_BEFORE = re.compile(
    "氏|综合征|征[阳阴（(，,。]|病(?![情史历程案区房人])|细胞|淋巴瘤|瘤|评分|量表|试验|骨折|酵母|[杆球]?菌|酸|胶囊|[片丸散膏]"
    "|注射液|口服液|[西拉唑坦星素汀平滨铂胺醇酮钠钾钙铁锌韦肽酶苷碱酯]"
)


def _with_beginnings(words: Mapping[str, float]) -> dict[str, float]:
    """The words, and what longer ones begin with as words that nobody says: where no word begins so, none is looked for."""
    pieces = dict(words)
    for word in words:
        for length in range(2, len(word)):
            pieces.setdefault(word[:length], _NEVER)
    return pieces


class Reader:
    """Names in Chinese characters, weighed against the dictionary."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._words, self._unknown = lexicon.words, lexicon.unknown
        self._surname, self._middle, self._end = lexicon.surname, lexicon.middle, lexicon.end
        self._pieces = _with_beginnings(lexicon.words)
        self._no_given = parts().no_given
        front = f"(?:{'|'.join(parts().compound)}|[{parts().surnames}])"
        self._front = re.compile(f"{front}(?=[{''.join(sorted(self._likely_given()))}])")
        self._any_front = re.compile(f"{front}(?=[{_HAN}])")

    def _likely_given(self) -> Iterator[str]:
        for c in {*self._middle, *self._end}:
            if "\u3400" <= c <= "\u9fff" and max(self._middle.get(c, -99.0), self._end.get(c, -99.0)) > _LEAST_GIVEN:
                yield c

    def names(self, text: str) -> Iterator[tuple[int, int]]:
        """The names that nothing announces."""
        last = 0
        for match in self._front.finditer(text):
            start = match.start()
            if start >= last and (end := self._read(text, start, match.end(), BARE, last)):
                yield start, end
                last = end

    def name_at(self, text: str, place: int, least: float) -> int:
        """The end of the name that begins at `place`, behind a cue; 0 when words are likelier by more than `least`."""
        match = self._any_front.match(text, place)
        return self._read(text, place, match.end(), least, place) if match else 0

    def end_of_dotted(self, text: str, start: int, end: int) -> int:
        """Where 买买提·艾合买提 ends: before the first word of the dictionary behind its last part's second character."""
        last = max(text.rfind(dot, start, end) for dot in "·•")
        for place in range(last + 3, end - 1):
            if text[place : place + 2] in self._words:
                return place
        return end

    def _read(self, text: str, start: int, given: int, least: float, floor: int) -> int:
        """The end of the name whose surname is text[start:given], or 0; nothing before `floor` is looked at."""
        left = start
        while left > floor and start - left < _LEFT and "\u3400" <= text[left - 1] <= "\u9fff":
            left -= 1
        right, length = given, len(text)
        while right < length and right - given < _RIGHT and "\u3400" <= text[right] <= "\u9fff":
            right += 1
        after = self._as_words(text, left, right)
        before = self._as_words(text, left, start)[0] if left < start else 0.0
        surname = self._surname.get(text[start:given], _RARE_SURNAME) + _PRIOR + before
        best, end = -1e9, 0
        for stop in (given + 1, given + 2):
            if stop > right:
                break
            score = surname + after[stop - left] + self._given(text, given, stop)
            if stop == right == given + 2:
                score += _TO_THE_MARK
            if _BEHIND.match(text, stop):
                score += _TITLE
            elif _NO_NAME_BEFORE.match(text, stop):
                score += _STEM
            if score > best:
                best, end = score, stop
        return end if best - after[0] > least else 0

    def _given(self, text: str, start: int, end: int) -> float:
        last = text[end - 1]
        likely = _RARE_GIVEN if last in self._no_given else self._end.get(last, _RARE_GIVEN)
        return likely + _ONE if end - start == 1 else likely + self._middle.get(text[start], _RARE_GIVEN) + _TWO

    def _as_words(self, text: str, left: int, right: int) -> list[float]:
        """For each k from `left`: the likelihood of the likeliest words that make up text[k:right]."""
        words, unknown, n = self._pieces, self._unknown, right - left
        best = [0.0] * (n + 1)
        for k in range(n - 1, -1, -1):
            place = left + k
            top = words.get(text[place], unknown) + best[k + 1]
            for m in range(2, min(LONGEST, n - k) + 1):
                word = words.get(text[place : place + m])
                if word is None:
                    break  # nor does any word begin so
                if word + best[k + m] > top:
                    top = word + best[k + m]
            best[k] = top
        return best
