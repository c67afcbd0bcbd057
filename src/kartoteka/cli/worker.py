"""`kartoteka worker`."""

from __future__ import annotations

import asyncio
import os

import click

from kartoteka.access.bootstrap import check_secret
from kartoteka.cli.database import database_url_of
from kartoteka.db.database import Database
from kartoteka.log import logger, start_logging
from kartoteka.serving.jobs import work
from kartoteka.settings import Settings, load_settings, with_secret_key


@click.command()
def worker() -> None:
    """Carry out background jobs of a running server, until Ctrl-C.

    The server does that itself; more workers help when imports and exports must not slow it down.

    \b
    Examples:
      kartoteka worker
      KARTOTEKA_DATABASE_URL=postgresql://u:p@db/kartoteka kartoteka worker
    """
    settings = load_settings(os.environ)
    start_logging(settings.log_format)
    database_url = database_url_of(settings)
    # The server's: with another one erased people would not be recognised (decisions D29).
    settings = with_secret_key(settings)
    asyncio.run(_check_secret(settings, database_url))
    work(settings, database_url)
    logger.info("worker_stopped")


async def _check_secret(settings: Settings, database_url: str) -> None:
    database = await Database.open(database_url, max_size=1)
    try:
        await check_secret(database, settings.secret_key)
    finally:
        await database.close()
