"""Whose live card identifiers name, for calls that only ask."""

from __future__ import annotations

from kartoteka.db.database import Database
from kartoteka.db.named import load_queries
from kartoteka.identity.model import Settings
from kartoteka.identity.rules import Person, is_never

_QUERY = load_queries(__package__, "whose.sql")["live_holders"]


async def live_contact_id(
    database: Database, account_id: int, person: Person, settings: Settings
) -> int | None:
    """The live contact that the External ID names; without one the e-mail, then the phone.

    An External ID that nobody has is nobody, whatever stands beside it: the answer may open an
    inbox. So is an e-mail or phone that the account calls nobody's (D6). Of several contacts the
    order of decisions D10 counts.
    """
    asked = [person.external_id] if person.external_id else [person.email, person.phone]
    wanted = [one for one in asked if one and not is_never(settings, one.kind, one.value)]
    rows = await database.fetch(
        _QUERY,
        account_id=account_id,
        kinds=[one.kind for one in wanted],
        values=[one.key[1] for one in wanted],
    )
    for one in wanted:
        cards = [row for row in rows if row[0] == one.kind]
        if cards:
            return int(min(cards, key=lambda row: (not row[2], -row[3].timestamp(), row[1]))[1])
    return None
