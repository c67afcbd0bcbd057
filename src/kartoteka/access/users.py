"""People who sign in to the pages: who they are, what role they have, what they did."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from kartoteka.access.passwords import hash_password, is_password
from kartoteka.clock import Clock
from kartoteka.db.arrays import pg_array
from kartoteka.db.database import Connection, Database
from kartoteka.db.named import load_queries
from kartoteka.errors import Conflict, InvalidRequest, NotFound

QUERIES = load_queries(__package__, "users.sql")
MIN_PASSWORD_CHARS = 10
MAX_PASSWORD_CHARS = 200
MAX_LOGIN_CHARS = 100
MAX_SHOWN_LOGIN = 20
NOBODY = 0
"""The user id of a line of the log that no user wrote."""
_LOGIN = re.compile(r"[\w.@+-]{1,100}")
_HASHING = asyncio.Semaphore(2)
"""A hash takes 32 MB and a quarter of a second of a core; others wait their turn."""


class Role(StrEnum):
    """What a user may do. Stored in `admin_user.role`; each one includes those behind it."""

    OWNER = "owner"
    """Everything: keys, users, settings, erasing."""
    MARKETER = "marketer"
    """Works with contacts, segments, imports and exports."""
    READER = "reader"
    """Sees, changes nothing."""

    def may(self, needed: Role) -> bool:
        """Whether this role includes the other one."""
        order = list(Role)
        return order.index(self) <= order.index(needed)


class LoginTaken(Conflict):
    """This account has a user of that name already."""

    code = "login_taken"


class LastOwner(Conflict):
    """An account needs an owner; make somebody else one first."""

    code = "last_owner"


class WeakPassword(InvalidRequest):
    """A password has 10 to 200 characters."""

    code = "weak_password"


class User(msgspec.Struct, frozen=True):
    """A user as lists show it."""

    user_id: int
    login: str
    role: Role
    created_at: datetime
    signed_in_at: datetime | None


class AuditRow(msgspec.Struct, frozen=True):
    """A line of the audit log."""

    audit_id: int
    at: datetime
    login: str
    action: str
    subject: str
    details: dict[str, Any]
    request_id: str


async def hashed(password: str) -> str:
    """The hash to store, made beside the event loop. Raises `WeakPassword`."""
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        raise WeakPassword
    async with _HASHING:
        return await asyncio.to_thread(hash_password, password)


async def matches(password: str, stored: str) -> bool:
    """Whether that is the password behind the hash; as slow as making one."""
    if len(password) > MAX_PASSWORD_CHARS:
        return False
    async with _HASHING:
        return await asyncio.to_thread(is_password, password, stored)


class Users:
    """The users of all accounts."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def all(self, account_id: int) -> list[User]:
        """The users of an account, by name."""
        rows = await self._database.fetch(QUERIES["users"], account_id=account_id)
        return [_user(row) for row in rows]

    async def find(self, account_id: int, login: str) -> User:
        """The user of that name. Raises `NotFound`."""
        for user in await self.all(account_id):
            if user.login == login.strip():
                return user
        raise NotFound("This account has no user of that name.")

    async def get(self, account_id: int, user_id: int) -> User:
        """One user. Raises `NotFound`."""
        row = await self._row(account_id, user_id)
        return _user(row[:-1])

    async def _row(self, account_id: int, user_id: int) -> tuple[Any, ...]:
        row = await self._database.fetch_one(
            QUERIES["user"], account_id=account_id, user_id=user_id
        )
        if row is None:
            raise NotFound("This account has no such user.")
        return row

    async def create(self, account_id: int, login: str, password: str, role: Role) -> int:
        """A new user's id. Raises `InvalidRequest`, `WeakPassword` and `LoginTaken`."""
        login = login.strip()
        if not _LOGIN.fullmatch(login):
            raise InvalidRequest(
                "A login has 1 to 100 letters, digits and the signs . _ @ + - without blanks."
            )
        return await self._insert(account_id, login, await hashed(password), role)

    async def share(self, account_id: int, user_id: int, other_account_id: int, role: Role) -> int:
        """The same person, login and password, in another account too. Raises as `create` does."""
        row = await self._row(account_id, user_id)
        return await self._insert(other_account_id, row[1], row[-1], role)

    async def _insert(self, account_id: int, login: str, password_hash: str, role: Role) -> int:
        row = await self._database.fetch_one(
            QUERIES["insert_user"],
            account_id=account_id,
            login=login,
            password_hash=password_hash,
            role=role.value,
            at=self._clock.now(),
        )
        if row is None:
            raise LoginTaken
        return int(row[0])

    async def change_role(self, account_id: int, user_id: int, role: Role) -> None:
        """Give a user another role. Raises `NotFound` and `LastOwner`."""
        async with self._database.connection() as connection, connection.transaction():
            if role is not Role.OWNER:
                await _keep_an_owner(connection, account_id, user_id)
            await _touch(
                connection, "change_role", account_id=account_id, user_id=user_id, role=role.value
            )

    async def delete(self, account_id: int, user_id: int) -> None:
        """Take a user away and end the sessions. Raises `NotFound` and `LastOwner`."""
        async with self._database.connection() as connection, connection.transaction():
            await _keep_an_owner(connection, account_id, user_id)
            await _end_sessions(connection, account_id, user_id, b"")
            await _touch(connection, "delete_user", account_id=account_id, user_id=user_id)

    async def set_password(
        self, account_id: int, user_id: int, password: str, but: bytes = b""
    ) -> None:
        """Another password; all sessions end but the one of that hash. Raises `WeakPassword`."""
        password_hash = await hashed(password)
        async with self._database.connection() as connection, connection.transaction():
            await _touch(
                connection,
                "change_password",
                account_id=account_id,
                user_id=user_id,
                password_hash=password_hash,
            )
            await _end_sessions(connection, account_id, user_id, but)

    async def is_password_of(self, account_id: int, user_id: int, password: str) -> bool:
        """Whether that is the user's password now. Raises `NotFound`."""
        row = await self._row(account_id, user_id)
        return await matches(password, row[-1])

    async def prefer(self, account_id: int, user_id: int, preferences: dict[str, Any]) -> None:
        """Remember how this user likes the pages."""
        await self._database.execute(
            QUERIES["change_preferences"],
            account_id=account_id,
            user_id=user_id,
            preferences=msgspec.json.encode(preferences).decode(),
        )

    async def note(
        self,
        account_id: int,
        user_id: int,
        *,
        login: str,
        action: str,
        subject: str,
        request_id: str,
        details: dict[str, Any] | None = None,
    ) -> None:
        """Write a line of the audit log: ids and names of fields, never a contact's values."""
        await self._database.execute(
            QUERIES["insert_audit"],
            account_id=account_id,
            user_id=user_id,
            login=login,
            action=action,
            subject=subject,
            request_id=request_id,
            details=msgspec.json.encode(details or {}).decode(),
            at=self._clock.now(),
        )

    async def audit(self, account_id: int, *, before: int, rows: int) -> list[AuditRow]:
        """A page of the audit log, newest first, before that id."""
        found = await self._database.fetch(
            QUERIES["audit"], account_id=account_id, before=before, rows=rows
        )
        return [AuditRow(*row) for row in found]

    async def note_failed_sign_in(self, login: str, address: str, request_id: str) -> None:
        """A line in the log of every account that has the login; of an unknown one in the oldest's.

        What was typed is shortened: people type their password into the wrong field.
        """
        login = login.strip()
        shown = login if len(login) <= MAX_SHOWN_LOGIN else f"{login[:MAX_SHOWN_LOGIN]}…"
        for (account_id,) in await self._database.fetch(
            QUERIES["accounts_of_login"], login=login[:MAX_LOGIN_CHARS]
        ):
            await self.note(
                account_id,
                NOBODY,
                login=shown,
                action="sign_in_failed",
                subject="",
                request_id=request_id,
                details={"address": address[:60]},
            )

    async def who_did(self, account_id: int, request_ids: Sequence[str]) -> dict[str, str]:
        """Logins by the ids of the requests that they made."""
        rows = await self._database.fetch(
            QUERIES["who_did"], account_id=account_id, request_ids=pg_array(list(request_ids))
        )
        return dict(rows)


async def _keep_an_owner(connection: Connection, account_id: int, user_id: int) -> None:
    cursor = await connection.execute(QUERIES["lock_owners"].sql, {"account_id": account_id})
    owners = [row[0] for row in await cursor.fetchall()]
    if owners == [user_id]:
        raise LastOwner


async def _touch(connection: Connection, query: str, **params: Any) -> None:
    cursor = await connection.execute(QUERIES[query].sql, params)
    if cursor.rowcount == 0:
        raise NotFound("This account has no such user.")


async def _end_sessions(connection: Connection, account_id: int, user_id: int, but: bytes) -> None:
    parameters = {"account_id": account_id, "user_id": user_id, "but": but}
    await connection.execute(QUERIES["end_sessions_of"].sql, parameters)


def _user(row: tuple[Any, ...]) -> User:
    user_id, login, role, created_at, signed_in_at = row
    return User(user_id, login, Role(role), created_at, signed_in_at)
