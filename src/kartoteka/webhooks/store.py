"""Webhooks of accounts: made, changed, deleted; their deliveries read and replayed."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from kartoteka.clock import Clock
from kartoteka.db.arrays import pg_array
from kartoteka.db.database import Database
from kartoteka.db.named import load_queries
from kartoteka.db.transaction import Transaction
from kartoteka.errors import LinkRefused
from kartoteka.outbound.addresses import Address, is_open
from kartoteka.outbound.connecting import Resolver, look_up
from kartoteka.outbound.links import read_link
from kartoteka.segments.defining import change_definitions
from kartoteka.webhooks.model import (
    EVENTS,
    MOST_WEBHOOKS,
    Delivery,
    DeliveryNotFound,
    InvalidWebhook,
    State,
    Webhook,
    WebhookNotFound,
)

QUERIES = load_queries(__package__)
MAX_URL_CHARS = 2_000
LOOK_UP_S = 3.0


class Webhooks:
    """The webhooks of all accounts."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        allow_private: bool,
        resolve: Resolver = look_up,
    ) -> None:
        self._database = database
        self._resolve = resolve
        self._clock = clock
        self._allow_private = allow_private

    async def add(self, account_id: int, body: Mapping[str, Any]) -> tuple[int, str]:
        """(its id, its secret, which nobody is shown again).

        Raises `InvalidWebhook` and `LinkRefused`.
        """
        url = await self._url(body.get("url"))
        events = _events(body.get("events"))
        segments = await self._segments(account_id, body.get("segments") or [])
        secret = f"whsec_{secrets.token_urlsafe(32)}"

        async def work(tx: Transaction) -> int:
            account = {"account_id": account_id}
            ((many,),) = (await tx.run((QUERIES["count_webhooks"], account)))[0]
            if many >= MOST_WEBHOOKS:
                raise InvalidWebhook(f"An account has at most {MOST_WEBHOOKS} webhooks.")
            params = {
                **account,
                "url": url,
                "secret": secret,
                "events": pg_array(events),
                "segments": pg_array(segments),
                "at": self._clock.now(),
            }
            ((webhook_id,),) = (await tx.run((QUERIES["add_webhook"], params)))[0]
            return int(webhook_id)

        return await change_definitions(self._database, account_id, work), secret

    async def change(self, account_id: int, webhook_id: int, body: Mapping[str, Any]) -> None:
        """Change what is given. Raises what `add` raises and `WebhookNotFound`."""
        enabled = body.get("enabled")
        if enabled is not None and not isinstance(enabled, bool):
            raise InvalidWebhook("enabled must be true or false.")
        given = {name: body.get(name) for name in ("url", "events", "segments")}
        told = (await self.find(account_id, webhook_id)).segments
        params = {
            "account_id": account_id,
            "webhook_id": webhook_id,
            "enabled": enabled,
            "url": None if given["url"] is None else await self._url(given["url"]),
            "events": None if given["events"] is None else pg_array(_events(given["events"])),
            "segments": (
                None
                if given["segments"] is None
                else pg_array(await self._segments(account_id, given["segments"], told))
            ),
        }

        async def work(tx: Transaction) -> None:
            if not (await tx.run((QUERIES["change_webhook"], params)))[0]:
                raise WebhookNotFound

        await change_definitions(self._database, account_id, work)

    async def delete(self, account_id: int, webhook_id: int) -> None:
        """Delete it with all that is on its way. Raises `WebhookNotFound`."""
        params = {"account_id": account_id, "webhook_id": webhook_id}

        async def work(tx: Transaction) -> None:
            if not (await tx.run((QUERIES["delete_webhook"], params)))[0]:
                raise WebhookNotFound

        await change_definitions(self._database, account_id, work)
        await self._database.execute(QUERIES["delete_deliveries"], **params)

    async def all(self, account_id: int) -> list[Webhook]:
        """All of an account, by id."""
        rows = await self._database.fetch(
            QUERIES["webhooks"], account_id=account_id, webhook_id=None
        )
        return [Webhook(*row) for row in rows]

    async def find(self, account_id: int, webhook_id: int) -> Webhook:
        """One of them. Raises `WebhookNotFound`."""
        row = await self._database.fetch_one(
            QUERIES["webhooks"], account_id=account_id, webhook_id=webhook_id
        )
        if row is None:
            raise WebhookNotFound
        return Webhook(*row)

    async def deliveries(
        self, account_id: int, webhook_id: int, state: State | None, skip: int, rows: int
    ) -> tuple[list[Delivery], int]:
        """(one page, the latest first, how many there are). Raises `WebhookNotFound`."""
        await self.find(account_id, webhook_id)
        asked = {"account_id": account_id, "webhook_id": webhook_id, "state": state}
        found = await self._database.fetch(QUERIES["deliveries"], **asked, skip=skip, rows=rows)
        if not found and skip:
            first = await self._database.fetch(QUERIES["deliveries"], **asked, skip=0, rows=1)
            return [], first[0][-1] if first else 0
        page = [Delivery(*(*row[:6], State(row[6]).name.lower(), *row[7:12])) for row in found]
        return page, found[0][-1] if found else 0

    async def replay(self, account_id: int, webhook_id: int, delivery_id: int | None = None) -> int:
        """Try a dead delivery again, or all that are dead; how many.

        Raises `WebhookNotFound`, and `DeliveryNotFound` for one that is not dead.
        """
        await self.find(account_id, webhook_id)
        replayed = await self._database.execute(
            QUERIES["replay_delivery"],
            account_id=account_id,
            webhook_id=webhook_id,
            delivery_id=delivery_id,
            now=self._clock.now(),
        )
        if delivery_id is not None and not replayed:
            raise DeliveryNotFound
        return replayed

    async def _url(self, given: object) -> str:
        """A link that may be called. What its name means may change: it is checked again when it is."""
        if not isinstance(given, str) or not given.strip() or len(given) > MAX_URL_CHARS:
            raise InvalidWebhook("url must be an http or https address.")
        link = read_link(given.strip())
        found = await self._addresses(link.host)
        if not all(is_open(one, allow_private=self._allow_private) for one in found):
            raise LinkRefused("The url leads into a network that is not public.")
        return given.strip()

    async def _addresses(self, host: str) -> list[Address]:
        """Of a name that nobody knows at this moment: none."""
        try:
            return [ip_address(host.strip("[]"))]
        except ValueError:
            pass
        try:
            async with asyncio.timeout(LOOK_UP_S):
                return [ip_address(one.partition("%")[0]) for one in await self._resolve(host)]
        except (OSError, TimeoutError):
            return []

    async def _segments(
        self, account_id: int, given: object, known: Sequence[int] = ()
    ) -> list[int]:
        """Segments with conditions, which contacts enter and leave; `known` are named already."""
        wanted = _segment_ids(given)
        rows = await self._database.fetch(
            QUERIES["segments_with_conditions"], account_id=account_id, ids=pg_array(wanted)
        )
        found = {segment_id for (segment_id,) in rows}
        for one in wanted:
            if one not in found and one not in known:
                raise InvalidWebhook(
                    f"segments names {one}, which is no segment with conditions (nobody enters or "
                    "leaves a list by itself)."
                )
        return wanted


def _events(given: object) -> list[str]:
    if given is None:
        return list(EVENTS)
    if not isinstance(given, list) or not given or any(one not in EVENTS for one in given):
        raise InvalidWebhook(f"events must be a list of {', '.join(EVENTS)}.")
    return list(dict.fromkeys(given))


def _segment_ids(given: object) -> list[int]:
    if not isinstance(given, list) or len(given) > 1_000:
        raise InvalidWebhook("segments must be a list of segment ids; empty: all.")
    if not all(type(one) is int and 0 < one < 2**31 for one in given):
        raise InvalidWebhook("segments must be a list of segment ids; empty: all.")
    return list(dict.fromkeys(given))
