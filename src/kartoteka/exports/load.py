"""How exports are, for whoever watches the server."""

from __future__ import annotations

import msgspec

from kartoteka.db.database import Database
from kartoteka.exports.store import QUERIES
from kartoteka.exports.turn import ALERT_AFTER


class ExportLoad(msgspec.Struct, frozen=True):
    """Exports of one target in one state, of all accounts."""

    target: str
    state: str
    count: int
    failing: int
    """How many of them failed three times or more, one run after the other."""


async def export_load(database: Database) -> list[ExportLoad]:
    """Counted by target and state."""
    rows = await database.fetch(QUERIES["export_load"], many=ALERT_AFTER)
    return [ExportLoad(*row) for row in rows]
