"""The database that a command works on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kartoteka.db.embedded import EmbeddedPostgres, running_url
from kartoteka.errors import DatabaseUnavailable
from kartoteka.settings import Settings


def database_url_of(settings: Settings) -> str:
    """The URL of the running database. Raises `DatabaseUnavailable` when no server runs."""
    return settings.database_url or running_url(settings.data_dir)


@contextmanager
def reachable_database(settings: Settings) -> Iterator[str]:
    """The URL of the database, for the length of the block.

    An embedded one that is not running is started for it and stopped again, unless there never was
    one on that folder.
    """
    try:
        url = database_url_of(settings)
    except DatabaseUnavailable:
        if not EmbeddedPostgres(settings.data_dir).cluster.exists():
            raise
        with EmbeddedPostgres(settings.data_dir) as postgres:
            yield postgres.url
    else:
        yield url
