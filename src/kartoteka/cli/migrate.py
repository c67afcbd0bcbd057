"""`kartoteka migrate`."""

from __future__ import annotations

import asyncio
import os

import click

from kartoteka.cli.database import reachable_database
from kartoteka.db.migrate import migrate as apply_migrations
from kartoteka.jobs.queue import prepare_queue
from kartoteka.settings import load_settings


@click.command()
def migrate() -> None:
    """Bring the database up to this version.

    `kartoteka serve` does it at its start; this is for those who want it done before.

    \b
    Examples:
      kartoteka migrate
      KARTOTEKA_DATABASE_URL=postgresql://u:p@db/kartoteka kartoteka migrate
    """
    with reachable_database(load_settings(os.environ)) as url:
        applied = asyncio.run(_migrate(url))
    for name in applied:
        click.echo(f"applied {name}")
    if not applied:
        click.echo("The database is up to date.")


async def _migrate(url: str) -> list[str]:
    applied = await apply_migrations(url)
    return [*applied, "jobs"] if await prepare_queue(url) else applied
