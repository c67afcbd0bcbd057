"""What the end points stand on; `app.py` builds it once for a server process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from kartoteka import __version__
from kartoteka.access.account_settings import AccountSettings
from kartoteka.access.accounts import Accounts
from kartoteka.access.keys import KeyRing
from kartoteka.access.model import AccountContext
from kartoteka.access.tokens import Tokens
from kartoteka.api.limits import RateLimits
from kartoteka.api.metrics import Metrics
from kartoteka.clock import Clock
from kartoteka.contacts.definitions import Definitions
from kartoteka.contacts.model import Command, Outcome
from kartoteka.db.database import Database
from kartoteka.identity.kinds import Region
from kartoteka.identity.model import Settings
from kartoteka.identity.never import parse_never_identifiers


class Writer(Protocol):
    """The engine, as the edge sees it."""

    def submit(self, account_id: int, settings: Settings, command: Command) -> Awaitable[Outcome]:
        """Carry out one command; back after the commit."""
        ...


@dataclass
class Services:
    """One of each, shared by all requests of a process."""

    database: Database
    clock: Clock
    engine: Writer
    keys: KeyRing
    accounts: Accounts
    tokens: Tokens
    definitions: Definitions
    is_ready: Callable[[], Awaitable[bool]] | None = None
    """Whether the process may serve; None: as soon as the database answers."""
    limits: RateLimits = field(default_factory=RateLimits)
    metrics: Metrics = field(default_factory=lambda: Metrics(__version__))
    version: str = __version__

    _rules: dict[int, tuple[int, Settings]] = field(default_factory=dict)

    def submit(self, account: AccountContext, command: Command) -> Awaitable[Outcome]:
        """Carry out one command by the account's rules; back after the commit."""
        return self.engine.submit(account.account_id, self._settings(account), command)

    def _settings(self, account: AccountContext) -> Settings:
        """What the identity rules read of the account's settings, made once for each version."""
        known = self._rules.get(account.account_id)
        if known is None or known[0] != account.version:
            known = (account.version, _identity_settings(account.settings))
            self._rules[account.account_id] = known
        return known[1]

    async def ready(self) -> bool:
        """Whether the server can answer requests now."""
        if self.is_ready is not None and not await self.is_ready():
            return False
        return await self.database.is_ready()


def _identity_settings(chosen: AccountSettings) -> Settings:
    return Settings(
        absorb=chosen.absorb,
        phone_is_personal=chosen.phone_is_personal,
        keep_former_ids=chosen.keep_former_ids,
        never=parse_never_identifiers(chosen.never_identifiers, Region(chosen.region))
        if chosen.never_identifiers
        else None,
    )
