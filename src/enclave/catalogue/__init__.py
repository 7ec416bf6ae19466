"""What extracts exist, and what is known of each?"""

from enclave.catalogue.bought import keep_profile
from enclave.catalogue.card import card
from enclave.catalogue.dataset import Dataset
from enclave.catalogue.manifest import open_key
from enclave.catalogue.profile import Histogram, Of, Profile
from enclave.catalogue.reports import read_report
from enclave.catalogue.shelving import Shelved, rehearse, shelve
from enclave.catalogue.states import MOVES, State
from enclave.catalogue.versions import find, listing

__all__ = [
    "MOVES",
    "Dataset",
    "Histogram",
    "Of",
    "Profile",
    "Shelved",
    "State",
    "card",
    "find",
    "keep_profile",
    "listing",
    "open_key",
    "read_report",
    "rehearse",
    "shelve",
]
