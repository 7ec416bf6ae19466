"""How much is it, exactly?

A privacy amount is whole numbers: nano-rho (10⁻⁹ ρ of zero-concentrated differential privacy) and atto-delta (10⁻¹⁸ δ),
or else nano-epsilon (10⁻⁹ ε of pure differential privacy) – one measure or the other, never both: what is spent in ρ or δ
is nothing that a statement of pure ε could cover. Amounts are added and compared, nothing else: no float ever decides
whether a cap holds. Whoever turns ε into ρ rounds up against the spender before an amount is born.
"""

from __future__ import annotations

from typing import NamedTuple, Self

from enclave.errors import BadInput

NANO = 10**9
"""One ρ in nano-rho, one pure ε in nano-epsilon."""

ATTO = 10**18
"""δ = 1 in atto-delta."""

MOST = 2**63 - 1
"""The largest part an amount may have: what a database column holds."""


def _no_amount(*parts: object) -> BadInput:
    """The refusal of parts of which one is no whole number from 0 to MOST. A bool is an int, and no amount."""
    sound = [type(value) is int and 0 <= value <= MOST for value in parts]
    part = _Parts._fields[sound.index(False)]
    return BadInput("budget.not_an_amount", place=part, part=part, most=MOST)


class _Parts(NamedTuple):
    nano_rho: int
    atto_delta: int
    nano_epsilon: int


class Amount(_Parts):
    """ρ and δ, or pure ε, as whole numbers, none negative.

    A tuple, which is made in a third of a dataclass's time, and a reservation makes three; but none to be put in order."""

    __slots__ = ()
    __lt__ = __le__ = __gt__ = __ge__ = None  # type: ignore[assignment]  # a tuple has them, and an amount is not to

    def __new__(cls, nano_rho: int, atto_delta: int = 0, nano_epsilon: int = 0) -> Self:
        if not (type(nano_rho) is type(atto_delta) is type(nano_epsilon) is int):
            raise _no_amount(nano_rho, atto_delta, nano_epsilon)
        if not (0 <= nano_rho <= MOST and 0 <= atto_delta <= MOST and 0 <= nano_epsilon <= MOST):
            raise _no_amount(nano_rho, atto_delta, nano_epsilon)
        if nano_epsilon and (nano_rho or atto_delta):
            raise BadInput("budget.two_measures")
        return tuple.__new__(cls, (nano_rho, atto_delta, nano_epsilon))

    def __add__(self, other: Amount) -> Amount:  # type: ignore[override]  # a tuple would be joined to it
        rho, delta, epsilon = self
        more_rho, more_delta, more_epsilon = other
        rho, delta, epsilon = rho + more_rho, delta + more_delta, epsilon + more_epsilon
        if rho > MOST or delta > MOST or (epsilon and (epsilon > MOST or rho or delta)):
            return Amount(rho, delta, epsilon)  # which says what is wrong with it
        return tuple.__new__(Amount, (rho, delta, epsilon))  # whole and not negative, as both are

    def __sub__(self, other: Amount) -> Amount:
        """What is left of this when `other`, which fits it, is taken away."""
        return Amount(
            self.nano_rho - other.nano_rho,
            self.atto_delta - other.atto_delta,
            self.nano_epsilon - other.nano_epsilon,
        )

    @property
    def is_pure(self) -> bool:
        """True when it is counted in pure ε; nothing is counted in neither measure."""
        return self.nano_epsilon > 0

    def mixes_with(self, other: Amount) -> bool:
        """True when one of the two is counted in pure ε and the other in ρ or δ."""
        return bool(
            (self.nano_epsilon and (other.nano_rho or other.atto_delta))
            or (other.nano_epsilon and (self.nano_rho or self.atto_delta))
        )

    def fits(self, cap: Amount) -> bool:
        """True when no part is above that of `cap`: a partial order, as the parts need not agree."""
        return (
            self.nano_rho <= cap.nano_rho
            and self.atto_delta <= cap.atto_delta
            and self.nano_epsilon <= cap.nano_epsilon
        )

    def parts(self) -> list[int]:
        """As it stands in a ledger entry: ρ and δ, and ε after them where that is what is counted."""
        return [self.nano_rho, self.atto_delta, *([self.nano_epsilon] if self.nano_epsilon else [])]

    @property
    def spelled(self) -> str:
        """`parts` as they are spelled within a list."""
        return f"{self.nano_rho},{self.atto_delta}" + (f",{self.nano_epsilon}" if self.nano_epsilon else "")

    def __str__(self) -> str:
        if self.is_pure:
            return f"{self.nano_epsilon} nano-epsilon"
        return f"{self.nano_rho} nano-rho" + (f" and {self.atto_delta} atto-delta" if self.atto_delta else "")


def pure(nano_epsilon: int) -> Amount:
    """An amount of pure ε."""
    return Amount(0, 0, nano_epsilon)


NOTHING = Amount(0, 0)
