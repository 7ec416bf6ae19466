"""People: add, list, renew, revoke."""

from __future__ import annotations

from typing import Annotated

import typer

from domicile.wire.terminal import AsJson, as_json, table, tell
from domicile.wire.words import say
from enclave.cli.door import at
from enclave.people import Action, add, listing, reissue_operator, renew, revoke

people = typer.Typer(help="Who has an account here.", no_args_is_help=True)


def _show_token(member: str, token: str, json: bool) -> None:
    if json:
        as_json({"member": member, "token": token})
    else:
        tell(say("house.token", member=member, token=token))


@people.command("add")
def add_member(
    context: typer.Context,
    member: str,
    role: Annotated[list[str], typer.Option(help="operator, steward, officer, researcher, checker or auditor.")],
    name: Annotated[str, typer.Option(help="The real name.")],
    days: Annotated[int, typer.Option(help="How long the token lives.")] = 30,
    json: AsJson = False,
) -> None:
    """Give somebody an account; prints their token once."""
    door = at(context)
    token = add(door.db, door.keyring, door.permissions, door.member, member, name, role, days=days)
    _show_token(member, token, json)


@people.command("renew")
def renew_token(
    context: typer.Context,
    member: str,
    days: Annotated[int, typer.Option(help="How long the token lives.")] = 30,
    json: AsJson = False,
) -> None:
    """Replace a member's token; their own renewal keeps their signing key."""
    door = at(context)
    old = door.token if door.member.id == member else None
    token = renew(door.db, door.keyring, door.permissions, door.member, member, old_token=old, days=days)
    _show_token(member, token, json)


@people.command("reissue")
def reissue(context: typer.Context, operator: str, json: AsJson = False) -> None:
    """A new token for an operator, while no operator's token lives: for whoever holds the home's keys."""
    door = at(context)
    _show_token(operator, reissue_operator(door.db, door.keyring, operator), json)


@people.command("revoke")
def revoke_token(context: typer.Context, member: str) -> None:
    """Make a member's token useless at once."""
    door = at(context)
    revoke(door.db, door.keyring, door.permissions, door.member, member)
    tell(say("house.done", what=member, state="revoked"))


@people.command("list")
def list_members(context: typer.Context, json: AsJson = False) -> None:
    """Who is here, in which roles, until when."""
    door = at(context)
    door.permissions.enforce(door.db, door.member, Action.PEOPLE_READ, "people")
    rows = [
        {
            "member": e.id,
            "name": e.real_name,
            "roles": ", ".join(sorted(r.value for r in e.roles)),
            "until": e.expires_at[:16] if e.live else "–",
        }
        for e in listing(door.db, door.keyring)
    ]
    if json:
        as_json(rows)
    else:
        table("", ("member", "name", "roles", "until"), rows)


def add_to(app: typer.Typer) -> None:
    """The verbs of this subject."""
    app.add_typer(people, name="people")
