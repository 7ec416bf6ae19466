"""What may still single somebody out in what was built, and what would be enough against it?

A steward's and a regulator's question: the figures look across persons, are exact, and enter no private answer. Above what
the policy allows no extract is shelved, and the cheapest coarsening that would be enough is proposed as text for the
policy, to be signed and built anew.
"""

from enclave.intake.risk.findings import Found, measure, section
from enclave.intake.risk.harbor import safe_harbor

__all__ = ["Found", "measure", "safe_harbor", "section"]
