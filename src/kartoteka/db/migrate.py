"""Numbered migrations: `db/migrations/NNNN_name.sql`, each applied once, in order."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import resources

import msgspec
import psycopg

from kartoteka.db.database import Connection
from kartoteka.db.first_statistics import tell_planner
from kartoteka.errors import DatabaseUnavailable, SettingsError

_FILE = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")
_LOCK = 0x6B617274  # "kart": any number, as long as every version takes the same
_OLDEST_SERVER = 150000

_CREATE_TABLE = """
create table if not exists schema_migration (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null
)"""


class Migration(msgspec.Struct, frozen=True):
    """One file: its name without `.sql`, its text."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, to notice that an applied file was edited."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def packaged_migrations() -> list[Migration]:
    """The files that come with this version, in order; ValueError when a number is missing."""
    folder = resources.files("kartoteka.db").joinpath("migrations")
    names = sorted(file.name for file in folder.iterdir() if _FILE.match(file.name))
    for place, name in enumerate(names, start=1):
        if int(name[:4]) != place:
            raise ValueError(f"migration {name} should have number {place:04d}")
    return [Migration(n.removesuffix(".sql"), folder.joinpath(n).read_text("utf-8")) for n in names]


async def migrate(url: str, migrations: Sequence[Migration] | None = None) -> list[str]:
    """Bring the database up to this version; the names of what was applied just now.

    Each file runs in a transaction of its own, all under one advisory lock, so two servers that
    start at once do it once. Raises `SettingsError` when the database is older than PostgreSQL 15,
    newer than this program, or holds an edited migration; `DatabaseUnavailable` when it is away.
    """
    wanted = packaged_migrations() if migrations is None else migrations
    try:
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.Error as error:
        raise DatabaseUnavailable(
            f"The database does not answer: {_reason(error)} Check KARTOTEKA_DATABASE_URL."
        ) from error
    async with connection:
        _check_server(connection)
        await connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
        await connection.execute(_CREATE_TABLE)
        missing = _missing(wanted, await _applied(connection))
        for migration in missing:
            await _apply(connection, migration)
        await tell_planner(connection)
        return [migration.name for migration in missing]


def _check_server(connection: Connection) -> None:
    version = connection.info.server_version
    if version < _OLDEST_SERVER:
        raise SettingsError(
            f"KARTOTEKA_DATABASE_URL names a PostgreSQL {version // 10000}; "
            "Kartoteka needs PostgreSQL 15 or newer."
        )


async def _applied(connection: Connection) -> dict[str, str]:
    cursor = await connection.execute("select name, checksum from schema_migration")
    return dict(await cursor.fetchall())


def _missing(wanted: Sequence[Migration], applied: dict[str, str]) -> list[Migration]:
    unknown = sorted(applied.keys() - {migration.name for migration in wanted})
    if unknown:
        raise SettingsError(
            f"The database was made by a newer Kartoteka (migration {unknown[0]}); "
            "start that version or restore a backup."
        )
    for migration in wanted:
        if applied.get(migration.name, migration.checksum) != migration.checksum:
            raise SettingsError(
                f"Migration {migration.name} is not the one that this database was made with; "
                "install the released version of Kartoteka again."
            )
    return [migration for migration in wanted if migration.name not in applied]


async def _apply(connection: Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(migration.sql, prepare=False)
        await connection.execute(
            "insert into schema_migration (name, checksum, applied_at) values (%s, %s, %s)",
            (migration.name, migration.checksum, datetime.now(UTC)),
        )


def _reason(error: psycopg.Error) -> str:
    """libpq's words on one line; they name host and role, never a password."""
    return " ".join(str(error).split()).rstrip(".") + "."
