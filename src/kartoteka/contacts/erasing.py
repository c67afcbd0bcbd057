"""What an erase destroys of a contact's card, behind all that any capability writes (decisions D29)."""

from __future__ import annotations

from datetime import datetime

from kartoteka.contacts.store import Batch, Rows, Statement, Writers, write_effects
from kartoteka.db.arrays import pg_array
from kartoteka.db.named import load_queries
from kartoteka.db.transaction import Call
from kartoteka.identity.store import Digest, columns
from kartoteka.identity.working_set import WorkingSet

QUERIES = load_queries(__package__, "erasing.sql")


def _erase(batch: Batch, rows: Rows) -> list[Statement]:
    """Retired cards that lead to an erased one are emptied by `erase_retired`; their traces go by
    `ids`, which the database widens to them itself."""
    ids = {"ids": pg_array([contact_id for (contact_id,) in rows])}
    names = ("kind", "name", "value", "value_key")
    gone = columns(names, batch.ws.effects.get("erase_value") or [(0, "", "", "")])
    traces = (
        "erase_history",
        "erase_members",
        "erase_replays",
        "erase_tokens",
        "erase_import_rows",
    )
    return [
        ("erase_retired", {**ids, "at": batch.at}),
        ("erase_values_elsewhere", {**ids, **gone, "at": batch.at}),
        ("erase_snapshots_elsewhere", {**ids, **gone}),
        *((name, ids) for name in traces),
    ]


_WRITERS: Writers = {"erase": _erase}


def erase(ws: WorkingSet, digest: Digest, at: datetime) -> list[Call]:
    """Statements that destroy, to run behind all others: they also meet what this batch wrote."""
    return write_effects(ws, digest, at, _WRITERS, QUERIES)
