"""What the end points stand on; `app.py` builds it once for a server process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from kartoteka import __version__
from kartoteka.access.accounts import Accounts
from kartoteka.access.keys import KeyRing
from kartoteka.access.model import AccountContext
from kartoteka.access.tokens import Tokens
from kartoteka.activity.event_types import EventTypes
from kartoteka.activity.orders.reads import Orders
from kartoteka.activity.sites.store import Sites
from kartoteka.activity.timeline import Timelines
from kartoteka.activity.visitors.signing import ClaimSigner
from kartoteka.api.discretion import Discretion
from kartoteka.api.limits import PublicLimits, RateLimits
from kartoteka.api.metrics import Metrics
from kartoteka.clock import Clock
from kartoteka.contacts.definitions import Definitions
from kartoteka.contacts.identity_reads import IdentityReads
from kartoteka.contacts.model import Command, Outcome
from kartoteka.contacts.reads import Cards
from kartoteka.db.database import Database
from kartoteka.exports.store import Exports
from kartoteka.identity.hashed import Digest
from kartoteka.imports.store import Imports
from kartoteka.outbound.client import Outbound
from kartoteka.segments.actions import SegmentActions
from kartoteka.segments.asking import Asking
from kartoteka.segments.store import Segments
from kartoteka.webhooks.store import Webhooks


class Writer(Protocol):
    """The engine, as the edge sees it."""

    def submit(self, account: AccountContext, command: Command) -> Awaitable[Outcome]:
        """Carry out one command; back after the commit."""
        ...

    def enqueue(self, account: AccountContext, command: Command) -> Awaitable[Outcome]:
        """The same for one that is no dry run; it stands in line when this is back."""
        ...

    def rehearse_all(
        self, account: AccountContext, commands: Sequence[Command]
    ) -> Awaitable[list[Outcome | Exception]]:
        """What each command would come to, all in one transaction that is rolled back."""
        ...

    def close(self) -> Awaitable[None]:
        """Back when everything that was submitted is answered."""
        ...


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
    tokens: Tokens
    definitions: Definitions
    cards: Cards
    identities: IdentityReads
    imports: Imports
    exports: Exports
    segments: Segments
    segment_actions: SegmentActions
    asking: Asking
    webhooks: Webhooks
    event_types: EventTypes
    timelines: Timelines
    orders: Orders
    outbound: Outbound
    sites: Sites
    signer: ClaimSigner
    digest: Digest
    is_ready: Callable[[], Awaitable[bool]] | None = None
    """Whether the process may serve; None: as soon as the database answers."""
    limits: RateLimits = field(default_factory=RateLimits)
    public_limits: PublicLimits = field(default_factory=PublicLimits)
    discretion: Discretion = field(default_factory=Discretion)
    trusted_proxies: tuple[str, ...] = ()
    metrics: Metrics = field(default_factory=lambda: Metrics(__version__))
    version: str = __version__

    async def ready(self) -> bool:
        """Whether the server can answer requests now."""
        if self.is_ready is not None and not await self.is_ready():
            return False
        return await self.database.is_ready()
