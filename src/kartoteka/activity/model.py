"""Whose activity is whose: spans of identifiers, sources of events, what is written of one event."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import Any

import msgspec

NOBODY = 0
"""The owner of what nobody can ever be found for: an event that named an unknown e-mail only."""


class Kind(IntEnum):
    """What a row of table `event` is. Stored in `event.kind`."""

    EVENT = 0
    VISIT = 1


class Source(IntEnum):
    """Where an event came from. Stored in `event.source`; append only."""

    CONTACT = 0
    """A contact method caused it: subscribe, an import."""
    API = 1
    WEB = 2
    SDK = 3
    SEGMENT = 4
    ORDER = 5
    PAST = 6


class SpanState(IntEnum):
    """Who may still get a span. Stored in `visitor_span.state`."""

    OPEN = 0
    """Nobody's yet: the first contact that gets the identifier takes it."""
    LINKED = 1
    NOBODYS = 2
    """Between a logout and the next link, or waited for too long: for ever nobody's (D37)."""


class Span(msgspec.Struct, frozen=True):
    """A stretch of time in which an identifier belonged to one contact, or to nobody."""

    since: datetime | None
    """None: from the beginning."""
    owner_id: int
    contact_id: int | None
    state: int
    created_at: datetime
    events: int = 0
    """How many while it is nobody's: what D37's cap counts."""


class Happened(msgspec.Struct, frozen=True):
    """One event or visit as it is written; `via` is the key of what found its owner (undo, D28)."""

    owner_id: int
    kind: int
    source: int
    type_key: str
    key_value: str
    occurred: datetime
    received: datetime
    via: tuple[int, str] | None
    params: dict[str, Any]
