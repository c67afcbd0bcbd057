"""`kartoteka imports`: see how imports go, what became of their rows; pause, resume, cancel them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from kartoteka.cli.import_tables import print_import, rows_table
from kartoteka.cli.importing import importing
from kartoteka.cli.keys import account_option
from kartoteka.cli.running import Access, with_access
from kartoteka.cli.tables import json_option, print_json, print_table
from kartoteka.imports.model import OUTCOMES, Import, RowOutcome
from kartoteka.imports.shown import import_members
from kartoteka.imports.statement_csv import statement_csv
from kartoteka.imports.store import Imports

Result = TypeVar("Result")
id_argument = click.argument("number", metavar="ID", type=click.IntRange(1, 2**63 - 1))
_COLUMNS = ("id", "state", "source", "file", "rows", "done", "failed", "created")


@click.group()
def imports() -> None:
    """Imports: files, links and bulk calls of the last 30 days, and what became of their rows.

    `kartoteka import FILE` starts one.

    \b
    Examples:
      kartoteka imports list
      kartoteka imports show 12
      kartoteka imports rows 12 --outcome failed
      kartoteka imports rows 12 --csv statement.csv
      kartoteka imports pause 12
    """


@imports.command(name="list")
@account_option
@click.option(
    "--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="How many to show."
)
@json_option
def list_(account: str, limit: int, as_json: bool) -> None:
    """List the imports of an account, the newest first.

    \b
    Examples:
      kartoteka imports list
      kartoteka imports list --account outlet --limit 100 --json
    """

    async def work(known: Imports, account_id: int) -> tuple[list[Import], int]:
        return await known.imports_of(account_id, 0, limit)

    found, total = _with_imports(account, work)
    if as_json:
        print_json([import_members(one) for one in found])
        return
    print_table(_COLUMNS, [_row(one) for one in found])
    if total > len(found):
        click.echo(f"{total - len(found):,} older ones are not shown; --limit shows more.")


@imports.command()
@account_option
@id_argument
@json_option
def show(account: str, number: int, as_json: bool) -> None:
    """Show one import: its state, how far it is, its rows by outcome.

    \b
    Examples:
      kartoteka imports show 12
      kartoteka imports show 12 --json
    """
    one = _with_imports(account, lambda known, account_id: known.find(account_id, number))
    if as_json:
        print_json(import_members(one))
    else:
        print_import(one)


@imports.command()
@account_option
@id_argument
@click.option("--outcome", type=click.Choice(list(OUTCOMES)), help="Only rows of this outcome.")
@click.option("--start", type=click.IntRange(1), default=1, show_default=True, help="From 1.")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=50,
    show_default=True,
    help="How many rows to show; a file gets all.",
)
@click.option(
    "--csv",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write all of them to this file instead; - is the output.",
)
@json_option
def rows(
    *,
    account: str,
    number: int,
    outcome: str | None,
    start: int,
    limit: int,
    path: Path | None,
    as_json: bool,
) -> None:
    """Show the statement of import ID: what became of every row, and why.

    \b
    Examples:
      kartoteka imports rows 12
      kartoteka imports rows 12 --outcome failed --csv failed.csv
    """
    if path is not None:
        _write_csv(account, number, outcome, path)
        return

    async def work(known: Imports, account_id: int) -> tuple[list[RowOutcome], int]:
        return await known.rows(account_id, number, outcome, start - 1, limit)

    found, total = _with_imports(account, work)
    if as_json:
        print_json(found)
        return
    rows_table(found)
    click.echo(f"{len(found):,} of {total:,} rows.")


@imports.command()
@account_option
@id_argument
def pause(account: str, number: int) -> None:
    """Stop import ID after the rows that are under way; `resume` goes on.

    \b
    Example:
      kartoteka imports pause 12
    """
    _with_imports(account, lambda known, account_id: known.pause(account_id, number))
    click.echo(f"Import {number} is paused; `kartoteka imports resume {number}` goes on.")


@imports.command()
@account_option
@id_argument
def resume(account: str, number: int) -> None:
    """Let import ID go on where it stopped: a paused one, or a failed one.

    \b
    Example:
      kartoteka imports resume 12
    """
    _with_imports(account, lambda known, account_id: known.resume(account_id, number))
    click.echo(f"Import {number} goes on.")


@imports.command()
@account_option
@id_argument
def cancel(account: str, number: int) -> None:
    """Stop import ID for good; what it wrote stays and is listed in its statement.

    \b
    Example:
      kartoteka imports cancel 12
    """
    one = _with_imports(account, lambda known, account_id: known.cancel(account_id, number))
    click.echo(f"Import {number} is cancelled after {one.done:,} rows.")


def _write_csv(account: str, number: int, outcome: str | None, path: Path) -> None:
    is_file = str(path) != "-"

    async def work(known: Imports, account_id: int) -> int:
        one = await known.find(account_id, number)
        with click.open_file(str(path), "wb", atomic=is_file) as file:
            async for piece in statement_csv(known.all_rows(account_id, number, outcome)):
                file.write(piece)
        return sum(one.counts.values()) if outcome is None else one.counts[outcome]

    try:
        written = _with_imports(account, work)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from error
    if is_file:
        click.echo(f"Rows in {path}: {written:,}.")


def _with_imports(account: str, work: Callable[[Imports, int], Awaitable[Result]]) -> Result:
    async def run(access: Access) -> Result:
        found = await access.accounts.find(account)
        return await work(importing(access), found.account_id)

    return with_access(run)


def _row(one: Import) -> tuple[Any, ...]:
    file = None if one.file is None else one.file.name
    state = f"{one.state} (dry run)" if one.dry_run else one.state
    failed = one.counts.get("failed", 0)
    return (one.import_id, state, one.source, file, one.total, one.done, failed, one.created_at)
