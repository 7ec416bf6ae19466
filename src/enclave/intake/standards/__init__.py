"""Do the records meet the standards they say they meet? Elements, code systems, checks as SQL, a score, a threshold."""

from enclave.intake.standards.checks import Compiled, compiled
from enclave.intake.standards.dictionary import Element, System, element, elements, system
from enclave.intake.standards.verdict import Tally, against_person, section

__all__ = [
    "Compiled",
    "Element",
    "System",
    "Tally",
    "against_person",
    "compiled",
    "element",
    "elements",
    "section",
    "system",
]
