"""Sends what happened: signed, of each contact in order, again until it is received or dead."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import msgspec

from kartoteka.clock import Clock
from kartoteka.db.arrays import pg_array
from kartoteka.db.database import Database
from kartoteka.db.lock import Lock, try_lock
from kartoteka.errors import DatabaseUnavailable, LinkFailed, LinkRefused
from kartoteka.log import logger
from kartoteka.outbound.client import Outbound
from kartoteka.webhooks.model import EVENTS, MOST_ATTEMPTS, State, pause_after
from kartoteka.webhooks.store import QUERIES

LOCK = 86
LOOK_EVERY_S = 1.0
AT_ONCE = 8
ROWS = 200
WITHIN_S = 15.0
DELIVERED_KEPT = timedelta(days=30)
HAPPENINGS_KEPT = timedelta(days=400)
SIGNATURE = "Kartoteka-Signature"
_OTHER = {"contact.merged": "mergedInto", "contact.updated": "unmergedFrom"}
"""How the other contact of an event is called."""


class Hook(msgspec.Struct, frozen=True):
    """One webhook as the sender needs it, and how far it has read."""

    account_id: int
    webhook_id: int
    url: str
    secret: str
    events: list[str]
    segments: list[int]
    read_xid: str
    read_id: int


AtWork: TypeAlias = dict[int, tuple[Hook, asyncio.Task[bool]]]
"""Webhooks that are being told something, by id."""


class Due(msgspec.Struct, frozen=True):
    """One delivery that may be sent now."""

    delivery_id: int
    happening_id: int
    event: str
    at: datetime
    contact_id: int
    segment_id: int | None
    other_id: int | None
    attempts: int
    segment_name: str | None
    external_id: str | None

    def body(self) -> bytes:
        """What is sent: ids, and no other value of the contact. The same at each attempt, unless the
        contact got or lost its External ID meanwhile."""
        said: dict[str, Any] = {
            "id": self.happening_id,
            "event": self.event,
            "at": self.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "contactId": self.contact_id,
            "externalCustomerId": self.external_id,
        }
        if self.segment_id is not None:
            said |= {"segmentId": self.segment_id, "segmentName": self.segment_name}
        if self.other_id is not None:
            said[_OTHER[self.event]] = self.other_id
        return msgspec.json.encode(said)


def signature(secret: str, body: bytes, at: datetime) -> str:
    """`t=<seconds>,v1=<hex>`: HMAC-SHA-256 of `<seconds>.<body>` under the webhook's secret."""
    seconds = int(at.timestamp())
    signed = b"%d." % seconds + body
    return f"t={seconds},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


class Sending:
    """One for each jobs process; one of them works, and another goes on when it ends."""

    def __init__(self, database: Database, outbound: Outbound, clock: Clock) -> None:
        self._database = database
        self._outbound = outbound
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping`; while the database is away, wait for it."""
        while not stopping.is_set():
            try:
                async with try_lock(self._database, LOCK, 0) as lock:
                    if lock is not None:
                        await self._work(lock, stopping)
                await _pause(stopping, 10 * LOOK_EVERY_S)
            except DatabaseUnavailable as error:
                logger.warning("webhooks_wait_for_database", reason=error.message)
                await _pause(stopping, 1)
            except Exception:  # noqa: BLE001  tried again; imports and segments go on meanwhile
                logger.exception("webhooks_failed")
                await _pause(stopping, 10 * LOOK_EVERY_S)

    async def _work(self, lock: Lock, stopping: asyncio.Event) -> None:
        at_work: AtWork = {}
        try:
            while not stopping.is_set():
                await lock.check()
                if not await self._round(at_work, LOOK_EVERY_S):
                    await _pause(stopping, LOOK_EVERY_S)
        finally:  # what is broken off comes again
            for _, task in at_work.values():
                task.cancel()
            await asyncio.gather(*(task for _, task in at_work.values()), return_exceptions=True)

    async def once(self) -> bool:
        """Queue what happened and send what is due; whether there may be more at once."""
        return await self._round({}, None)

    async def _round(self, at_work: AtWork, within_s: float | None) -> bool:
        """The same within that time: a webhook that is slow goes on, and holds up no other."""
        is_more = False
        hooks = [Hook(*row) for row in await self._database.fetch(QUERIES["all_webhooks"])]
        told = {(hook.url, hook.secret) for hook in hooks}
        for hook, task in at_work.values():
            if (hook.url, hook.secret) not in told:  # deleted, switched off, or another address
                task.cancel()
        for hook in hooks:
            if hook.webhook_id not in at_work:
                is_more = bool(await self._queue(hook)) or is_more
                if due := await self._due(hook):
                    task = asyncio.create_task(self._send_due(hook, due))
                    at_work[hook.webhook_id] = hook, task
        if at_work:
            await asyncio.wait([task for _, task in at_work.values()], timeout=within_s)
        for webhook_id, (_, task) in list(at_work.items()):
            if task.done():
                del at_work[webhook_id]
                is_more = (not task.cancelled() and task.result()) or is_more
        return is_more

    async def _queue(self, hook: Hook) -> int:
        row = await self._database.fetch_one(
            QUERIES["queue_happenings"],
            account_id=hook.account_id,
            webhook_id=hook.webhook_id,
            read_xid=hook.read_xid,
            read_id=hook.read_id,
            kinds=pg_array([int(EVENTS[event]) for event in hook.events]),
            events=pg_array(hook.events),
            segments=pg_array(hook.segments),
            now=self._clock.now(),
        )
        return 0 if row is None else int(row[0])

    async def _due(self, hook: Hook) -> list[Due]:
        rows = await self._database.fetch(
            QUERIES["due_deliveries"],
            account_id=hook.account_id,
            webhook_id=hook.webhook_id,
            now=self._clock.now(),
            rows=ROWS,
        )
        return [Due(*row) for row in rows]

    async def _send_due(self, hook: Hook, due: Sequence[Due]) -> bool:
        """Whether somebody is there who receives them."""
        for start in range(0, len(due), AT_ONCE):  # all of different contacts
            part = due[start : start + AT_ONCE]
            outcomes = await asyncio.gather(*(self._send(hook, one) for one in part))
            if not any(outcomes):  # nobody is there: the rest waits for the next look
                return False
        return True

    async def _send(self, hook: Hook, due: Due) -> bool:
        status, error = await self.attempt(hook.url, hook.secret, due.body(), due.delivery_id)
        now = self._clock.now()
        attempts = due.attempts + 1
        is_dead = error is not None and attempts >= MOST_ATTEMPTS
        state = State.DELIVERED if error is None else State.DEAD if is_dead else State.WAITING
        await self._database.execute(
            QUERIES["settle_delivery"],
            account_id=hook.account_id,
            delivery_id=due.delivery_id,
            state=int(state),
            attempts=attempts,
            due=now + pause_after(attempts),
            status=status,
            error=error,
            delivered_at=now if error is None else None,
        )
        return error is None

    async def attempt(
        self, url: str, secret: str, body: bytes, delivery_id: int
    ) -> tuple[int | None, str | None]:
        """(status, why it failed or None). Anything but 2xx is a failure."""
        headers = {
            "Content-Type": "application/json",
            "Kartoteka-Delivery": str(delivery_id),
            SIGNATURE: signature(secret, body, self._clock.now()),
        }
        try:
            answer = await self._outbound.request(
                "POST", url, headers=headers, body=body, max_bytes=1_000, within_s=WITHIN_S
            )
        except (LinkRefused, LinkFailed) as error:
            return None, error.message
        if 200 <= answer.status < 300:
            return answer.status, None
        return answer.status, f"The webhook answers {answer.status}."


async def forget_old(database: Database, clock: Clock, accounts: Sequence[int]) -> None:
    """Delete what is no longer kept, in parts."""
    now = clock.now()
    for account_id in accounts:
        for name, kept in (
            ("forget_deliveries", DELIVERED_KEPT),
            ("forget_happenings", HAPPENINGS_KEPT),
        ):
            while await database.execute(QUERIES[name], account_id=account_id, before=now - kept):
                pass


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return
