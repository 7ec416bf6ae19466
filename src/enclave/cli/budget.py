"""Budgets: see them, and, as an officer, raise, freeze and thaw them through the broker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from domicile.wire.terminal import AsJson, as_json, table, tell
from domicile.wire.words import preferred_language, say
from enclave.access import (
    Increase,
    account_facts,
    check_grantable,
    granted_increase,
    listing_increases,
    refuse_increase,
)
from enclave.broker.caps import atto
from enclave.broker.channel import control_path, say_to_broker
from enclave.broker.officer import accept_gap
from enclave.broker.report import report
from enclave.broker.standing import account_card
from enclave.budget import (
    Account,
    AccountKind,
    Amount,
    Balance,
    Gap,
    balances,
    find_gap,
    gap_message,
    population,
    project,
    raise_message,
    thaw_message,
)
from enclave.budget.witness import HEADS
from enclave.catalogue import listing
from enclave.cli.door import Door, at
from enclave.errors import NotFound, Refused
from enclave.people import Action
from enclave.query import checked_epsilon, nano_epsilon, rho_for

budget = typer.Typer(help="What may still be spent, and what was.", no_args_is_help=True)
Kind = Annotated[str, typer.Argument(help="population, project or researcher.")]
Why = Annotated[str, typer.Option(help="Why; kept in the ledger.")]
DELTA = "1e-6"


@budget.command("show")
def show(context: typer.Context, json: AsJson = False) -> None:
    """Every account: cap, spent, left, and how many failed questions the guarantee does not cover."""
    door = at(context)
    door.permissions.enforce(door.db, door.member, Action.BUDGET_READ, "budget", {"members": ()})
    rows = [account_card(b, delta_of(door, b)).model_dump() for b in balances(door.place)]
    if json:
        as_json(rows)
    else:
        columns = ("kind", "name", "epsilon_cap", "epsilon_spent", "epsilon_left", "keys_delta_spent", "keys_delta_cap")
        table("", (*columns, "frozen", "incidents"), rows)


@budget.command("report")
def report_(
    context: typer.Context,
    of_project: Annotated[str, typer.Option("--project", help="Every question of this project.")] = "",
    register: Annotated[str, typer.Option(help="Every question on this person register.")] = "",
    json: AsJson = False,
) -> None:
    """What was spent on which questions, as (ε, δ) and, for reports only, by privacy loss distribution."""
    door = at(context)
    door.permissions.enforce(door.db, door.member, Action.BUDGET_READ, "budget", {"members": ()})
    deltas = {d.name: d.delta for d in listing(door.db)}
    wanted = [project(of_project)] if of_project else [population(register)] if register else []
    accounts = [_found(door, a.kind.value, a.name).account for a in wanted]
    accounts = accounts or [b.account for b in balances(door.place) if b.kind is not AccountKind.RESEARCHER]
    reports = [report(door.place, account, deltas, DELTA) for account in accounts]
    if json:
        as_json([{**r.totals(), "lines": [line.card() for line in r.lines]} for r in reports])
        return
    if wanted:
        rows = [line.card() for line in reports[0].lines]
        rows = [
            {**r, "question": str(r["question"])[:16], "epsilon_so_far": f"{r['epsilon_so_far']:.4g}"} for r in rows
        ]
        table(str(accounts[0]), ("entry", "at", "question", "member", "run", "rho", "epsilon_so_far", "ended"), rows)
    columns = ("kind", "name", "questions", "rho", "delta", "epsilon", "epsilon_pld", "keys_delta", "incidents")
    table("", columns, [_rounded(r.totals()) for r in reports])
    tell(say("budget.report_reading"))


def _rounded(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: f"{value:.4g}" if isinstance(value, float) else value for name, value in row.items()}


def delta_of(door: Door, balance: Balance) -> str:
    """δ at which an account is shown: that of the dataset on its register, else the home's usual one."""
    found = [d.delta for d in listing(door.db) if balance.name in d.registers]
    return found[0] if found else DELTA


def _found(door: Door, kind: str, name: str) -> Balance:
    wanted = Account(AccountKind(kind), name)
    for balance in balances(door.place):
        if balance.account == wanted:
            return balance
    raise NotFound("budget.no_such_account", kind=kind, name=name)


def _act(door: Door, action: Action, balance: Balance, verb: str, message: bytes, why: str, **numbers: int) -> None:
    facts = account_facts(door.db, balance.account.project)
    door.permissions.enforce(door.db, door.member, action, balance.name, facts)
    signature = door.member.sign(message, door.token)
    said: dict[str, Any] = {"act": verb, "officer": door.member.id, "why": why, **numbers}
    said |= {"kind": balance.kind.value, "name": balance.name}
    said |= {"public_key": signature.public_key, "signature": signature.value}
    say_to_broker(control_path(door.settings.place), said, preferred_language())
    tell(say("house.done", what=balance.name, state=verb))


@budget.command("raise")
def raise_(
    context: typer.Context,
    kind: Kind,
    name: str,
    to: Annotated[str, typer.Option(help="The new cap, as ε in decimals; as it is when left out.")] = "",
    keys_delta: Annotated[
        str, typer.Option(help="What finding unlisted keys may add to δ, such as 1e-7; as it is when left out.")
    ] = "",
    why: Why = "",
    request: Annotated[str, typer.Option(help="The request for more budget (inc_…) that this raise grants.")] = "",
) -> None:
    """Raise a cap of ε, or of the δ that finding unlisted keys may add; neither can ever be lowered."""
    door = at(context)
    asked = check_grantable(door.db, request) if request else None
    if asked is not None and (kind, name) not in asked.wanted:
        raise Refused("access.increase_names_other", increase=request, account=f"{kind} {name}")
    balance = _found(door, kind, name)
    old = balance.cap
    new = _raised(door, balance, to, keys_delta)
    message = raise_message(balance.account, old, new)
    numbers = {"old": old.nano_rho, "new": new.nano_rho, "old_delta": old.atto_delta, "new_delta": new.atto_delta}
    numbers |= {"old_epsilon": old.nano_epsilon, "new_epsilon": new.nano_epsilon}
    _act(door, Action.BUDGET_RAISE, balance, "raise", message, why, **numbers)
    if asked is not None and _all_raised(door, asked):
        granted_increase(door.db, door.member, request, why=why)
        tell(say("house.done", what=request, state="granted"))


def _raised(door: Door, balance: Balance, to: str, keys_delta: str) -> Amount:
    """The cap asked for, counted as the account is; δ beside pure ε is refused by the amount itself."""
    old, delta = balance.cap, atto(keys_delta) if keys_delta else balance.cap.atto_delta
    if old.is_pure:
        return Amount(0, delta, nano_epsilon(checked_epsilon(to)) if to else old.nano_epsilon)
    return Amount(rho_for(checked_epsilon(to), delta_of(door, balance)) if to else old.nano_rho, delta)


def _all_raised(door: Door, asked: Increase) -> bool:
    """True when every account of a request has at least the cap it asked for."""
    accounts = {_found(door, kind, name): epsilon for (kind, name), epsilon in asked.wanted.items()}
    return all(_raised(door, balance, epsilon, "").fits(balance.cap) for balance, epsilon in accounts.items())


@budget.command("requests")
def requests(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Those decided too.")] = False,
    json: AsJson = False,
) -> None:
    """Who asks for more budget."""
    door = at(context)
    found = [one.card() for one in listing_increases(door.db, door.permissions, door.member)]
    rows = [row for row in found if everything or row["state"] == "asked"]
    if json:
        as_json(rows)
    else:
        columns = (
            "increase",
            "state",
            "project",
            "author",
            "epsilon_project",
            "epsilon_researcher",
            "reason",
            "answer",
        )
        table("", columns, rows)


@budget.command("refuse")
def refuse(
    context: typer.Context,
    increase: str,
    reason: Annotated[str, typer.Option(help="Why; shown to who asked.")],
) -> None:
    """Refuse a request for more budget."""
    door = at(context)
    after = refuse_increase(door.db, door.permissions, door.member, increase, reason=reason)
    tell(say("house.done", what=increase, state=after.state.value))


@budget.command("freeze")
def freeze(context: typer.Context, kind: Kind, name: str, why: Why = "") -> None:
    """Let an account pay for nothing until it is thawed."""
    door = at(context)
    balance = _found(door, kind, name)
    _act(door, Action.BUDGET_FREEZE, balance, "freeze", b"freeze", why)


@budget.command("thaw")
def thaw(context: typer.Context, kind: Kind, name: str, why: Why = "") -> None:
    """Lift a freeze."""
    door = at(context)
    balance = _found(door, kind, name)
    message = thaw_message(balance.account, balance.frozen_at)
    _act(door, Action.BUDGET_FREEZE, balance, "thaw", message, why, lifts=balance.frozen_at)


@budget.command("accept-gap")
def accept_gap_(
    context: typer.Context,
    why: Annotated[str, typer.Option(help="What happened, and what was restored; kept for good.")],
) -> None:
    """Sign that a ledger behind its witness goes on: every account then counts as spent in full."""
    door = at(context)
    door.permissions.enforce(door.db, door.member, Action.BUDGET_RAISE, "gap", {"members": ()})
    behind = find_gap(door.place.ledger, door.place.witness / HEADS)
    if behind is None:
        raise Refused("budget.no_gap")
    signature = door.member.sign(gap_message(behind.seen, behind.actual, behind.lines), door.token)
    gap = Gap(behind.seen, behind.actual, behind.lines, door.member.id, signature)
    accept_gap(door.db, gap, why)
    tell(say("budget.gap_signed", seen=behind.seen.seq, seq=behind.actual.seq))


def add_to(app: typer.Typer) -> None:
    """The verbs of this subject."""
    app.add_typer(budget, name="budget")
