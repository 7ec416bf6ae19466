"""What left, when, to whom?

Passed outputs of a run leave together, as files of our own making under a signed receipt:
`gather` → `send` → `fetch`.
"""

from enclave.release.gather import gather
from enclave.release.listing import Sent, fetch, find, folder_of, of_run, outputs_of, packed
from enclave.release.provenance import BudgetFacts, DatasetFacts, Provenance, RunFacts
from enclave.release.send import send

__all__ = [
    "BudgetFacts",
    "DatasetFacts",
    "Provenance",
    "RunFacts",
    "Sent",
    "fetch",
    "find",
    "folder_of",
    "gather",
    "of_run",
    "outputs_of",
    "packed",
    "send",
]
