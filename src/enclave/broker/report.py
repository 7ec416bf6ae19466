"""What was spent, on which questions, and what is that in (ε, δ)?

From the ledger alone. The figure that counts is OpenDP's conversion of the summed ρ: the caps are held against ρ, and the
sum is sound however later questions were chosen after earlier answers. Beside it stands the tighter ε of the privacy loss
distribution (dp-accounting) of the same discrete Gaussian draws taken as a fixed list. Questions are not a fixed list, so
that figure is for reports only and decides nothing (docs/reference/budget.md). Both are ε at the dataset's δ, and hold at
that δ and what finding unlisted keys spent of its own together (docs/privacy/keys.md). Pure ε is added up as it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from enclave.broker.measure import epsilon
from enclave.budget import ATTO, NANO, NOTHING, Account, Amount, Spent, spending
from enclave.store import Place

GAUSSIAN = "gaussian"
"""The fact of a charge that says how much of its ρ discrete Gaussian draws took."""

STEPS = 1_000
"""Steps of the discretised privacy loss in one standard deviation of it."""


@dataclass(frozen=True)
class Line:
    """One question in a report, and where it left the account."""

    spent: Spent
    so_far: Amount
    epsilon_so_far: float

    def card(self) -> dict[str, str | int | float]:
        """As it is shown."""
        what = self.spent.what
        return {
            "entry": self.spent.seq,
            "at": self.spent.at,
            "question": str(what.get("question", "")),
            "member": str(what.get("member", "")),
            "run": str(what.get("run", "")),
            "dataset": str(what.get("dataset", "")),
            "rho": self.spent.amount.nano_rho,
            "keys_delta": self.spent.amount.atto_delta / ATTO,
            "epsilon_so_far": self.epsilon_so_far,
            "ended": "incident" if self.spent.incident else self.spent.ended or "open",
        }


@dataclass(frozen=True)
class Report:
    """Everything one account paid for."""

    account: Account
    delta: str
    lines: tuple[Line, ...]

    @property
    def spent(self) -> Amount:
        return self.lines[-1].so_far if self.lines else NOTHING

    @property
    def rho(self) -> int:
        return self.spent.nano_rho

    @property
    def epsilon(self) -> float:
        return self.lines[-1].epsilon_so_far if self.lines else 0.0

    @property
    def all_gaussian(self) -> bool:
        """False when a draw was something else: then there is no list of Gaussians to compose."""
        return not self.spent.is_pure and all(_is_gaussian(line.spent) for line in self.lines)

    @property
    def epsilon_pld(self) -> float | None:
        """ε of the same draws as a fixed list, `keys_delta` beside it; None when not all of them are discrete Gaussian."""
        return (
            pld_epsilon([line.spent.amount.nano_rho for line in self.lines], self.delta) if self.all_gaussian else None
        )

    def totals(self) -> dict[str, str | int | float | None]:
        """The account in one line."""
        return {
            "kind": self.account.kind.value,
            "name": self.account.name,
            "questions": len(self.lines),
            "rho": self.rho,
            "delta": "0" if self.spent.is_pure else self.delta,
            "epsilon": self.epsilon,
            "epsilon_pld": self.epsilon_pld,
            "keys_delta": sum(line.spent.amount.atto_delta for line in self.lines) / ATTO,
            "incidents": sum(line.spent.incident for line in self.lines),
        }


def report(place: Place, account: Account, deltas: Mapping[str, str], usual: str) -> Report:
    """What `account` paid for, at the smallest δ of the datasets it was spent on (`deltas`), else the `usual` one."""
    charges = spending(place, account)
    at = [deltas[str(c.what["dataset"])] for c in charges if c.what.get("dataset") in deltas]
    delta = min(at, key=float, default=usual)
    lines, so_far = [], NOTHING
    for charge in charges:
        so_far += charge.amount
        lines.append(Line(charge, so_far, epsilon(so_far, delta)))
    return Report(account, delta, tuple(lines))


def _is_gaussian(spent: Spent) -> bool:
    """A charge that says nothing of its draws was made before there were others than discrete Gaussian, and before any δ
    was charged; one that found keys before they counted among these says less than its price."""
    amount = spent.amount.nano_rho
    said = spent.what.get(GAUSSIAN, 0 if spent.amount.atto_delta else amount)
    return int(said) >= amount


def pld_epsilon(rhos: Sequence[int], delta: str) -> float:
    """ε at `delta` of Gaussian draws of these nano-rho as a fixed list, by dp-accounting.

    A Gaussian draw of price ρ has μ² = 2ρ, and their composition is again one Gaussian, of the summed μ²: one privacy
    loss distribution stands for the list (a test composes them one by one)."""
    total = sum(rhos)
    if total == 0:
        return 0.0
    from dp_accounting.pld import privacy_loss_distribution as pld  # seconds to import, and only reports need it

    deviation = math.sqrt(NANO / (2 * total))
    spread = 1 / deviation
    step = spread / STEPS
    found = pld.from_gaussian_mechanism(deviation, value_discretization_interval=step, use_connect_dots=True)
    return float(found.get_epsilon_for_delta(float(delta)))
