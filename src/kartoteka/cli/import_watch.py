"""Waiting for an import: how far it is, and at the end what became of its rows."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import NoReturn

import click

from kartoteka.cli.import_tables import counts_table, rows_table
from kartoteka.cli.importing import importing
from kartoteka.cli.progress import Progress, Step
from kartoteka.cli.running import Access, with_access
from kartoteka.errors import DatabaseUnavailable
from kartoteka.imports.model import Import, RowOutcome, State
from kartoteka.imports.shown import seconds_left
from kartoteka.imports.store import Imports

LOOK_EVERY_S = 0.5
PATIENCE_S = 15.0
"""How long an import may stay queued, with no other before it, until nobody seems to carry it out."""
FAILURES_SHOWN = 10
INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended."""


def watch(started: Import) -> None:
    """Show how far it is until it is over, then what became of it. Ctrl-C leaves it running.

    Raises `click.ClickException` when it did not come to its end.
    """
    try:
        one, failures = with_access(lambda access: _wait(access, started))
    except KeyboardInterrupt:
        _leave(started)
    except DatabaseUnavailable as error:
        number = started.import_id
        raise click.ClickException(
            f"{error.message} Import {number} is kept, and goes on when the server runs again; "
            f"`kartoteka imports show {number}` tells how far it is."
        ) from error
    _report(one, failures)


async def _wait(access: Access, started: Import) -> tuple[Import, list[RowOutcome]]:
    """The import when it is over, with the first rows that failed."""
    imports, one = importing(access), started
    with Progress() as progress:
        queued_since = time.monotonic()
        progress.show(_step(one))
        while one.state in (State.QUEUED, State.RUNNING):
            if one.state == State.RUNNING:
                queued_since = time.monotonic()
            elif time.monotonic() - queued_since > PATIENCE_S and not await _is_busy(imports, one):
                break
            await asyncio.sleep(LOOK_EVERY_S)
            one = await imports.find(one.account_id, one.import_id)
            progress.show(_step(one))
    failures, _ = await imports.rows(one.account_id, one.import_id, "failed", 0, FAILURES_SHOWN)
    return one, failures


async def _is_busy(imports: Imports, one: Import) -> bool:
    """Whether another import of the account is under way, behind which this one waits."""
    others, _ = await imports.imports_of(one.account_id, 0, 100)
    return any(other.state == State.RUNNING for other in others)


def _step(one: Import) -> Step:
    labels = {State.QUEUED: "Waiting", State.RUNNING: "Importing"}
    label = labels.get(one.state, one.state.value.capitalize())
    if one.state == State.RUNNING and one.total is None:
        label = "Counting rows"
    return Step(label, one.done, one.total, one.rate, seconds_left(one))


def _leave(one: Import) -> NoReturn:
    number = one.import_id
    click.echo(f"\nImport {number} goes on without this command.", err=True)
    for word in ("show", "pause", "cancel"):
        click.echo(f"  kartoteka imports {word} {number}", err=True)
    sys.exit(INTERRUPTED)


def _report(one: Import, failures: list[RowOutcome]) -> None:
    number = one.import_id
    if one.state == State.QUEUED:
        raise click.ClickException(
            f"Import {number} waits, and nobody carries it out: start `kartoteka serve` or "
            "`kartoteka worker`. Nothing is lost."
        )
    if one.done:
        counts_table(one)
    if failures:
        some = one.counts["failed"] > len(failures)
        click.echo(f"\nRows that failed{f', the first {len(failures)}' if some else ''}:")
        rows_table(failures)
        click.echo(f"As a file: kartoteka imports rows {number} --outcome failed --csv FILE")
    if one.state == State.FAILED:
        raise click.ClickException(
            f"Import {number} stopped after {one.done:,} rows: {one.error} "
            f"`kartoteka imports resume {number}` goes on there."
        )
    if one.state == State.PAUSED:
        raise click.ClickException(
            f"Import {number} is paused after {one.done:,} rows; "
            f"`kartoteka imports resume {number}` goes on there."
        )
    if one.state != State.FINISHED:
        raise click.ClickException(f"Import {number} is {one.state} after {one.done:,} rows.")
    click.echo(f"Import {number} is finished{_speed(one)}.")


def _speed(one: Import) -> str:
    if one.started_at is None or one.finished_at is None or not one.rate:
        return ""
    seconds = (one.finished_at - one.started_at).total_seconds()
    return f": {one.done:,} rows in {seconds:.1f} seconds, {one.rate:,.0f} rows/s"
