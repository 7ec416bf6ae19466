"""How much is it, exactly?

A privacy amount is a pair of whole numbers: nano-rho (10⁻⁹ ρ of zero-concentrated differential privacy) and atto-delta
(10⁻¹⁸ δ). Amounts are added and compared, nothing else: no float ever decides whether a cap holds. Whoever turns ε into
ρ rounds up against the spender before an amount is born.
"""

from __future__ import annotations

from dataclasses import dataclass

from enclave.errors import BadInput

NANO = 10**9
"""One ρ in nano-rho."""

ATTO = 10**18
"""δ = 1 in atto-delta."""

MOST = 2**63 - 1
"""The largest part an amount may have: what a database column holds."""


def _check(part: str, value: object) -> None:
    if type(value) is not int or not 0 <= value <= MOST:  # a bool is an int, and no amount
        raise BadInput("budget.not_an_amount", place=part, part=part, most=MOST)


@dataclass(frozen=True)
class Amount:
    """ρ and δ as whole numbers, neither negative."""

    nano_rho: int
    atto_delta: int = 0

    def __post_init__(self) -> None:
        _check("nano_rho", self.nano_rho)
        _check("atto_delta", self.atto_delta)

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.nano_rho + other.nano_rho, self.atto_delta + other.atto_delta)

    def fits(self, cap: Amount) -> bool:
        """True when neither part is above that of `cap`: a partial order, as two parts need not agree."""
        return self.nano_rho <= cap.nano_rho and self.atto_delta <= cap.atto_delta

    def pair(self) -> list[int]:
        """As it stands in a ledger entry."""
        return [self.nano_rho, self.atto_delta]


NOTHING = Amount(0, 0)
