"""`kartoteka identity`: prove what stands, and see what other settings would have made of it."""

from __future__ import annotations

import sys
import time

import click

from kartoteka.access.bootstrap import ACCOUNT_NAME
from kartoteka.cli.progress import Progress, Step
from kartoteka.cli.running import Access, with_access
from kartoteka.cli.tables import json_option, print_json, print_table
from kartoteka.cli.what_if import what_if_command
from kartoteka.contacts.duplicate_search import Searches
from kartoteka.contacts.duplicates import Duplicates
from kartoteka.contacts.look_alikes import Alike
from kartoteka.identity.verify import STEPS, Verified, verify


@click.group()
def identity() -> None:
    """Whose card is what: proven from its history.

    \b
    Examples:
      kartoteka identity verify
      kartoteka identity verify --account shop --json
      kartoteka identity duplicates
      kartoteka identity what-if absorb=never
    """


identity.add_command(what_if_command)


@identity.command()
@click.option(
    "--account", default=ACCOUNT_NAME, show_default=True, metavar="NAME", help="Which account."
)
@click.option("--rows", default=20, show_default=True, help="How many to show.")
@json_option
def duplicates(*, account: str, rows: int, as_json: bool) -> None:
    """Look for contacts that look alike, anew, and show the likeliest.

    Reads all contacts of the account and compares those that share a name, a birthday, an address, a
    phone or the name of a mailbox. GET /api/v1/duplicates?by=likeness answers what was found. The server
    does the same every night.

    \b
    Examples:
      kartoteka identity duplicates
      kartoteka identity duplicates --account shop --rows 100
    """

    async def work(access: Access) -> tuple[int, list[Alike]]:
        account_id = (await access.accounts.find(account)).account_id
        found = await Searches(access.database, access.clock).run(account_id, _progress)
        reader = Duplicates(access.database)
        return found, await reader.alike(account_id, skip=0, rows=rows)

    found, shown = with_access(work)
    _clear()
    if as_json:
        print_json({"found": found, "pairs": shown})
        return
    some = "1 pair looks alike." if found == 1 else f"{found:,} pairs look alike."
    click.echo(some if found else "No two contacts look alike.")
    if shown:
        print_table(
            ("contact", "other", "score", "by field"),
            [
                (
                    one.contact_id,
                    one.other_id,
                    f"{one.score:.3f}",
                    ", ".join(f"{name} {likeness:.2f}" for name, likeness in one.fields.items()),
                )
                for one in shown
            ],
        )


_STAGES = {
    "reading": "{done:,} of {total:,} contacts read",
    "comparing": "part {done} of {total} compared",
}


async def _progress(stage: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        text = _STAGES[stage].format(done=done, total=total)
        click.echo(f"\r\033[K{text}", err=True, nl=False)


def _clear() -> None:
    if sys.stderr.isatty():
        click.echo("\r\033[K", err=True, nl=False)


@identity.command("verify")
@click.option("--account", metavar="NAME", help="One account; all if not given.")
@json_option
def verify_command(*, account: str | None, as_json: bool) -> None:
    """Replay the history into empty tables and compare them by hash with what stands.

    Cards, merges and the owner of every identifier; each difference is named, by contact id. It reads
    one snapshot, so a server may go on working. Exit code 1 when anything differs.

    \b
    Examples:
      kartoteka identity verify
      kartoteka identity verify --json
    """
    began = time.monotonic()

    async def work(access: Access) -> Verified:
        account_id = None
        if account is not None:
            account_id = (await access.accounts.find(account)).account_id
        return await verify(access.database, account_id, show)

    with Progress() as progress:

        def show(name: str, number: int) -> None:
            label = f"{name} ({number} of {STEPS})"
            progress.show(Step(label, done=0, total=None, rate=None, seconds_left=None))

        found = with_access(work)
    if as_json:
        print_json(found)
    else:
        click.echo(
            f"{found.cards:,} cards and {found.identifiers:,} identifiers compared in "
            f"{time.monotonic() - began:.1f} s, hash {found.hash}"
        )
        if found.is_well:
            click.echo("What stands is what the history says.")
        else:
            click.echo(f"{len(found.differences)} differences:")
            print_table(
                ("account", "what", "contact", "the history says", "stored"),
                [
                    (one.account_id, one.what, one.contact_id, one.told, one.stored)
                    for one in found.differences
                ],
            )
    if not found.is_well:
        sys.exit(1)
