"""`kartoteka serve`."""

from __future__ import annotations

import os

import click

from kartoteka.log import start_logging
from kartoteka.settings import load_settings


@click.command()
def serve() -> None:
    """Start the server, with its own PostgreSQL unless KARTOTEKA_DATABASE_URL names one.

    The first start prints an API key and the admin's password, once. Ctrl-C stops everything.

    \b
    Examples:
      kartoteka serve
      KARTOTEKA_PORT=9000 KARTOTEKA_DATA_DIR=/var/lib/kartoteka kartoteka serve
      KARTOTEKA_PROCESSES=2 kartoteka serve
    """
    from kartoteka.serving.server import serve as run

    settings = load_settings(os.environ)
    start_logging(settings.log_format)
    run(settings)
