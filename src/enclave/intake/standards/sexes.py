"""Which codes, and which stored words, say male and female?

By the words the descriptor gives the codes, else by GB/T 2261.1.
"""

from __future__ import annotations

from collections.abc import Mapping

from enclave.intake.package import Descriptor
from enclave.intake.resource import Resource
from enclave.intake.standards.dictionary import element
from enclave.intake.treatments import Keep

_WORDS = {
    "male": frozenset({"male", "男", "男性", "m"}),
    "female": frozenset({"female", "女", "女性", "f"}),
}
_CODES = {"male": "1", "female": "2"}


def coded(d: Descriptor, table: Resource) -> dict[str, list[str]]:
    """male and female → raw codes, in the table's own column of the sex or the person's."""
    rename = _rename(d, table)
    return {
        sex: [code for code, word in rename.items() if word.casefold() in words] or [_CODES[sex]]
        for sex, words in _WORDS.items()
    }


def sexes(d: Descriptor, table: Resource) -> dict[str, set[str]]:
    """male and female → stored words."""
    rename = _rename(d, table)
    return {sex: {rename.get(c, c) for c in codes} | _WORDS[sex] for sex, codes in coded(d, table).items()}


def _rename(d: Descriptor, table: Resource) -> Mapping[str, str]:
    own = [f for t in (table, d.person_table) for f in t.fields if (e := element(f.element)) and e.key == "sex"]
    lists = [d.code_lists[o.list].rename for f in own for o in f.outputs if isinstance(o, Keep)]
    return lists[0] if lists else {}
