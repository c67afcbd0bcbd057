"""Accounts, keys and tokens as rows."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from kartoteka.access.model import (
    AccountContext,
    ApiKey,
    App,
    AppKind,
    Caller,
    KeyKind,
    Rights,
)
from kartoteka.access.setting_values import Value, effective
from kartoteka.db.database import Connection, Database, Row
from kartoteka.db.named import load_queries

QUERIES = load_queries(__package__)


class FoundKey(msgspec.Struct, frozen=True):
    """A row of `find_key` or `find_event_token`, in its column order."""

    account_id: int
    key_id: int
    kind: str
    rights: str
    digest: bytes
    enabled: bool
    enabled_at: datetime
    last_used_at: datetime | None
    org_id: int
    account_name: str
    user_email: str
    chosen: dict[str, Any]
    app_id: str | None = None
    trusted: bool = False

    @property
    def used_at(self) -> datetime:
        """When the key was last used, made or enabled."""
        return max(self.enabled_at, self.last_used_at or self.enabled_at)

    def account(self, region: str) -> AccountContext:
        """Its account; `region` is KARTOTEKA_REGION."""
        return account_of(
            (self.account_id, self.org_id, self.account_name, self.user_email, self.chosen), region
        )

    def caller(self, region: str, rights: Rights | None = None) -> Caller:
        """Who calls with it, with these rights instead of the key's if given."""
        granted = Rights[self.rights.upper()] if rights is None else rights
        kind = KeyKind(self.kind)
        return Caller(self.account(region), self.key_id, kind, granted, self.app_id, self.trusted)


async def find_key(database: Database, digest: bytes) -> FoundKey | None:
    """The key with that hash."""
    row = await database.fetch_one(QUERIES["find_key"], key_hash=digest)
    return None if row is None else FoundKey(*row)


async def find_event_token(database: Database, digest: bytes, at: datetime) -> FoundKey | None:
    """The key that the Bearer token with that hash came from; `digest` is the token's then."""
    row = await database.fetch_one(QUERIES["find_event_token"], key_hash=digest, at=at)
    return None if row is None else FoundKey(*row)


def api_key_of(row: Row) -> ApiKey:
    """A row of `list_keys`."""
    key_id, kind, rights, *rest = row
    return ApiKey(key_id, KeyKind(kind), Rights[rights.upper()], *rest)


def app_of(row: Row) -> App:
    """A row of `list_apps` or `insert_app`."""
    app_id, name, kind, *rest = row
    return App(app_id, name, AppKind(kind), *rest)


def account_of(row: Row, region: str) -> AccountContext:
    """A row (account_id, org_id, name, user_email, settings)."""
    account_id, org_id, name, user_email, chosen = row
    settings = effective(chosen, region)
    return AccountContext(
        account_id, org_id, name, user_email, settings, _version(name, user_email, settings)
    )


def _version(*parts: Any) -> int:
    """The same in every process that sees the same row."""
    digest = hashlib.sha256(msgspec.json.encode(parts)).digest()
    return int.from_bytes(digest[:7], "big")


async def insert_account(
    connection: Connection, name: str, org_id: int, user_email: str, at: datetime
) -> Row | None:
    """The new row; None when the name or the number is taken."""
    parameters = {"name": name, "org_id": org_id, "user_email": user_email, "at": at}
    cursor = await connection.execute(QUERIES["insert_account"].sql, parameters)
    return await cursor.fetchone()


async def change_settings(connection: Connection, account_id: int, chosen: dict[str, Value]) -> Row:
    """Store what the account chose; the row as it is now. The caller has locked it."""
    parameters = {"account_id": account_id, "settings": msgspec.json.encode(chosen).decode()}
    cursor = await connection.execute(QUERIES["update_settings"].sql, parameters)
    return (await cursor.fetchall())[0]


async def lock_chosen(connection: Connection, account_id: int) -> dict[str, Value] | None:
    """What the account chose so far, locked; None when there is no such account."""
    cursor = await connection.execute(QUERIES["lock_account"].sql, {"account_id": account_id})
    row = await cursor.fetchone()
    return None if row is None else row[0]
