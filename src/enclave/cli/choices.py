"""People choose: take lists of those who opted out or consented in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from domicile.wire.terminal import AsJson, as_json, tell
from domicile.wire.words import say
from enclave.catalogue.choices import Act, record
from enclave.cli.data import policy_file
from enclave.cli.door import at
from enclave.intake import parse
from enclave.intake.policy import check_signed
from enclave.intake.raw import people_listed
from enclave.people import Action

File = Annotated[Path, typer.Argument(help="A text file with one identifier a line, as the person table spells it.")]
Name = Annotated[str, typer.Option("--as", help="A dataset of the register the persons are in.")]
Keys = Annotated[bool, typer.Option("--keys", help="The lines are pseudonyms under the register's key.")]


def optout(
    context: typer.Context,
    file: File,
    name: Name,
    lift: Annotated[bool, typer.Option("--lift", help="They take their opting out back.")] = False,
    keys: Keys = False,
    json: AsJson = False,
) -> None:
    """Leave persons out of every build from now on; versions that stand are granted to nobody new."""
    _take_in(context, file, name, Act.LIFT if lift else Act.REFUSE, keys, json)


def consent(
    context: typer.Context,
    file: File,
    name: Name,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="They take their consent back.")] = False,
    keys: Keys = False,
    json: AsJson = False,
) -> None:
    """Let persons into builds that need consent (`consent: required` in the descriptor)."""
    _take_in(context, file, name, Act.WITHDRAW if withdraw else Act.CONSENT, keys, json)


def _take_in(context: typer.Context, file: Path, name: str, act: Act, keys: bool, json: bool) -> None:
    door = at(context)
    door.permissions.enforce(door.db, door.member, Action.INTAKE, name)
    descriptor = parse(check_signed(policy_file(door, f"datasets/{name}/datapackage.yaml"), door.keyring).text)
    key = door.keyring.pseudonym_key(descriptor.register_, create=True)
    persons = people_listed(file, key, descriptor.unit.domain, keys=keys)
    done = record(door.db, door.member.id, descriptor, act, persons)
    if json:
        as_json({"register": descriptor.register_, "changed": done.changed, "barred": [list(b) for b in done.barred]})
        return
    tell(say("choices.recorded", file=file.name, register=descriptor.register_))
    for dataset, version in done.barred:
        tell(say("choices.barred", dataset=dataset, version=version))


def add_to(app: typer.Typer) -> None:
    """The verbs of this subject."""
    app.command()(optout)
    app.command()(consent)
