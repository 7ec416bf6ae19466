"""Data come in: sign a policy, take raw tables in, see the shelf."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from domicile.wire.terminal import AsJson, as_json, console, table, tell
from domicile.wire.words import preferred_language, say
from enclave.catalogue import card, find, listing, rehearse, shelve
from enclave.catalogue.bought import check_profile
from enclave.catalogue.dcat import catalog
from enclave.catalogue.freshness import all_fresh, today
from enclave.catalogue.life import retire_versions
from enclave.cli.door import Door, at
from enclave.custody.destroy import destroy as destroy_dataset
from enclave.errors import Refused
from enclave.intake import graded, parse
from enclave.intake.draft import name_of, recorded
from enclave.intake.policy import DESCRIPTOR, check_signed, read_policy
from enclave.intake.policy import sign as sign_policy
from enclave.people import Action
from enclave.profile import marginals
from enclave.store import write_atomically
from enclave.twin import PERSONS, described, made_from, make, path_of

policy = typer.Typer(help="What people sign.", no_args_is_help=True)


def policy_file(door: Door, name: str) -> Path:
    """A file of the home's own policies; nothing outside them."""
    path = (door.place.policies / name).resolve()
    if not path.is_relative_to(door.place.policies.resolve()):
        raise Refused("door.outside_policies", name=name)
    return path


@policy.command("sign")
def sign(context: typer.Context, name: str) -> None:
    """Sign a file of the home's policies as it stands now."""
    door = at(context)
    door.permissions.enforce(door.db, door.member, Action.POLICY_SIGN, name)
    signed = sign_policy(door.db, policy_file(door, name), door.keyring, door.member.id)
    tell(say("house.signed", path=name, digest=signed.digest[:16]))


@policy.command("check")
def check(context: typer.Context, name: str) -> None:
    """Does a descriptor hold what its presets demand, and is a policy signed by this home and unaltered?"""
    door = at(context)
    path = policy_file(door, name)
    if path.name == DESCRIPTOR:
        _demanded(path)
    signed = check_signed(path, door.keyring)
    tell(say("house.holds", path=name, digest=signed.digest[:16]))


def _demanded(path: Path) -> None:
    """Say of every column what its presets do not allow, and what to do; Refused when there is any."""
    descriptor = parse(read_policy(path))
    for violation in graded.violations(descriptor):
        tell(f"✗ {violation.words()}")
    graded.check(descriptor)


def draft(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(help="A folder of CSV or Parquet files, a DuckDB file, or postgresql://USER@HOST/DB.")
    ],
    out: Annotated[Path | None, typer.Option(help="The file to write; absent: the terminal.")] = None,
    name: Annotated[str, typer.Option(help="What the dataset is to be called; absent: after the source.")] = "",
) -> None:
    """Write a first descriptor from headers and shapes of values; every guess is marked for you to settle."""
    door = at(context)
    called = name or name_of(source)
    door.permissions.enforce(door.db, door.member, Action.INTAKE, called)
    if out is not None and out.exists():
        raise Refused("draft.not_overwritten", place=str(out))
    registers = sorted({register for dataset in listing(door.db) for register in dataset.registers})
    made = recorded(
        door.db,
        door.member.id,
        source,
        door.place.run,
        name=called,
        demo=door.mark.demo,
        lang=preferred_language(),
        registers=registers,
    )
    if out is None:
        typer.echo(made.text, nl=False)
        return
    write_atomically(out, made.text.encode(), 0o600)
    tell(say("draft.done", tables=len(made.tables), count=made.to_settle, path=str(out)))


def intake(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(help="A folder of CSV or Parquet files, a DuckDB file, or postgresql://USER@HOST/DB.")
    ],
    name: Annotated[str, typer.Option("--as", help="The dataset, whose descriptor lies in policies/datasets/NAME.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; say what would happen.")] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Read every table, also those that did not change.")] = False,
    json: AsJson = False,
) -> None:
    """Read raw tables under a signed descriptor and put one encrypted extract on the shelf."""
    door = at(context)
    door.permissions.enforce(door.db, door.member, Action.INTAKE, name)
    descriptor = policy_file(door, f"datasets/{name}/datapackage.yaml")
    if dry_run:
        _rehearsed(door, descriptor, source, json)
        return
    with _progress(json) as progress:
        made = shelve(
            door.db,
            door.place,
            door.keyring,
            door.member.id,
            descriptor,
            source,
            demo_home=door.mark.demo,
            anew=anew,
            progress=progress,
        )
    if json:
        as_json({"name": made.name, "version": made.version, "digest": made.digest, "unchanged": made.unchanged})
        return
    rows = [{"table": t, "kept": f"{n:,}", "dropped": _dropped(made.dropped.get(t, {}))} for t, n in made.rows.items()]
    table("", ("table", "kept", "dropped"), rows)
    if made.taken_over:
        tell(say("house.taken_over", tables=", ".join(made.taken_over)))
    code = "house.unchanged" if made.unchanged else "house.shelved"
    tell(say(code, name=made.name, version=made.version, digest=made.digest[:16]))


def _dropped(rules: dict[str, int]) -> str:
    """What each row rule left out: for the steward, who is the one asking."""
    return ", ".join(f"{rule}: {count:,}" for rule, count in rules.items() if count)


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str, int, int | None], None]]:
    """A bar per stage, with rows done and time left, where somebody watches."""
    columns = (
        TextColumn("{task.description:32}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console(), transient=True, disable=quiet) as bar:
        tasks: dict[str, TaskID] = {}

        def progress(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done, total=total)

        yield progress


def _rehearsed(door: Door, descriptor: Path, source: str, json: bool) -> None:
    """What an intake would do; nothing is written."""
    with _progress(json) as progress:
        plan = rehearse(
            door.db, door.place, door.keyring, descriptor, source, demo_home=door.mark.demo, progress=progress
        )
    refusals = [str(refusal) for refusal in plan.refusals]
    if json:
        kept = {"lineage": plan.lineage, "left_behind": plan.left_behind, "read": plan.read, "dropped": plan.dropped}
        as_json({**kept, "refusals": refusals})
    else:
        for name, columns in plan.lineage.items():
            rows = [{"stored_column": column, "from": source_} for column, source_ in columns.items()]
            table(f"{name}: {plan.read.get(name, 0):,}", ("stored_column", "from"), rows)
            tell(_dropped(plan.dropped.get(name, {})))
        for refusal in refusals:
            tell(f"✗ {refusal}")
    if refusals:
        raise typer.Exit(2)


def datasets(
    context: typer.Context,
    json: AsJson = False,
    dcat: Annotated[bool, typer.Option("--dcat", help="As DCAT (JSON-LD), for another catalogue.")] = False,
) -> None:
    """What is on the shelf."""
    door = at(context)
    door.permissions.enforce(door.db, door.member, Action.DATASET_READ, "catalogue")
    if dcat:
        found = listing(door.db)
        as_json(catalog(found, f"{door.settings.url}/api/v1", all_fresh(door.db, found, today())))
        return
    rows = [card(dataset).model_dump(mode="json") for dataset in listing(door.db)]
    if json:
        as_json(rows)
    else:
        table("", ("name", "version", "grade", "domain", "unit", "person_register", "digest"), rows)


def twin(context: typer.Context, name: str) -> None:
    """Make the invented twin of a dataset now, from its dictionary and the profile bought of it; else when first asked."""
    door = at(context)
    door.permissions.enforce(door.db, door.member, Action.DATASET_READ, name)
    dataset = find(door.db, name)
    path = path_of(door.place, dataset)
    check_profile(door.keyring, dataset)
    make(described(door.place, door.keyring, dataset), path, told=marginals(dataset))
    where, source = str(path), made_from(dataset)
    tell(say("twin.made", dataset=name, version=dataset.version, persons=PERSONS, path=where, source=source))


def retire(
    context: typer.Context,
    name: str,
    reason: Annotated[str, typer.Option(help="Why, in writing; it stands in the trace.")],
) -> None:
    """Take every version of a dataset off the shelf: nobody is given one any more, and nothing is destroyed."""
    door = at(context)
    door.permissions.enforce(door.db, door.member, Action.DATASET_RETIRE, name)
    versions = retire_versions(door.db, door.member.id, name, reason)
    tell(say("custody.retired", dataset=name, versions=", ".join(map(str, versions))))


def destroy(
    context: typer.Context,
    name: str,
    reason: Annotated[str, typer.Option(help="Why, in writing; it stands on the certificate.")],
    yes: Annotated[bool, typer.Option("--yes", help="It cannot be undone; say so.")] = False,
) -> None:
    """Destroy every version of a dataset by destroying its key; a signed certificate is kept."""
    door = at(context)
    door.permissions.enforce(door.db, door.member, Action.DATASET_DESTROY, name)
    if not yes:
        raise Refused("custody.not_confirmed", dataset=name)
    path = destroy_dataset(door.db, door.place, door.keyring, door.member.id, name, reason)
    tell(say("custody.destroyed", dataset=name, path=str(path)))


def add_to(app: typer.Typer) -> None:
    """The verbs of this subject."""
    app.add_typer(policy, name="policy")
    app.command()(draft)
    app.command()(intake)
    app.command()(datasets)
    app.command()(twin)
    app.command()(retire)
    app.command()(destroy)
