"""Sessions of the pages: signing in, who works under a cookie, signing out.

The cookie is 192 random bits, of which the database keeps the SHA-256. A session reaches every account
in which the same login has the same password: that is what switching accounts means.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from datetime import timedelta
from functools import cache
from typing import Any

import msgspec

from kartoteka.access.model import AccountContext
from kartoteka.access.passwords import hash_password
from kartoteka.access.secret_texts import digest_of
from kartoteka.access.store import account_of
from kartoteka.access.users import MAX_LOGIN_CHARS, QUERIES, Role, matches
from kartoteka.clock import Clock
from kartoteka.db.database import Database
from kartoteka.errors import KartotekaError, RateLimited

IDLE = timedelta(days=3)
"""A session ends when nobody uses it for so long."""
LONGEST = timedelta(days=30)
SEEN_EVERY = timedelta(minutes=5)
WINDOW = timedelta(minutes=15)
FAILURES_BY_LOGIN = 10
FAILURES_BY_ADDRESS = 30


class WrongPassword(KartotekaError):
    """Login or password is wrong."""

    code = "wrong_password"


class Grant(msgspec.Struct, frozen=True):
    """One account that a session reaches, and who the session is there."""

    account: AccountContext
    user_id: int
    login: str
    role: Role
    preferences: dict[str, Any]


class Session(msgspec.Struct, frozen=True):
    """A live session: the accounts it reaches, by id."""

    hash: bytes
    grants: tuple[Grant, ...]


class Sessions:
    """The sessions of all users."""

    def __init__(self, database: Database, clock: Clock, region: str) -> None:
        self._database = database
        self._clock = clock
        self._region = region

    async def sign_in(self, login: str, password: str, address: str) -> str:
        """The cookie's text. Raises `WrongPassword`, and `RateLimited` after too many failures.

        Every attempt is counted before the password is looked at, so attempts at the same time
        count too.
        """
        login = login.strip()[:MAX_LOGIN_CHARS]
        by_login, by_address = _subject("login", login), _subject("address", address)
        await self._count(by_address, FAILURES_BY_ADDRESS)
        await self._count(by_login, FAILURES_BY_LOGIN)
        granted = await self._granted(login, password)
        if not granted:
            raise WrongPassword
        text = secrets.token_urlsafe(24)
        at = self._clock.now()
        async with self._database.connection() as connection, connection.transaction():
            for account_id, user_id in granted:
                one = {"account_id": account_id, "user_id": user_id, "at": at}
                await connection.execute(
                    QUERIES["insert_session"].sql,
                    {
                        **one,
                        "session_hash": digest_of(text),
                        "address": address[:60],
                        "expires_at": at + IDLE,
                    },
                )
                await connection.execute(QUERIES["note_sign_in"].sql, one)
            await connection.execute(QUERIES["forgive_attempts"].sql, {"subject": by_login})
            await connection.execute(QUERIES["take_back_attempt"].sql, {"subject": by_address})
        return text

    async def _granted(self, login: str, password: str) -> list[tuple[int, int]]:
        """(account, user) of everybody whom login and password name."""
        rows = await self._database.fetch(QUERIES["users_named"], login=login)
        known: dict[str, bool] = {}
        for row in rows:
            if row[3] not in known:
                known[row[3]] = await matches(password, row[3])
        if not rows:
            await matches(password, await asyncio.to_thread(_hash_of_nobody))
        return [(row[0], row[1]) for row in rows if known[row[3]]]

    async def _count(self, subject: bytes, most: int) -> None:
        at = self._clock.now()
        row = await self._database.fetch_one(
            QUERIES["count_attempt"], subject=subject, at=at, window_began=at - WINDOW
        )
        assert row is not None
        if row[0] > most:
            wait = max(int((row[1] + WINDOW - at).total_seconds()), 1)
            minutes = -(-wait // 60)
            raise RateLimited(
                f"Too many attempts failed. Try again in {minutes} "
                f"{'minute' if minutes == 1 else 'minutes'}.",
                retry_after_s=wait,
            )

    async def find(self, text: str) -> Session | None:
        """The session of that cookie, None if it has ended."""
        at, digest = self._clock.now(), digest_of(text)
        rows = await self._database.fetch(
            QUERIES["session"], session_hash=digest, at=at, created_after=at - LONGEST
        )
        if not rows:
            return None
        grants = tuple(_grant(row, self._region) for row in rows)
        if rows[0][5] <= at - SEEN_EVERY:
            await self._database.execute(
                QUERIES["note_seen"], session_hash=digest, at=at, expires_at=at + IDLE
            )
        return Session(digest, grants)

    async def end(self, text: str) -> None:
        """Sign out."""
        await self._database.execute(QUERIES["end_session"], session_hash=digest_of(text))

    async def forget_old(self, account_ids: list[int]) -> None:
        """Take away what has run out: sessions, counted failures."""
        at = self._clock.now()
        for account_id in account_ids:
            await self._database.execute(QUERIES["forget_sessions"], account_id=account_id, at=at)
        await self._database.execute(QUERIES["forget_attempts"], before=at - WINDOW)


@cache
def _hash_of_nobody() -> str:
    """What the password of a login that nobody has is compared with: it takes as long."""
    return hash_password(secrets.token_hex(16))


def _subject(kind: str, text: str) -> bytes:
    return hashlib.sha256(f"{kind}\0{text}".encode("utf-8", "replace")).digest()


def _grant(row: tuple[Any, ...], region: str) -> Grant:
    account_id, user_id, login, role, preferences, _seen, _expires, *account = row
    return Grant(
        account_of((account_id, *account), region), user_id, login, Role(role), preferences
    )
