"""Applications of an account: what mobile, web push and Telegram tokens are registered under."""

from __future__ import annotations

import re
import uuid

import msgspec

from kartoteka.access import store
from kartoteka.access.key_admin import create_key
from kartoteka.access.model import App, AppKind, KeyKind, NewApp, NewKey, Rights
from kartoteka.access.store import QUERIES
from kartoteka.clock import Clock
from kartoteka.db.database import Database
from kartoteka.errors import Conflict, InvalidRequest, NotFound

MAX_NAME_CHARS = 100
_APP_ID = re.compile(r"[A-Za-z0-9._:-]{1,255}")
FIRST_APP_NAME = "Mobile app"


MOST_ACCOUNTS_ASKED = 50
"""Accounts in which the token of a call without any key is looked for (wire 7.2)."""


async def accounts_with_apps(database: Database) -> list[int]:
    """Accounts that have a mobile application whose key works."""
    rows = await database.fetch(QUERIES["accounts_with_apps"], rows=MOST_ACCOUNTS_ASKED)
    return [account_id for (account_id,) in rows]


class AppIdTaken(Conflict):
    """This account has an application of that id already."""

    code = "app_id_taken"


class AppNotFound(NotFound):
    """Application not found: the account has none with this id."""


class Apps:
    """The applications of one account; those of another are as if they were not there."""

    def __init__(self, database: Database, clock: Clock, account_id: int) -> None:
        self._database = database
        self._clock = clock
        self._account_id = account_id

    async def create(
        self,
        name: str,
        kind: AppKind = AppKind.MOBILE,
        *,
        trusted: bool = False,
        app_id: str | None = None,
    ) -> NewApp:
        """A new application; a mobile one with its first access key, whose text is never shown again.

        `app_id`: the id that an app in the field was built with; a random UUID if not given. Raises
        `InvalidRequest` and `AppIdTaken`.
        """
        _check_name(name)
        if app_id is not None and not _APP_ID.fullmatch(app_id):
            raise InvalidRequest("An application's id has 1 to 255 of A-Z a-z 0-9 . _ : and -.")
        if trusted and kind is not AppKind.MOBILE:
            raise InvalidRequest("Only a mobile application can be trusted.")
        parameters = {
            "account_id": self._account_id,
            "app_id": app_id or str(uuid.uuid4()),
            "name": name,
            "kind": kind.value,
            "trusted": trusted,
            "at": self._clock.now(),
        }
        async with self._database.connection() as connection, connection.transaction():
            cursor = await connection.execute(QUERIES["insert_app"].sql, parameters)
            row = await cursor.fetchone()
            if row is None:
                raise AppIdTaken
            app = store.app_of(row)
            key = None
            if kind is AppKind.MOBILE:
                key = await create_key(
                    connection,
                    self._account_id,
                    kind=KeyKind.APP,
                    rights=Rights.NONE,
                    description=name,
                    clock=self._clock,
                    app_id=app.app_id,
                )
                app = msgspec.structs.replace(app, keys=1)
        return NewApp(app, key)

    async def all(self) -> list[App]:
        """All applications, the oldest first."""
        rows = await self._database.fetch(
            QUERIES["list_apps"], account_id=self._account_id, app_id=None
        )
        return [store.app_of(row) for row in rows]

    async def get(self, app_id: str) -> App:
        """One application. Raises `AppNotFound`."""
        row = await self._database.fetch_one(
            QUERIES["list_apps"], account_id=self._account_id, app_id=app_id
        )
        if row is None:
            raise AppNotFound
        return store.app_of(row)

    async def change(
        self, app_id: str, *, name: str | None = None, trusted: bool | None = None
    ) -> App:
        """The application with another name, or trusted or not; servers follow within a second.

        Raises `AppNotFound` and `InvalidRequest`.
        """
        if name is not None:
            _check_name(name)
        if trusted and (await self.get(app_id)).kind is not AppKind.MOBILE:
            raise InvalidRequest("Only a mobile application can be trusted.")
        changed = await self._database.fetch_one(
            QUERIES["change_app"],
            account_id=self._account_id,
            app_id=app_id,
            name=name,
            trusted=trusted,
        )
        if changed is None:
            raise AppNotFound
        return await self.get(app_id)

    async def add_key(self, app_id: str, description: str = "") -> NewKey:
        """Another access key of a mobile application, such as before the old one is deleted.

        Raises `AppNotFound` and `InvalidRequest`.
        """
        app = await self.get(app_id)
        if app.kind is not AppKind.MOBILE:
            raise InvalidRequest("Only a mobile application has access keys.")
        async with self._database.connection() as connection:
            return await create_key(
                connection,
                self._account_id,
                kind=KeyKind.APP,
                rights=Rights.NONE,
                description=description or app.name,
                clock=self._clock,
                app_id=app_id,
            )

    async def delete(self, app_id: str) -> None:
        """The application and its access keys are gone; tokens stay on their contacts.

        Raises `AppNotFound`.
        """
        parameters = {"account_id": self._account_id, "app_id": app_id}
        async with self._database.connection() as connection, connection.transaction():
            await connection.execute(QUERIES["delete_keys_of_app"].sql, parameters)
            cursor = await connection.execute(QUERIES["delete_app"].sql, parameters)
            if cursor.rowcount == 0:
                raise AppNotFound

    async def only_mobile(self) -> App:
        """The account's mobile application where there is one; without any a first one is made.

        Raises `InvalidRequest` when there are several, naming their ids.
        """
        mobile = [app for app in await self.all() if app.kind is AppKind.MOBILE]
        if len(mobile) > 1:
            ids = ", ".join(f"{app.app_id} ({app.name})" for app in mobile)
            raise InvalidRequest(f"This account has several mobile applications, say which: {ids}.")
        if mobile:
            return mobile[0]
        parameters = {
            "account_id": self._account_id,
            "app_id": str(uuid.uuid4()),
            "name": FIRST_APP_NAME,
            "kind": AppKind.MOBILE.value,
            "trusted": False,
            "at": self._clock.now(),
        }
        row = await self._database.fetch_one(QUERIES["insert_app"], **parameters)
        if row is None:
            raise AppIdTaken
        return store.app_of(row)


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > MAX_NAME_CHARS or not name.isprintable():
        raise InvalidRequest(
            f"An application's name has 1 to {MAX_NAME_CHARS} characters, on one line."
        )
