"""The first start: an account, somebody who may log in, a key; and the check of the secret key."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from typing import Protocol

import msgspec

from kartoteka.access.accounts import create_account
from kartoteka.access.key_admin import create_key
from kartoteka.access.model import KeyKind, Rights
from kartoteka.access.passwords import hash_password
from kartoteka.access.secret_texts import make_password
from kartoteka.access.store import QUERIES
from kartoteka.clock import Clock
from kartoteka.db.database import Connection, Database
from kartoteka.errors import SettingsError

ACCOUNT_NAME = "main"
ADMIN_LOGIN = "admin"
OWNER = "owner"
_SAFE_KEY_CHARS = 20
_FINGERPRINT_OF = b"kartoteka installation"


class StartSettings(Protocol):
    """What a start needs of the settings; each named as in the environment."""

    @property
    def api_key(self) -> str | None: ...
    @property
    def admin_password(self) -> str | None: ...
    @property
    def secret_key(self) -> str: ...
    @property
    def region(self) -> str: ...


class FirstStart(msgspec.Struct, frozen=True):
    """What the first start made: to be printed once and kept nowhere."""

    account_name: str
    admin_login: str
    admin_password: str | None
    """None: it was given, so the operator knows it."""
    api_key: str | None
    """None: it was given."""
    warning: str | None = None


async def first_start(
    database: Database, settings: StartSettings, clock: Clock | None = None
) -> FirstStart | None:
    """What was made for an empty database; None at every later start.

    Of two processes that start on one database at once the second waits and gets None; one that is
    killed on the way leaves nothing. Raises `SettingsError` when the database was set up with
    another secret key (decisions D35) or a given key or password cannot be used.
    """
    if await _is_set_up(database, settings.secret_key):
        return None
    key, password = _given_key(settings), _given_password(settings)
    chosen_password = password or make_password()
    password_hash = await asyncio.to_thread(hash_password, chosen_password)
    made = await _set_up(database, settings, clock or Clock(), key=key, password_hash=password_hash)
    if made is None:
        await check_secret(database, settings.secret_key)
        return None
    return FirstStart(
        account_name=ACCOUNT_NAME,
        admin_login=ADMIN_LOGIN,
        admin_password=None if password else chosen_password,
        api_key=None if key else made,
        warning=_warning(key),
    )


async def check_secret(database: Database, secret_key: str) -> None:
    """Nothing, if the database was set up with that secret key or not at all.

    Raises `SettingsError`.
    """
    await _is_set_up(database, secret_key)


def fingerprint_of(secret_key: str) -> str:
    """What the database keeps of the secret key: nothing that it could be guessed back from."""
    return hmac.new(secret_key.encode(), _FINGERPRINT_OF, hashlib.sha256).hexdigest()


async def _is_set_up(database: Database, secret_key: str) -> bool:
    row = await database.fetch_one(QUERIES["find_installation"])
    if row is None:
        return False
    if not hmac.compare_digest(str(row[0]), fingerprint_of(secret_key)):
        raise SettingsError(
            "This database was set up with another secret key. Put the former KARTOTEKA_SECRET_KEY "
            "back (unset, it is a file in the data folder); with another one erased people would "
            "not be recognised any more."
        )
    return True


async def _set_up(
    database: Database,
    settings: StartSettings,
    clock: Clock,
    *,
    key: str | None,
    password_hash: str,
) -> str | None:
    """The text of the first key; None when another process was quicker."""
    async with database.connection() as connection, connection.transaction():
        if not await _claim(connection, settings.secret_key, clock):
            return None
        account_id = await _main_account(connection, settings.region, clock)
        user = {
            "account_id": account_id,
            "login": ADMIN_LOGIN,
            "password_hash": password_hash,
            "role": OWNER,
            "at": clock.now(),
        }
        await connection.execute(QUERIES["insert_admin_user"].sql, user)
        new = await create_key(
            connection,
            account_id,
            kind=KeyKind.SERVER,
            rights=Rights.FULL,
            description="made at the first start",
            clock=clock,
            text=key,
        )
    return new.text


async def _main_account(connection: Connection, region: str, clock: Clock) -> int:
    """Made now, unless the command line has made it before the server's first start."""
    cursor = await connection.execute(QUERIES["find_account_by_name"].sql, {"name": ACCOUNT_NAME})
    if row := await cursor.fetchone():
        return int(row[0])
    account = await create_account(connection, ACCOUNT_NAME, "", clock=clock, region=region)
    return account.account_id


async def _claim(connection: Connection, secret_key: str, clock: Clock) -> bool:
    parameters = {"fingerprint": fingerprint_of(secret_key), "at": clock.now()}
    cursor = await connection.execute(QUERIES["insert_installation"].sql, parameters)
    return await cursor.fetchone() is not None


def _given_key(settings: StartSettings) -> str | None:
    key = (settings.api_key or "").strip()
    if key and not (key.isascii() and key.isprintable() and len(key) <= 200):
        raise SettingsError(
            "KARTOTEKA_API_KEY must be at most 200 printable ASCII characters; unset it to get a "
            "random key."
        )
    return key or None


def _given_password(settings: StartSettings) -> str | None:
    password = settings.admin_password or ""
    if len(password) > 200:
        raise SettingsError("KARTOTEKA_ADMIN_PASSWORD must have at most 200 characters.")
    return password or None


def _warning(key: str | None) -> str | None:
    if key is None or len(key) >= _SAFE_KEY_CHARS:
        return None
    return (
        f"KARTOTEKA_API_KEY has fewer than {_SAFE_KEY_CHARS} characters and could be guessed; make "
        "a random one with `kartoteka keys create` before others can reach this server."
    )
