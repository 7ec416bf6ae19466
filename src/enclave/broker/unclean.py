"""What happens to an extract whose engine had to be closed, and who says that it may be asked again?

An engine in which something was found that is not its extract's has done what it never does, or somebody did it there.
Nobody can say what it saw. So the person registers of the extract are frozen in the ledger: every question on them, also
of another extract, is refused in words before it costs anything, after a restart too, and stored answers are still given.
An officer who has looked signs the thaw; the next charge after it opens the file anew.
"""

from __future__ import annotations

import re

from domicile.wire.words import say
from enclave.budget import Ledger, population
from enclave.catalogue import Dataset

CODE = "broker.extract_unclean"
_UNCLEAN = re.compile(re.escape(CODE) + r" (\S+) ([0-9]+) ([0-9]+)")
_INCIDENT = re.compile(r"incident in the question of reservation ([0-9]+)")


def freeze(ledger: Ledger, dataset: Dataset, reservation: int) -> int:
    """Freeze the registers of `dataset`, whose engine was unclean after `reservation`; the newest entry that says so."""
    why = f"{CODE} {dataset.name} {dataset.version} {reservation}"
    frozen = [ledger.freeze(population(name), actor="broker", why=why) for name in dataset.registers]
    return max(balance.frozen_at for balance in frozen)


def reason(why: str, lang: str) -> str:
    """Why an account was frozen, in words; as it was written where somebody wrote it."""
    if (found := _INCIDENT.fullmatch(why)) is not None:
        return say("broker.incident_froze", lang, reservation=found[1])
    if (found := _UNCLEAN.fullmatch(why)) is not None:
        return say(CODE, lang, dataset=found[1], version=found[2], reservation=found[3])
    return why
