"""What is told, to whom, and how often it is tried (docs/segments/webhooks.md)."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import IntEnum

import msgspec

from kartoteka.errors import InvalidRequest, NotFound
from kartoteka.segments.model import Kind

EVENTS = {
    "segment.entered": Kind.ENTERED,
    "segment.left": Kind.LEFT,
    "contact.created": Kind.CREATED,
    "contact.updated": Kind.UPDATED,
    "contact.merged": Kind.MERGED,
    "contact.removed": Kind.REMOVED,
}
MOST_WEBHOOKS = 50
MOST_ATTEMPTS = 20
"""Over half a day; then it is dead, and waits to be replayed."""
_FIRST_PAUSE_S = 5
_LONGEST_PAUSE_S = 3_600


class State(IntEnum):
    """Where a delivery is. Stored in `webhook_delivery.state`."""

    WAITING = 0
    DELIVERED = 1
    DEAD = 2


class Webhook(msgspec.Struct, frozen=True, rename="camel"):
    """Where to tell what. `segments` empty: all of them."""

    id: int
    url: str
    events: list[str]
    segments: list[int]
    enabled: bool
    created_at: datetime
    waiting: int = 0
    dead: int = 0


class Delivery(msgspec.Struct, frozen=True, rename="camel"):
    """One event on its way to one webhook."""

    id: int
    event_id: int
    event: str
    at: datetime
    contact_id: int
    segment_id: int | None
    state: str
    attempts: int
    due: datetime
    status: int | None
    error: str | None
    delivered_at: datetime | None


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts: twice as long each time, up to an hour."""
    seconds = _FIRST_PAUSE_S * 2 ** min(attempts - 1, 20)
    return timedelta(seconds=min(seconds, _LONGEST_PAUSE_S))


class WebhookNotFound(NotFound):
    """Webhook not found: there is none with this id."""


class DeliveryNotFound(NotFound):
    """Delivery not found: there is none with this id, or it is not dead."""


class InvalidWebhook(InvalidRequest):
    """The webhook is not valid."""

    code = "invalid_webhook"
