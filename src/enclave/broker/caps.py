"""Which accounts does a question draw on, and how large were they made?

Population: one per person register, its cap from the signed `policies/budget.toml`. Project and researcher: from the
grant. A cap written as ε is the largest whole number of nano-rho whose conversion at δ stays at or below it. What finding
unlisted keys may cost of δ beside it stands in the budget policy alone, for the register and for each project in it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from enclave.access import Grant
from enclave.budget import ATTO, Account, Amount, Ledger, population, project, pure, researcher
from enclave.catalogue import Dataset
from enclave.errors import BadInput, NotFound
from enclave.query import nano_epsilon, rho_for

DECIMAL = re.compile(r"[0-9]{1,7}(\.[0-9]{1,18})?(e-[0-9]{1,2})?")
LARGEST, SMALLEST = 1_000_000, Decimal("1e-18")
"""Of ε, beyond which it promises nothing, and of δ, below which the ledger has no unit."""


@dataclass(frozen=True)
class RegisterCap:
    """What may be spent on one person register."""

    epsilon: str
    delta: str
    keys_delta: str = "0"
    """What all draws of unlisted keys together may add to δ."""
    keys_delta_project: str = "0"
    """The same, of each project and of each researcher in it."""

    def __post_init__(self) -> None:
        try:
            sound = all(type(text) is str and DECIMAL.fullmatch(text) for text in vars(self).values())
            sound = sound and 0 < Decimal(self.epsilon) <= LARGEST and SMALLEST <= Decimal(self.delta) < 1
            sound = sound and atto(self.keys_delta_project) <= atto(self.keys_delta)
        except (InvalidOperation, BadInput):
            sound = False
        if not sound:
            why = (
                f"epsilon and delta are decimal texts, 0 < epsilon <= {LARGEST}, {SMALLEST} <= delta < 1, "
                "0 <= keys_delta_project <= keys_delta < 1"
            )
            raise BadInput("broker.budget_policy_broken", why=why)

    @property
    def cap(self) -> Amount:
        return Amount(rho_for(self.epsilon, self.delta), atto(self.keys_delta))


def atto(delta: str) -> int:
    """A δ in 10⁻¹⁸, rounded down: what a cap holds. BadInput unless it is a decimal text from 0 to below 1."""
    try:
        part = Decimal(delta)
        sound = 0 <= part < 1
    except InvalidOperation:
        sound = False
    if not sound:
        raise BadInput("broker.bad_keys_delta")
    return int(part * ATTO)


def read_caps(text: str) -> Mapping[str, RegisterCap]:
    """`policies/budget.toml`: register → cap. BadInput when malformed."""
    try:
        registers = tomllib.loads(text)["registers"]
        return {name: RegisterCap(**fields) for name, fields in registers.items()}
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as broken:
        raise BadInput(
            "broker.budget_policy_broken", why="expected [registers.NAME] with epsilon and delta"
        ) from broken


@dataclass(frozen=True)
class Payers:
    """The accounts of one question: of every register it draws on, of its project, of its researcher."""

    populations: tuple[Account, ...]
    project: Account
    researcher: Account

    @property
    def asking_side(self) -> tuple[Account, ...]:
        """Those a researcher is shown. What is spent on the population would tell what other projects ask: a question
        that leaves it unmoved was asked before."""
        return (self.project, self.researcher)


def payers(registers: tuple[str, ...], grant: Grant, member: str) -> Payers:
    """Who pays for a question of `member` under `grant` that draws on these person registers."""
    populations = tuple(map(population, registers))
    return Payers(populations, project(grant.project), researcher(grant.project, member))


def open_accounts(ledger: Ledger, who: Payers, dataset: Dataset, grant: Grant, caps: Mapping[str, RegisterCap]) -> None:
    """Make sure the accounts exist with the caps policy and grant gave them. Of δ for unlisted keys a project has what the
    strictest register of the dataset lets it have."""
    open_populations(ledger, dataset.registers, caps)
    keys = min(atto(caps[register].keys_delta_project) for register in dataset.registers)
    _open(ledger, who.project, cap_of(grant, grant.epsilon_project, dataset.delta, keys), grant.id)
    _open(ledger, who.researcher, cap_of(grant, grant.epsilon_researcher, dataset.delta, keys), grant.id)


def cap_of(grant: Grant, epsilon: str, delta: str, atto_delta: int = 0) -> Amount:
    """A cap of a project or in it: pure ε where its grant says so, and no δ then; else ρ, and δ for unlisted keys."""
    return pure(nano_epsilon(epsilon)) if grant.pure else Amount(rho_for(epsilon, delta), atto_delta)


def open_populations(
    ledger: Ledger, registers: tuple[str, ...], caps: Mapping[str, RegisterCap]
) -> tuple[Account, ...]:
    """The accounts of these registers, with the caps the signed policy gave them; none is opened where one has no cap."""
    for name in registers:
        if name not in caps:
            raise BadInput("broker.no_population_cap", register=name)
    for name in registers:
        _open(ledger, population(name), caps[name].cap, "signed budget policy")
    return tuple(map(population, registers))


def _open(ledger: Ledger, account: Account, cap: Amount, why: str) -> None:
    """An account is opened once; what policy or grant say later changes no cap (raising one is an officer's act)."""
    try:
        ledger.balance(account)
    except NotFound:
        ledger.open_account(account, cap, actor="broker", why=why)
