"""The disclosure rules as pure functions: value, thresholds → findings. Lint at home and gate inside are the same."""

from domicile.rules.arrow import decode, encode, plain_type, rebuilt
from domicile.rules.bundle import FORMAT, MARKS, Declared, Drawing, read
from domicile.rules.examine import examine, examine_declared
from domicile.rules.findings import Malformed, failed
from domicile.rules.identifiers import PATTERNS, Hit, Pattern, matches, normal, scan, settled
from domicile.rules.places import Passage, findings_of, passages
from domicile.rules.thresholds import VERSION, Thresholds, thresholds

__all__ = [
    "FORMAT",
    "MARKS",
    "PATTERNS",
    "VERSION",
    "Declared",
    "Drawing",
    "Hit",
    "Malformed",
    "Passage",
    "Pattern",
    "Thresholds",
    "decode",
    "encode",
    "examine",
    "examine_declared",
    "failed",
    "findings_of",
    "matches",
    "normal",
    "passages",
    "plain_type",
    "read",
    "rebuilt",
    "scan",
    "settled",
    "thresholds",
]
