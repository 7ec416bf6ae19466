"""Where do bytes rest: database, sealed files, keys.

`Place` names the files of a home, `open_state`/`open_ledger` bring a database to its newest shape, `Keyring` holds what
encrypts and signs. Nobody but `enclave.audit` opens a writing transaction (a test reads the source to keep it so).
"""

from enclave.store.changes import Changes
from enclave.store.database import LEDGER, STATE, open_ledger, open_state, reading, writing
from enclave.store.keyring import Keyring, Signature, verify_signature
from enclave.store.place import Place
from enclave.store.sealed import open_sealed, seal, write_atomically

__all__ = [
    "LEDGER",
    "STATE",
    "Changes",
    "Keyring",
    "Place",
    "Signature",
    "open_ledger",
    "open_sealed",
    "open_state",
    "reading",
    "seal",
    "verify_signature",
    "write_atomically",
    "writing",
]
