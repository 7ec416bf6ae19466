"""What can go wrong, in one tree.

    EnclaveError                    exit
    ├── BadInput        2           what was handed in is malformed; nothing was changed
    ├── Refused         3           well-formed, but not allowed now: state, role, grant, budget, wall
    │   └── NoWall      78          the jail cannot be built on this machine, so no notebook runs
    ├── NotFound        4           no such thing, or not for you: the two are never told apart
    ├── Tampered        5           a seal, signature, digest or chain does not hold
    └── Incident        6           our own machinery failed after a charge; the words stay inside

Every error is a *code* of the word catalogue (`domicile.wire.words`) and the facts that fill it. Facts are names,
counts, places and limits from text, policy and dictionary: never a value from the data.
"""

from __future__ import annotations

from typing import ClassVar

from domicile.wire.words import say


class EnclaveError(Exception):
    """A refusal with its reason: `code` names the words, `facts` fill them, `place` points into what was handed in."""

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, code: str, *, place: str | None = None, **facts: object) -> None:
        self.code = code
        self.place = place
        self.facts = facts
        super().__init__(code)

    def words(self, lang: str = "en") -> str:
        """The sentence people read, in `lang` ("en" or "zh")."""
        return say(self.code, lang, **self.facts)

    def __str__(self) -> str:
        return f"{self.words()} ({self.place})" if self.place else self.words()


class BadInput(EnclaveError):
    exit_code = 2
    http_status = 400


class Refused(EnclaveError):
    exit_code = 3
    http_status = 403


class NoWall(Refused):
    exit_code = 78


class NotFound(EnclaveError):
    exit_code = 4
    http_status = 404


class Tampered(EnclaveError):
    exit_code = 5
    http_status = 409


class Incident(EnclaveError):
    exit_code = 6
    http_status = 500
