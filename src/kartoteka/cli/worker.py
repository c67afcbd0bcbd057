"""`kartoteka worker`."""

from __future__ import annotations

import os

import click

from kartoteka.cli.database import database_url_of
from kartoteka.log import logger, start_logging
from kartoteka.serving.jobs import work
from kartoteka.settings import load_settings


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
    work(settings, database_url)
    logger.info("worker_stopped")
