"""What an erase destroys of a person's activity (decisions D29), behind all that its batch writes."""

from __future__ import annotations

import json
import re
from datetime import datetime

from kartoteka.contacts.store import Batch, Rows, Statement, Writers, write_effects
from kartoteka.db.arrays import pg_array
from kartoteka.db.database import Database
from kartoteka.db.named import load_queries
from kartoteka.db.transaction import Call
from kartoteka.identity.store import Digest, columns
from kartoteka.identity.working_set import WorkingSet

QUERIES = load_queries(__package__, "erasing.sql")
_DESTROY = ("erase_events", "erase_order_items", "erase_orders", "erase_totals")


def _erase(batch: Batch, rows: Rows) -> list[Statement]:
    values = batch.ws.effects.get("erase_value") or [(0, "", "", "")]
    keys = [(kind, key) for kind, _, _, key in values]
    ids = {"ids": pg_array([contact_id for (contact_id,) in rows])}
    of_values = columns(("kind", "value_key"), keys)
    return [
        ("queue_erased", {**ids, **of_values}),
        ("erase_named_beside", of_values),
        ("erase_claims", of_values),
        ("erase_stubs", {}),
        ("keep_spans_of_others", {}),
        ("release_spans", {}),
        ("erase_spans", {}),
        ("note_erased_orders", {"at": batch.at}),
        *((name, {}) for name in _DESTROY),
    ]


def _forgotten_in_events(batch: Batch, rows: Rows) -> list[Statement]:
    """Last, so that what this batch wrote is found as well."""
    spelled = [(contact_id, value, *_spellings(value)) for contact_id, _, value in rows]
    names = ("contact_id", "value", "spelled", "as_text", "in_text", "as_number")
    given = {**columns(names, spelled), "blank": r"\\" '"' r"\\" '"', "at": batch.at}
    return [("forget_value_in_events", given)]


def _spellings(value: str) -> tuple[str, str, str, str]:
    """How jsonb spells a text, without quotes; what finds it as a value, in a text, as a number."""
    spelled = _escaped(value)
    quoted = f'"{spelled}"'
    as_text = rf"(?<=[ \[]){_literal(quoted)}(?!:)"
    as_number = rf"(?<=[ \[]){value}(?=[],}}])" if value.isascii() and value.isdigit() else "(?!)"
    in_text = "|".join({_literal(_escaped(one)) for one in (quoted, json.dumps(value))})
    return spelled, as_text, in_text, as_number


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _literal(text: str) -> str:
    """A regular expression of PostgreSQL for exactly this text."""
    return re.sub(r"([^\w\s])", r"\\\1", text)


_WRITERS: Writers = {"forget_value": _forgotten_in_events, "erase": _erase}


def erase(ws: WorkingSet, digest: Digest, at: datetime) -> list[Call]:
    """Statements that destroy, to run behind all others."""
    return write_effects(ws, digest, at, _WRITERS, QUERIES)


async def finish_erasing(database: Database, account_id: int) -> None:
    """Destroy what was written for erased persons while they were erased (D29): their owners are
    known to nobody any more, so that what is there now is all. Safe to repeat."""
    rows = await database.fetch(QUERIES["erasing"], account_id=account_id)
    if not rows:
        return
    for name in _DESTROY:
        await database.execute(QUERIES[name], account_id=account_id)
    owners = pg_array([owner for (owner,) in rows])
    await database.execute(QUERIES["erased"], account_id=account_id, owners=owners)


async def finish_all_erasing(database: Database) -> None:
    """What erases left behind when their process ended."""
    for (account_id,) in await database.fetch(QUERIES["accounts_erasing"]):
        await finish_erasing(database, account_id)
