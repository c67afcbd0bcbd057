"""What the pages stand on; `app.py` builds it once for a server process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from kartoteka.access.accounts import Accounts
from kartoteka.access.key_admin import AccountKeys
from kartoteka.access.keys import KeyRing
from kartoteka.access.model import AccountContext
from kartoteka.access.sessions import Sessions
from kartoteka.access.users import Users
from kartoteka.activity.event_types import EventTypes
from kartoteka.activity.lately import Lately
from kartoteka.activity.orders.reads import Orders
from kartoteka.activity.sites.store import Sites
from kartoteka.activity.timeline import Timelines
from kartoteka.clock import Clock
from kartoteka.contacts.browsing import Browsing
from kartoteka.contacts.definitions import Definitions
from kartoteka.contacts.identity_reads import IdentityReads
from kartoteka.contacts.model import Command, Outcome
from kartoteka.contacts.reads import Cards
from kartoteka.db.database import Database
from kartoteka.exports.store import Exports
from kartoteka.imports.model import FileInfo
from kartoteka.imports.store import Imports
from kartoteka.outbound.client import Outbound
from kartoteka.segments.actions import SegmentActions
from kartoteka.segments.asking import Asking
from kartoteka.segments.store import Segments
from kartoteka.webhooks.store import Webhooks


class Writer(Protocol):
    """The engine, as the pages see it."""

    def submit(self, account: AccountContext, command: Command) -> Awaitable[Outcome]:
        """Carry out one command; back after the commit."""
        ...

    def rehearse_all(
        self, account: AccountContext, commands: Sequence[Command]
    ) -> Awaitable[list[Outcome | Exception]]:
        """What each command would come to, all in one transaction that is rolled back."""
        ...


ReceiveUpload = Callable[
    [Any, dict[bytes, bytes], Path], Awaitable[tuple[FileInfo, dict[str, bytes]]]
]
"""Streams a multipart body's part `file` into a folder; the file and the other parts."""


AddressOf = Callable[[Any, dict[bytes, bytes]], str]
"""Who asks, by scope and headers: a trusted proxy says whom it asks for."""


@dataclass
class Services:
    """One of each, shared by all requests of a process."""

    database: Database
    keyed: Database
    """Connections that look up keys and never scan (`db.database.WRITER_OPTIONS`)."""
    clock: Clock
    engine: Writer
    keys: KeyRing
    accounts: Accounts
    users: Users
    sessions: Sessions
    definitions: Definitions
    cards: Cards
    browsing: Browsing
    identities: IdentityReads
    imports: Imports
    exports: Exports
    segments: Segments
    segment_actions: SegmentActions
    asking: Asking
    timelines: Timelines
    lately: Lately
    orders: Orders
    event_types: EventTypes
    sites: Sites
    webhooks: Webhooks
    outbound: Outbound
    receive_upload: ReceiveUpload
    address_of: AddressOf
    secret_key: str

    def key_admin(self, account_id: int) -> AccountKeys:
        """The API keys of one account."""
        return AccountKeys(self.database, self.clock, account_id)
