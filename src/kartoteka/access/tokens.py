"""Tokens: Bearer tokens for events, contact tokens for the App Inbox (wire 1.2)."""

from __future__ import annotations

from datetime import datetime, timedelta

from kartoteka.access.keys import require
from kartoteka.access.model import Caller, ContactToken, Rights
from kartoteka.access.secret_texts import digest_of, make_token
from kartoteka.access.store import QUERIES
from kartoteka.clock import Clock
from kartoteka.db.database import Database

EVENT_TOKEN_LASTS = timedelta(hours=24)
CONTACT_TOKEN_LASTS = timedelta(hours=24)
_SWEEP_EVERY = timedelta(hours=1)
_SWEPT_ROWS = 10_000


class Tokens:
    """Issues tokens; only their hashes are stored."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._swept: dict[int, datetime] = {}

    async def issue_event_token(self, caller: Caller) -> str:
        """A token for the header `Authorization: Bearer`, good for event methods for 24 hours.

        It ends when its key is disabled or deleted. Raises `Forbidden` to a caller without the
        right to send events, and to one that comes with such a token itself.
        """
        require(caller, Rights.EVENTS)
        return await self._issue(
            caller.account.account_id, "events", EVENT_TOKEN_LASTS, key_id=caller.key_id
        )

    async def issue_contact_token(self, account_id: int, contact_id: int) -> str:
        """A token that speaks for one contact for 24 hours, in the header `ES-TOKEN`."""
        return await self._issue(account_id, "contact", CONTACT_TOKEN_LASTS, contact_id=contact_id)

    async def find_contact(self, token: str) -> ContactToken | None:
        """Whom the token speaks for; None when it is unknown or has run out."""
        row = await self._database.fetch_one(
            QUERIES["find_contact_token"],
            token_hash=digest_of(token.encode("utf-8", "replace")),
            at=self._clock.now(),
        )
        return None if row is None else ContactToken(*row)

    async def _issue(
        self,
        account_id: int,
        purpose: str,
        lasts: timedelta,
        *,
        key_id: int | None = None,
        contact_id: int | None = None,
    ) -> str:
        now = self._clock.now()
        await self._sweep(account_id, now)
        token = make_token()
        await self._database.execute(
            QUERIES["insert_token"],
            account_id=account_id,
            token_hash=digest_of(token),
            purpose=purpose,
            key_id=key_id,
            contact_id=contact_id,
            expires_at=now + lasts,
        )
        return token

    async def _sweep(self, account_id: int, now: datetime) -> None:
        """Once an hour: what has run out goes, in batches of a bounded size."""
        swept = self._swept.get(account_id)
        if swept is not None and now - swept < _SWEEP_EVERY:
            return
        self._swept[account_id] = now
        await self._database.execute(
            QUERIES["delete_expired_tokens"], account_id=account_id, at=now, rows=_SWEPT_ROWS
        )
