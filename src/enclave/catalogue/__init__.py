"""What extracts exist, and what is known of each?"""

from enclave.catalogue.card import card
from enclave.catalogue.dataset import Dataset
from enclave.catalogue.manifest import open_key
from enclave.catalogue.reports import read_report
from enclave.catalogue.states import MOVES, State
from enclave.catalogue.versions import Shelved, find, listing, rehearse, shelve

__all__ = [
    "MOVES",
    "Dataset",
    "Shelved",
    "State",
    "card",
    "find",
    "listing",
    "open_key",
    "read_report",
    "rehearse",
    "shelve",
]
