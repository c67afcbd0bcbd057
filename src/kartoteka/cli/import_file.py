"""`kartoteka import FILE`: a file of customers, with a progress bar and what became of each row."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click
import msgspec

from kartoteka.cli.import_preview import print_preview
from kartoteka.cli.import_watch import watch
from kartoteka.cli.importing import importing
from kartoteka.cli.keys import account_option
from kartoteka.cli.running import Access, with_access
from kartoteka.contacts.definitions import Definitions
from kartoteka.identity.kinds import Region
from kartoteka.identity.model import Origin
from kartoteka.imports.arrivals import PIECE_BYTES, Arrival
from kartoteka.imports.model import FileInfo, Import, Source
from kartoteka.imports.options import AskedOptions, read_options
from kartoteka.imports.settling import Look, preview_file, settle_file

METHOD = "kartoteka import"
NO_KEY = 0


@click.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@account_option
@click.option(
    "--unique",
    metavar="FIELD",
    help="By which field contacts are found: externalCustomerId, email, sms, email_or_sms, id, "
    "contactKey, a token, or a custom field such as PERSONAL.CARD. Not given: the best one there is.",
)
@click.option(
    "--map",
    "entries",
    metavar="COLUMN=FIELD",
    multiple=True,
    help="What a column is, by its heading, letter or number; several times. Columns not named are "
    "recognised by their headings; FIELD - leaves a column out.",
)
@click.option(
    "--empty-values",
    type=click.Choice(["keep", "overwrite"]),
    default="keep",
    show_default=True,
    help="What blank cells do to fields of known contacts.",
)
@click.option("--restore-deleted", is_flag=True, help="Restore removed contacts; else skip them.")
@click.option("--group", "groups", metavar="NAME", multiple=True, help="A list to join.")
@click.option("--exclude-group", "excluded", metavar="NAME", multiple=True, help="A list to leave.")
@click.option("--event", metavar="KEY", help="The event of new contacts.")
@click.option("--dry-run", is_flag=True, help="The same statement, but nothing is written.")
@click.option(
    "--update-external-id",
    is_flag=True,
    help="Rows found by another unique field may replace a contact's External ID.",
)
@click.option("--encoding", metavar="NAME", help="Such as utf-8 or cp1251; detected if not given.")
@click.option("--delimiter", metavar="SIGN", help="Such as ; or tab; detected if not given.")
@click.option("--no-header", is_flag=True, help="The first line is a row.")
@click.option("--preview", is_flag=True, help="Only show what would be read, and what is wrong.")
@click.option("--detach", is_flag=True, help="Do not wait until it is over.")
def import_file(
    *,
    file: Path,
    account: str,
    preview: bool,
    detach: bool,
    **asked: Any,
) -> None:
    """Import customers from FILE: CSV, TXT, XLSX or XLS, up to 300 MB.

    A server or worker carries the import out; this command waits and shows how far it is. Ctrl-C
    ends the command, not the import. The statement says what became of every row.

    \b
    Examples:
      kartoteka import customers.csv --preview
      kartoteka import customers.csv --unique externalCustomerId --map "Client no=externalCustomerId"
      kartoteka import customers.xlsx --unique email --group "Spring sale" --dry-run
    """
    options = read_options(_raw(asked))
    if preview:
        print_preview(file, _look(file, account, options))
        return
    started = _start(file, account, options)
    _announce(started, file)
    if detach:
        click.echo(f"See `kartoteka imports show {started.import_id}`.")
        return
    watch(started)


def _raw(asked: dict[str, Any]) -> dict[str, Any]:
    """The options of the command line as the API's JSON."""
    return {
        "unique": asked["unique"],
        "map": dict(_entry(text) for text in asked["entries"]) or None,
        "emptyValues": asked["empty_values"],
        "restoreDeleted": asked["restore_deleted"],
        "groupNames": list(asked["groups"]),
        "groupNamesExclude": list(asked["excluded"]),
        "eventKeyForNewContacts": asked["event"],
        "dryRun": asked["dry_run"],
        "updateExternalId": asked["update_external_id"],
        "encoding": asked["encoding"],
        "delimiter": asked["delimiter"],
        "header": not asked["no_header"],
    }


def _entry(text: str) -> tuple[str, str]:
    """`E-mail=email`: the last equals sign, because headings may have some."""
    column, sign, field = text.rpartition("=")
    if not sign or not column.strip():
        raise click.BadParameter(f"{text!r} is not COLUMN=FIELD.", param_hint="--map")
    return column, field


def _look(path: Path, account_name: str, asked: AskedOptions) -> Look:
    async def work(access: Access) -> Look:
        account = await access.accounts.find(account_name)
        definitions = await Definitions(access.database).read(account.account_id)
        region = Region(account.settings.region)
        return await preview_file(_where_it_lies(path), asked, definitions, region)

    return with_access(work)


def _where_it_lies(path: Path) -> FileInfo:
    return FileInfo(str(path), path.name, path.stat().st_size, "")


def _start(path: Path, account_name: str, asked: AskedOptions) -> Import:
    async def work(access: Access) -> Import:
        account = await access.accounts.find(account_name)
        imports = importing(access)
        definitions = await Definitions(access.database).read(account.account_id)
        # Looked into where it lies: nothing is copied for options that are wrong.
        looked = await settle_file(_where_it_lies(path), asked, definitions)
        settled = msgspec.structs.replace(looked, file=await _copied(path, imports.folder))
        now = access.clock.now()
        return await imports.start_file(
            account.account_id,
            Origin(now, f"cli-{int(now.timestamp())}", NO_KEY, METHOD),
            Source.FILE,
            settled.file,
            settled.options.rules(),
            options=settled.stored(),
            dry_run=asked.dry_run,
        )

    return with_access(work)


async def _copied(path: Path, folder: Path) -> FileInfo:
    """The file in the import folder: what happens to the original does not matter any more."""
    async with Arrival(folder) as arrival:
        with path.open("rb") as source:
            while piece := await asyncio.to_thread(source.read, PIECE_BYTES):
                await arrival.write(piece)
        return await arrival.finish(path.name)


def _announce(one: Import, path: Path) -> None:
    how = " (dry run)" if one.dry_run else ""
    click.echo(f"Import {one.import_id} of {path.name}{how}, unique by {one.rules.unique.name}.")
    for notice in one.options["file"].get("notices", ()):
        click.echo(f"Note: {notice['message']}")
    if one.same_as is not None:
        click.echo(f"Note: import {one.same_as} has the same file with the same options.")
