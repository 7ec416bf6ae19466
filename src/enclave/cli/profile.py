"""The private profile of a dataset: its price, buying it, and what was bought."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from domicile.wire.terminal import AsJson, as_json, table, tell
from domicile.wire.words import preferred_language, say
from enclave.broker.caps import read_caps
from enclave.broker.channel import control_path, say_to_broker
from enclave.broker.purchase import ACT, purchase_message
from enclave.budget import Amount, balances, population
from enclave.catalogue import Dataset, Histogram, Of, find
from enclave.cli.door import Door, at
from enclave.errors import Refused
from enclave.intake.policy import check_signed
from enclave.people import Action
from enclave.profile import curve_of, quantile
from enclave.query import Portrait, epsilon_of, portrayed

PATIENCE = 10
"""How many times the engine's own cap one waits for the broker."""


def profile(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The dataset.")],
    epsilon: Annotated[str, typer.Option(help="What it may cost, as ε in decimals; paid once for a version.")] = "",
    quote: Annotated[bool, typer.Option("--quote", help="Say the price; buy nothing.")] = False,
    json: AsJson = False,
) -> None:
    """Buy the private profile of the version on the shelf, see its price first, or see what was bought."""
    door = at(context)
    door.permissions.enforce(door.db, door.member, Action.PROFILE_BUY, name)
    dataset = find(door.db, name)
    if not epsilon and not quote:
        _show(dataset, json)
        return
    if not epsilon:
        raise Refused("profile.no_epsilon", dataset=dataset.name, version=dataset.version)
    portrait = portrayed(dataset, epsilon)
    price = _price(door, portrait)
    if quote and json:
        as_json(price)
        return
    if not json:
        tell(say("profile.price", **{**price, "dataset": f"{dataset.name}"}))
        tell(say("profile.paid_by", **price) if price["fits"] else say("profile.over_cap", **price))
    if not quote:
        _buy(door, portrait)
        bought = find(door.db, name)
        if not json:
            tell(say("profile.done"))
        _show(bought, json)


def _price(door: Door, portrait: Portrait) -> dict[str, Any]:
    dataset, delta = portrait.dataset, portrait.dataset.delta
    noise = {t.of: s / 65536 for t, s in zip(portrait.things, portrait.scales, strict=True)}
    of = [thing.of for thing in portrait.things]
    standings = [_standing(door, register) for register in dataset.registers]
    cap, spent = min(standings, key=lambda one: one[0].nano_rho - one[1].nano_rho)  # the one that has least left
    left = cap.nano_rho - spent.nano_rho - portrait.rho
    return {
        "dataset": dataset.name,
        "version": dataset.version,
        "epsilon": f"{epsilon_of(portrait.rho, delta):.4g}",
        "delta": delta,
        "rho": portrait.rho,
        "norms": of.count(Of.NORM),
        "norm_noise": f"{noise.get(Of.NORM, 0):.3g}",
        "variables": of.count(Of.VARIABLE),
        "variable_noise": f"{noise.get(Of.VARIABLE, 0):.3g}",
        "register": ", ".join(dataset.registers),
        "cap": f"{epsilon_of(cap.nano_rho, delta):.4g}",
        "left": f"{epsilon_of(left if left >= 0 else left + portrait.rho, delta):.4g}",
        "fits": left >= 0,
    }


def _standing(door: Door, name: str) -> tuple[Amount, Amount]:
    """Cap and spending of a register's account; before it is opened, as the signed policy has it."""
    account = population(name)
    for balance in balances(door.place):
        if balance.account == account:
            return balance.cap, balance.spent
    policy = check_signed(door.place.policies / "budget.toml", door.keyring)
    register = read_caps(policy.text.decode()).get(name)
    if register is None:
        raise Refused("broker.no_population_cap", register=name)
    return register.cap, Amount(0)


def _buy(door: Door, portrait: Portrait) -> None:
    dataset = portrait.dataset
    signature = door.member.sign(purchase_message(portrait), door.token)
    said = {
        "act": ACT,
        "dataset": dataset.name,
        "version": dataset.version,
        "epsilon": portrait.epsilon,
        "steward": door.member.id,
        "public_key": signature.public_key,
        "signature": signature.value,
    }
    patience = PATIENCE * portrait.cap_ms / 1000
    say_to_broker(control_path(door.settings.place), said, preferred_language(), seconds=patience)


def _show(dataset: Dataset, json: bool) -> None:
    """Of every norm: persons, what most likely stands at its quantiles, and who is past the last edge."""
    bought = dataset.profile
    if bought is None:
        raise Refused("profile.no_epsilon", dataset=dataset.name, version=dataset.version)
    rows = [_norm(histogram) for histogram in bought.histograms if histogram.of is Of.NORM]
    if json:
        facts = {"dataset": dataset.name, "version": dataset.version, "epsilon": bought.epsilon, "rho": bought.rho}
        as_json({**facts, "digest": bought.digest, "reservation": bought.reservation, "norms": rows})
        return
    title = f"{dataset.name} v{dataset.version} · ε {bought.epsilon} · {bought.digest[:16]}"
    table(title, ("table", "norm", "persons", "±", "median", "90 %", "99 %", "beyond", "last edge"), rows)
    tell(say("profile.reading"))


def _norm(histogram: Histogram) -> dict[str, Any]:
    known = curve_of(histogram) is not None
    quantiles = {name: quantile(histogram, q) if known else None for name, q in QUANTILES.items()}
    shown = {name: "?" if value is None else f"{value:.3g}" for name, value in quantiles.items()}
    return {
        "table": histogram.table,
        "norm": histogram.column,
        "persons": f"{sum(histogram.persons):.0f}",
        "±": f"{histogram.noise:.3g}",
        **shown,
        "beyond": f"{histogram.persons[-1]:.0f}",
        "last edge": histogram.edges[-1],
    }


QUANTILES = {"median": 0.5, "90 %": 0.9, "99 %": 0.99}


def add_to(app: typer.Typer) -> None:
    """The verb of this subject."""
    app.command()(profile)
