"""Who is calling and what they may do: accounts, keys, rights."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum, StrEnum

import msgspec

from kartoteka.access.account_settings import AccountSettings


class KeyKind(StrEnum):
    """Where a key may be used (decisions D36). Stored in `api_key.kind`."""

    SERVER = "server"
    """Every method of `/api/*` that its rights cover; `/v1/*` too when no browser sends it."""
    WRITE = "write"
    """Segment-style calls of a shop's own server: `/v1/*` only."""
    BROWSER = "browser"
    """Segment-style calls of a web page, public: `/v1/*` only."""
    APP = "app"
    """A mobile app's access key, public: the SDK's end points only."""


class Rights(IntEnum):
    """What a caller may do; each one includes those below it (decisions D21)."""

    NONE = 0
    """Keys that are not `server` keys: no method of `/api/*` at all."""
    EVENT_TOKEN = 1
    """A Bearer token: POST and DELETE of single and past events, nothing else (wire 1.2)."""
    EVENTS = 2
    CONTACTS_WRITE = 3
    """Adds and updates contacts, reads none."""
    CONTACTS = 4
    """Also reads, searches and removes."""
    FULL = 5

    @property
    def stored(self) -> str:
        """The word in `api_key.rights` and on the command line: `full`, `contacts_write`, ..."""
        return self.name.lower()

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Rights.NONE: "none",
    Rights.EVENT_TOKEN: "event token",
    Rights.EVENTS: "events",
    Rights.CONTACTS_WRITE: "events and contacts (add/update only)",
    Rights.CONTACTS: "events and contacts",
    Rights.FULL: "full access",
}

KEY_RIGHTS = (Rights.FULL, Rights.CONTACTS, Rights.CONTACTS_WRITE, Rights.EVENTS)
"""What a server key can be given, the most first."""

SERVER_KEYS = frozenset({KeyKind.SERVER})
"""The kinds that `/api/*` takes."""
SEGMENT_KEYS = frozenset({KeyKind.SERVER, KeyKind.WRITE, KeyKind.BROWSER})
"""The kinds that `/v1/*` takes."""
APP_KEYS = frozenset({KeyKind.APP})
"""The kinds that the SDK's end points take."""


class AccountContext(msgspec.Struct, frozen=True):
    """The account of a request: nothing of another account is ever reached through it."""

    account_id: int
    org_id: int
    name: str
    user_email: str
    settings: AccountSettings
    version: int
    """Another number when name, address or settings are others: the key of what is cached."""


class Caller(msgspec.Struct, frozen=True):
    """Whose key a request carries."""

    account: AccountContext
    key_id: int
    kind: KeyKind
    rights: Rights
    app_id: str | None = None
    """Of an `app` key: whose SDK it belongs to; tokens are registered under it."""
    trusted: bool = False
    """An `app` key of a trusted app: its calls are keyed calls (decisions D36)."""


class ApiKey(msgspec.Struct, frozen=True):
    """A key as lists show it; its text is shown once, when it is made, and never stored."""

    key_id: int
    kind: KeyKind
    rights: Rights
    description: str
    prefix: str
    enabled: bool
    created_at: datetime
    last_used_at: datetime | None
    app_id: str | None = None


class NewKey(msgspec.Struct, frozen=True):
    """A key that was just made, with the text that nobody can be shown again."""

    text: str
    key: ApiKey


class AppKind(StrEnum):
    """What an application's tokens are. Stored in `app.kind`."""

    MOBILE = "mobile"
    WEB = "web"
    TELEGRAM = "telegram"


class App(msgspec.Struct, frozen=True):
    """An application that tokens are registered under."""

    app_id: str
    name: str
    kind: AppKind
    trusted: bool
    created_at: datetime
    keys: int = 0
    """How many access keys it has."""


class NewApp(msgspec.Struct, frozen=True):
    """An application that was just made, with its first access key if its kind has one."""

    app: App
    key: NewKey | None


class ContactToken(msgspec.Struct, frozen=True):
    """Whom a contact token speaks for."""

    account_id: int
    contact_id: int
