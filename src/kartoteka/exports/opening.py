"""Exports as a server's settings have them."""

from __future__ import annotations

from pathlib import Path

from kartoteka.clock import Clock
from kartoteka.db.database import Database
from kartoteka.exports.reading import OwnDatabase
from kartoteka.exports.secrets import Safe
from kartoteka.exports.store import Exports
from kartoteka.exports.targets.base import Surroundings
from kartoteka.settings import Settings


def export_folder(settings: Settings) -> Path:
    """Under which file exports write."""
    return (settings.export_dir or settings.data_dir / "exports").absolute()


def open_exports(settings: Settings, database: Database, clock: Clock) -> Exports:
    """The exports of all accounts."""
    own = OwnDatabase(database.url)
    surroundings = Surroundings(
        allow_private=settings.export_private_addresses,
        export_dir=export_folder(settings),
        is_own_database=own,
        is_own_address=own.is_at,
    )
    return Exports(database, clock, Safe(settings.secret_key), surroundings)
