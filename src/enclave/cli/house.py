"""The house itself: init, up, down, status, and the three processes, each of which loads what it needs and no more."""

from __future__ import annotations

from typing import Annotated

import typer

from domicile.wire.terminal import AsJson, as_json, table, tell
from domicile.wire.words import say
from enclave.bootstrap import birth, up
from enclave.bootstrap.house import open_house
from enclave.cli.door import at
from enclave.people import first_operator


def init(
    context: typer.Context,
    demo: Annotated[
        bool, typer.Option("--demo", help="A home for invented records only; it never becomes real.")
    ] = False,
    port: Annotated[int | None, typer.Option(help="Port of the HTTP door.")] = None,
    operator: Annotated[str, typer.Option(help="Login name of the first operator.")] = "operator",
    name: Annotated[str, typer.Option(help="Real name of the first operator.")] = "Operator",
    json: AsJson = False,
) -> None:
    """Create the home; prints the operator's token once."""
    settings = birth.create(at(context).home, demo=demo, port=port)
    with open_house(settings).closing() as house:
        token = first_operator(house.db, house.keyring, operator, name)
    if json:
        as_json({"home": str(settings.home), "operator": operator, "token": token, "url": settings.url})
    else:
        tell(say("house.born", home=settings.home, operator=operator, token=token))


def start(context: typer.Context, json: AsJson = False) -> None:
    """Start serve, worker and broker, and wait until each answers."""
    from enclave.bootstrap import worker

    settings = at(context).settings
    worker.build_wall(settings, lambda code: tell(say(code)))
    up.up(settings)
    status(context, json)


def stop(context: typer.Context) -> None:
    """Stop the three processes; a run in progress is finished first."""
    up.down(at(context).place)
    tell(say("house.down"))


def status(context: typer.Context, json: AsJson = False) -> None:
    """What runs, where, and what it does not protect against."""
    door = at(context)
    found = [{"process": s.name, "pid": s.pid, "state": "up" if s.pid else "down"} for s in up.status(door.place)]
    if json:
        as_json({"url": door.settings.url, "demo": door.mark.demo, "processes": found})
        return
    table(f"{door.settings.url}{'  DEMO' if door.mark.demo else ''}", ("process", "state", "pid"), found)
    tell(say("house.one_user"))


def run_serve(context: typer.Context) -> None:
    """Be the HTTP door (what `up` starts)."""
    from enclave.api.app import build
    from enclave.bootstrap import serve
    from enclave.console import router

    serve.run(at(context).settings, lambda house: build(house, router))


def run_worker(
    context: typer.Context, number: Annotated[int, typer.Option(min=1, help="Which of several on this machine.")] = 1
) -> None:
    """Be a worker (what `up` starts)."""
    from enclave.bootstrap import worker

    worker.run(at(context).settings, up.worker_name(number))


def run_broker(context: typer.Context) -> None:
    """Be the broker (what `up` starts)."""
    from enclave.bootstrap import broker

    broker.run(at(context).settings)


def add_to(app: typer.Typer) -> None:
    """The verbs of this subject."""
    app.command()(init)
    app.command("up")(start)
    app.command("down")(stop)
    app.command()(status)
    app.command("serve")(run_serve)
    app.command("worker")(run_worker)
    app.command("broker")(run_broker)
