"""Making, listing, disabling and deleting the keys of one account."""

from __future__ import annotations

from kartoteka.access import store
from kartoteka.access.model import KEY_RIGHTS, ApiKey, KeyKind, NewKey, Rights
from kartoteka.access.secret_texts import digest_of, make_key, shown_part
from kartoteka.access.store import QUERIES
from kartoteka.clock import Clock
from kartoteka.db.database import Connection, Database
from kartoteka.errors import InvalidRequest, NotFound

MAX_DESCRIPTION_CHARS = 200


class AccountKeys:
    """The API keys of one account; those of another are as if they were not there."""

    def __init__(self, database: Database, clock: Clock, account_id: int) -> None:
        self._database = database
        self._clock = clock
        self._account_id = account_id

    async def create(
        self,
        kind: KeyKind,
        rights: Rights | None = None,
        description: str = "",
        app_id: str | None = None,
    ) -> NewKey:
        """A new key with its text, which nobody can be shown again.

        `rights` are for server keys only, full if not given; `app_id` is for app keys only. Raises
        `InvalidRequest`.
        """
        if app_id is not None and kind is not KeyKind.APP:
            raise InvalidRequest(f"A {kind} key belongs to no application; only an app key does.")
        async with self._database.connection() as connection:
            return await create_key(
                connection,
                self._account_id,
                kind=kind,
                rights=_rights_for(kind, rights),
                description=description,
                clock=self._clock,
                app_id=app_id,
            )

    async def all(self) -> list[ApiKey]:
        """All keys, the oldest first."""
        rows = await self._database.fetch(
            QUERIES["list_keys"], account_id=self._account_id, key_id=None
        )
        return [store.api_key_of(row) for row in rows]

    async def get(self, key_id: int) -> ApiKey:
        """One key. Raises `NotFound`."""
        row = await self._database.fetch_one(
            QUERIES["list_keys"], account_id=self._account_id, key_id=key_id
        )
        if row is None:
            raise _no_key(key_id)
        return store.api_key_of(row)

    async def disable(self, key_id: int) -> ApiKey:
        """The key, which stops working within a second. Raises `NotFound`."""
        await self._change("disable_key", key_id)
        return await self.get(key_id)

    async def enable(self, key_id: int) -> ApiKey:
        """The key, which works again. Raises `NotFound`."""
        await self._change("enable_key", key_id, at=self._clock.now())
        return await self.get(key_id)

    async def delete(self, key_id: int) -> None:
        """The key and its tokens are gone, in all processes within a second. Raises `NotFound`."""
        async with self._database.connection() as connection, connection.transaction():
            parameters = {"account_id": self._account_id, "key_id": key_id}
            await connection.execute(QUERIES["delete_tokens_of_key"].sql, parameters)
            cursor = await connection.execute(QUERIES["delete_key"].sql, parameters)
            if cursor.rowcount == 0:
                raise _no_key(key_id)

    async def _change(self, query: str, key_id: int, **parameters: object) -> None:
        touched = await self._database.execute(
            QUERIES[query], account_id=self._account_id, key_id=key_id, **parameters
        )
        if touched == 0:
            raise _no_key(key_id)


async def create_key(
    connection: Connection,
    account_id: int,
    *,
    kind: KeyKind,
    rights: Rights,
    description: str,
    clock: Clock,
    text: str | None = None,
    app_id: str | None = None,
) -> NewKey:
    """A key of that text, or of a random one, inside the caller's transaction if there is one."""
    if len(description) > MAX_DESCRIPTION_CHARS or not description.isprintable():
        raise InvalidRequest(
            f"A description has at most {MAX_DESCRIPTION_CHARS} characters, on one line."
        )
    text = text or make_key()
    at, prefix = clock.now(), shown_part(text)
    parameters = {
        "account_id": account_id,
        "kind": kind.value,
        "rights": rights.stored,
        "description": description,
        "prefix": prefix,
        "key_hash": digest_of(text),
        "at": at,
        "app_id": app_id,
    }
    cursor = await connection.execute(QUERIES["insert_key"].sql, parameters)
    ((key_id,),) = await cursor.fetchall()
    key = ApiKey(key_id, kind, rights, description, prefix, True, at, None, app_id)
    return NewKey(text, key)


def _rights_for(kind: KeyKind, rights: Rights | None) -> Rights:
    """Only a server key has rights (decisions D36)."""
    if kind is not KeyKind.SERVER:
        if rights is not None:
            raise InvalidRequest(f"A {kind} key has no rights to choose; only a server key has.")
        return Rights.NONE
    if rights is None:
        return Rights.FULL
    if rights not in KEY_RIGHTS:
        allowed = ", ".join(right.stored for right in KEY_RIGHTS)
        raise InvalidRequest(f"The rights of a key are one of {allowed}.")
    return rights


def _no_key(key_id: int) -> NotFound:
    return NotFound(f"This account has no key {key_id}.")
