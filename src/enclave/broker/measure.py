"""What is an amount in the ε that people read?

Of ρ by OpenDP's conversion at δ; pure ε as it is.
"""

from __future__ import annotations

from enclave.budget import NANO, Amount
from enclave.query import epsilon_of


def epsilon(amount: Amount, delta: str) -> float:
    """ε of `amount`: at `delta`, or of itself where it is counted in pure ε."""
    return amount.nano_epsilon / NANO if amount.is_pure else epsilon_of(amount.nano_rho, delta)
