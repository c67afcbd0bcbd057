"""`kartoteka export`: copies of everything in a warehouse or in files, kept current."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click

from kartoteka.cli.export_options import new_options, read_body, settings_options
from kartoteka.cli.keys import account_option
from kartoteka.cli.running import Access, with_access
from kartoteka.cli.tables import json_option, print_json, print_table
from kartoteka.errors import KartotekaError
from kartoteka.exports.datasets import BY_NAME, DATASETS, LATEST, LEFT_OUT
from kartoteka.exports.errors import TargetFailed
from kartoteka.exports.model import Export, ExportRun, RunState
from kartoteka.exports.opening import open_exports
from kartoteka.exports.shown import export_members, run_members
from kartoteka.exports.store import Exports
from kartoteka.settings import load_settings, with_secret_key

Result = TypeVar("Result")
WAIT_S = 86_400.0
_COLUMNS = ("id", "name", "target", "to", "every", "state", "last run", "rows", "next run")
_RUN_COLUMNS = ("run", "state", "by", "began", "seconds", "rows", "bytes", "error")
name_argument = click.argument("name", metavar="NAME")


@click.group()
def export() -> None:
    """Exports: contacts, events, orders and more, copied into PostgreSQL, BigQuery or files.

    The first run copies everything, later ones what changed. NAME is an export's name or its id.

    \b
    Examples:
      kartoteka export create warehouse --url postgresql://export@db.example/shop --every 1h
      kartoteka export create lake --folder lake --format parquet --dataset contacts
      kartoteka export run warehouse --wait
      kartoteka export runs warehouse
      kartoteka export datasets
    """


@export.command()
@account_option
@name_argument
@settings_options
@new_options
@json_option
def create(*, account: str, name: str, as_json: bool, **asked: Any) -> None:
    """Make the export NAME. A server or worker begins with it at once.

    \b
    Examples:
      kartoteka export create warehouse --url - --schema crm < connection.txt
      kartoteka export create bq --project shop-1 --bigquery-dataset crm --credentials key.json
      kartoteka export create lake --url s3://shop/crm --access-key AKIA… --region eu-central-1
    """
    body = {"name": name, **read_body(asked)}
    made = _with_exports(account, lambda known, number: known.create(number, body))
    if as_json:
        print_json(export_members(made, None))
    else:
        click.echo(f"Export {made.export_id} ({made.name}) is made: {_where(made)}.")


@export.command()
@account_option
@click.argument("name", required=False)
@settings_options
@new_options
def validate(*, account: str, name: str | None, **asked: Any) -> None:
    """Try a connection: that of export NAME, or the one that the options describe.

    \b
    Examples:
      kartoteka export validate warehouse
      kartoteka export validate --url postgresql://export:secret@db.example/shop
    """

    async def work(known: Exports, number: int) -> list[Any]:
        if name is not None:
            one = await known.find_named(number, name)
            return list(await known.validate_known(number, one.export_id))
        return list(await known.validate(number, read_body(asked)))

    for notice in _with_exports(account, work):
        click.echo(f"Warning: {notice.message}")
    click.echo("The target can be used.")


@export.command(name="list")
@account_option
@json_option
def list_(account: str, as_json: bool) -> None:
    """List the exports of an account.

    \b
    Examples:
      kartoteka export list
      kartoteka export list --json
    """

    async def work(known: Exports, number: int) -> list[tuple[Export, ExportRun | None]]:
        found, _ = await known.exports_of(number, 0, 1000)
        return [(one, await known.last_run(number, one.export_id)) for one in found]

    found = _with_exports(account, work)
    if as_json:
        print_json([export_members(one, last) for one, last in found])
    elif found:
        print_table(_COLUMNS, [_row(one, last) for one, last in found])
    else:
        click.echo(
            "There are no exports yet; `kartoteka export create --help` shows how to make one."
        )


@export.command()
@account_option
@name_argument
@json_option
def show(account: str, name: str, as_json: bool) -> None:
    """Show the export NAME: where to, what, how its last run went.

    \b
    Example:
      kartoteka export show warehouse
    """

    async def work(known: Exports, number: int) -> tuple[Export, ExportRun | None]:
        one = await known.find_named(number, name)
        return one, await known.last_run(number, one.export_id)

    one, last = _with_exports(account, work)
    if as_json:
        print_json(export_members(one, last))
        return
    members = export_members(one, last)
    click.echo(f"Export {one.export_id} ({one.name}), {_where(one)}")
    click.echo(f"every {members['interval']}, {one.state}; next run {_when(members['nextRun'])}")
    click.echo(f"data sets: {', '.join(one.datasets)}")
    if members["newColumns"]:
        click.echo(
            "There are columns that it does not have; `kartoteka export change --new-columns`."
        )
    if one.failures:
        click.echo(f"Its last {one.failures} runs failed.")
    if last is not None:
        click.echo()
        _print_run(last)


@export.command()
@account_option
@name_argument
@click.option("--wait", is_flag=True, help="Come back when it is over.")
@click.option("--full", is_flag=True, help="Write everything anew.")
@json_option
def run(*, account: str, name: str, wait: bool, full: bool, as_json: bool) -> None:
    """Run the export NAME now.

    \b
    Examples:
      kartoteka export run warehouse --wait
      kartoteka export run warehouse --full
    """

    async def work(known: Exports, number: int) -> ExportRun:
        one = await known.find_named(number, name)
        begun = await known.ask_for_run(number, one.export_id, full=full)
        return await known.wait(number, begun, WAIT_S) if wait else begun

    done = _with_exports(account, work)
    if as_json:
        print_json(run_members(done))
    elif not wait:
        click.echo(
            f"Run {done.run_id} is queued; `kartoteka export runs {name}` shows how it goes."
        )
    else:
        _print_run(done)
    if done.state == RunState.FAILED:
        sys.exit(1)


@export.command()
@account_option
@name_argument
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many to show."
)
@json_option
def runs(account: str, name: str, limit: int, as_json: bool) -> None:
    """List the runs of the export NAME, the newest first.

    \b
    Example:
      kartoteka export runs warehouse --limit 5
    """

    async def work(known: Exports, number: int) -> list[ExportRun]:
        one = await known.find_named(number, name)
        found, _ = await known.runs(number, one.export_id, 0, limit)
        return found

    found = _with_exports(account, work)
    if as_json:
        print_json([run_members(one) for one in found])
    elif found:
        print_table(_RUN_COLUMNS, [_run_row(one) for one in found])
    else:
        click.echo("It has not run yet.")


@export.command()
@account_option
@name_argument
@settings_options
@click.option("--rename", metavar="NAME", help="Another name.")
@click.option(
    "--dataset", "datasets", metavar="NAME", multiple=True, help="These data sets, no others."
)
@click.option("--every", metavar="INTERVAL", help="15m, 1h, 1d …")
@click.option("--new-columns", is_flag=True, help="Also columns that were added since it was made.")
def change(*, account: str, name: str, rename: str | None, new_columns: bool, **asked: Any) -> None:
    """Change the export NAME: what is given is replaced.

    \b
    Examples:
      kartoteka export change warehouse --every 15m
      kartoteka export change warehouse --url - < connection.txt
      kartoteka export change warehouse --new-columns
    """
    body = read_body(asked, is_change=True)
    body.update({"name": rename} if rename else {})
    body.update({"newColumns": True} if new_columns else {})

    async def work(known: Exports, number: int) -> Export:
        one = await known.find_named(number, name)
        return await known.change(number, one.export_id, body)

    click.echo(f"Export {_with_exports(account, work).export_id} is changed.")


def _simple(word: str, sentence: str, help_text: str) -> None:
    @export.command(name=word, help=help_text)
    @account_option
    @name_argument
    def command(account: str, name: str) -> None:
        async def work(known: Exports, number: int) -> int:
            one = await known.find_named(number, name)
            await getattr(known, word)(number, one.export_id)
            return one.export_id

        click.echo(sentence.format(_with_exports(account, work), name))


_simple(
    "pause",
    "Export {0} is paused; `kartoteka export resume {1}` goes on.",
    "Stop the export NAME until it is resumed; nothing is lost.\n\n\b\nExample:\n"
    "  kartoteka export pause warehouse",
)
_simple(
    "resume",
    "Export {0} goes on where it was.",
    "Let the export NAME go on where it was.\n\n\b\nExample:\n  kartoteka export resume warehouse",
)
_simple(
    "delete",
    "Export {0} is deleted; what it wrote stays.",
    "Forget the export NAME; its tables and files stay.\n\n\b\nExample:\n"
    "  kartoteka export delete warehouse",
)


@export.command()
@json_option
def datasets(as_json: bool) -> None:
    """List what can be exported, and the columns of each.

    \b
    Example:
      kartoteka export datasets
    """
    found = {
        one.name: [column.name for column in one.columns_of(LATEST, keep_removed=False)]
        for one in DATASETS
    }
    if as_json:
        print_json({"datasets": found, "leftOut": LEFT_OUT})
        return
    for one in DATASETS:
        click.secho(one.name, bold=True, nl=False)
        click.echo(f": {one.label}")
        click.echo(click.wrap_text(", ".join(found[one.name]), 96, "  ", "  "))
    click.echo("\nLeft out, since Kartoteka sends no messages: " + ", ".join(LEFT_OUT) + ".")


def _with_exports(account: str, work: Callable[[Exports, int], Awaitable[Result]]) -> Result:
    async def run_it(access: Access) -> Result:
        found = await access.accounts.find(account)
        settings = with_secret_key(load_settings(os.environ))
        exports = open_exports(settings, access.database, access.clock)
        return await work(exports, found.account_id)

    try:
        return with_access(run_it)
    except TargetFailed as error:
        raise KartotekaError(error.message) from error


def _where(one: Export) -> str:
    said = one.settings
    if one.target == "postgres":
        return (
            f"PostgreSQL {said['host']}:{said['port']}/{said['database']}, schema {said['schema']}"
        )
    if one.target == "bigquery":
        return f"BigQuery {said['project']}.{said['dataset']}"
    return f"{said['format']} in {said.get('url') or said['folder']}"


def _row(one: Export, last: ExportRun | None) -> tuple[Any, ...]:
    members = export_members(one, last)
    state = f"{one.state}, failing" if one.failures else one.state
    return (
        *(one.export_id, one.name, one.target, _where(one), members["interval"], state),
        *(None if last is None else last.state, None if last is None else last.rows),
        members["nextRun"],
    )


def _run_row(one: ExportRun) -> tuple[Any, ...]:
    members = run_members(one)
    return (
        *(one.run_id, one.state, one.by, one.started_at, members["seconds"]),
        *(one.rows, one.bytes, one.error),
    )


def _when(at: Any) -> str:
    return "-" if at is None else at.strftime("%Y-%m-%d %H:%M UTC")


def _print_run(one: ExportRun) -> None:
    members = run_members(one)
    seconds = "" if members["seconds"] is None else f" after {members['seconds']} s"
    click.echo(f"Run {one.run_id} is {one.state}{seconds}: {one.rows:,} rows, {one.bytes:,} bytes.")
    if one.error:
        click.echo(f"Error: {one.error}")
    if one.datasets:
        rows = [(name, one.datasets[name]) for name in BY_NAME if name in one.datasets]
        print_table(
            ("data set", "rows", "replaced", "bytes", "how"),
            [
                (name, done.rows, done.deleted, done.bytes, "all" if done.full else "changes")
                for name, done in rows
            ],
        )
