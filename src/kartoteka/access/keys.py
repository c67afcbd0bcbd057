"""API keys: who is calling, and may they do that?"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from kartoteka.access import store
from kartoteka.access.model import SERVER_KEYS, Caller, KeyKind, Rights
from kartoteka.access.secret_texts import basic_password, digest_of
from kartoteka.access.store import QUERIES, FoundKey
from kartoteka.clock import Clock
from kartoteka.db.database import Database
from kartoteka.errors import Forbidden, KartotekaError, Unauthorised

CACHE_S = 1.0
MAX_CACHED = 10_000
MAX_HEADER_CHARS = 4_096
USE_NOTED_EVERY = timedelta(minutes=1)
UNUSED_AFTER = timedelta(days=90)


def require(caller: Caller, right: Rights) -> None:
    """Nothing, if the caller has that right. Raises `Forbidden`, naming what is needed (D21)."""
    if caller.rights < right:
        raise Forbidden(
            f'This needs a key with the right "{right.label}"; yours has "{caller.rights.label}".'
        )


class KeyRing:
    """Knows who calls, from what the request carries.

    What it found is believed for a second: so long a disabled key may go on working.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        region: str = "UA",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`region` is KARTOTEKA_REGION: what an account has that chose none."""
        self._database = database
        self._clock = clock
        self._region = region
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, Caller]] = {}
        self._asked: dict[str, asyncio.Task[Caller]] = {}
        self._notes: set[asyncio.Task[None]] = set()

    async def authenticate(
        self, authorization: str | None, kinds: frozenset[KeyKind] = SERVER_KEYS
    ) -> Caller:
        """Whose key that Authorization header carries: Basic, or Bearer for event methods.

        Raises `Unauthorised` when it is absent, malformed, unknown, disabled or of an unknown
        scheme, `Forbidden` when the key is of another kind than `kinds`.
        """
        if authorization is None:
            raise Unauthorised
        known = self._known.get(authorization)
        if known is not None and known[0] > self._monotonic():
            caller = known[1]
        else:
            caller = await self._ask(authorization, lambda: self._by_header(authorization))
        return caller if caller.kind in kinds else _refuse_kind(caller, kinds)

    async def identify(self, key: str, kinds: frozenset[KeyKind]) -> Caller:
        """Whose key that is, where a request carries it in another place than Authorization.

        Raises as `authenticate` does.
        """
        memory_key = f"\0{key}"  # no header contains a NUL: never taken for one
        known = self._known.get(memory_key)
        if known is not None and known[0] > self._monotonic():
            caller = known[1]
        else:
            caller = await self._ask(
                memory_key, lambda: self._by_key(key.strip().encode("utf-8", "replace"))
            )
        return caller if caller.kind in kinds else _refuse_kind(caller, kinds)

    def forget(self) -> None:
        """Believe nothing any more: after a change of keys, rights or settings in this process."""
        self._known.clear()

    async def close(self) -> None:
        """Wait until the last uses are noted."""
        await asyncio.gather(*self._notes, return_exceptions=True)

    async def _ask(self, memory_key: str, look_up: Callable[[], Awaitable[Caller]]) -> Caller:
        """One question to the database for all requests that wait for the same answer."""
        if len(memory_key) > MAX_HEADER_CHARS:
            raise Unauthorised
        task = self._asked.get(memory_key)
        if task is None:
            task = asyncio.ensure_future(self._learn(memory_key, look_up))
            self._asked[memory_key] = task
            task.add_done_callback(lambda done: self._answered(memory_key, done))
        return await asyncio.shield(task)  # one caller that hangs up takes nothing from the others

    def _answered(self, memory_key: str, task: asyncio.Task[Caller]) -> None:
        del self._asked[memory_key]
        if not task.cancelled():
            task.exception()  # looked at, in case that everybody who asked has hung up

    async def _learn(self, memory_key: str, look_up: Callable[[], Awaitable[Caller]]) -> Caller:
        until = self._monotonic() + CACHE_S  # from before the look-up: never believed for longer
        caller = await look_up()
        if len(self._known) >= MAX_CACHED:
            self._known.clear()
        self._known[memory_key] = (until, caller)
        return caller

    async def _by_header(self, authorization: str) -> Caller:
        scheme, _, credentials = authorization.strip().partition(" ")
        match scheme.lower():
            case "basic":
                return await self._by_key(basic_password(credentials))
            case "bearer":
                return await self._by_token(credentials.strip())
            case _:
                raise Unauthorised

    async def _by_key(self, key: bytes | None) -> Caller:
        if not key:
            raise Unauthorised
        digest = digest_of(key)
        found = await store.find_key(self._database, digest)
        return (await self._accepted(found, digest)).caller(self._region)

    async def _by_token(self, token: str) -> Caller:
        digest = digest_of(token.encode("utf-8", "replace"))
        found = await store.find_event_token(self._database, digest, self._clock.now())
        accepted = await self._accepted(found, digest)
        return accepted.caller(self._region, Rights.EVENT_TOKEN)

    async def _accepted(self, found: FoundKey | None, digest: bytes) -> FoundKey:
        if found is None or not hmac.compare_digest(found.digest, digest) or not found.enabled:
            raise Unauthorised
        now = self._clock.now()
        strict = found.account(self._region).settings.disable_unused_keys
        if strict and found.used_at <= now - UNUSED_AFTER:
            await self._disable(found)
            raise Unauthorised
        if found.last_used_at is None or found.last_used_at <= now - USE_NOTED_EVERY:
            note = asyncio.ensure_future(self._note_use(found))
            self._notes.add(note)
            note.add_done_callback(self._notes.discard)
        return found

    async def _note_use(self, found: FoundKey) -> None:
        """Beside the request, which does not wait; what is lost here is noted a minute later."""
        now = self._clock.now()
        try:
            await self._database.execute(
                QUERIES["note_key_use"],
                account_id=found.account_id,
                key_id=found.key_id,
                at=now,
                unless_since=now - USE_NOTED_EVERY,
            )
        except KartotekaError:
            return

    async def _disable(self, found: FoundKey) -> None:
        await self._database.execute(
            QUERIES["disable_key"], account_id=found.account_id, key_id=found.key_id
        )


def _refuse_kind(caller: Caller, kinds: frozenset[KeyKind]) -> Caller:
    wanted = " or ".join(sorted(kinds))
    raise Forbidden(f"This needs a {wanted} key; yours is a {caller.kind} key.")
