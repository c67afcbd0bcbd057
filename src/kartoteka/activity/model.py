"""Whose activity is whose: spans of identifiers, sources of events, what is written of one event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum
from typing import Any, ClassVar

import msgspec

from kartoteka.contacts.model import Command, Profile
from kartoteka.identity.model import Notice
from kartoteka.identity.rules import Person

KNOWN = "known_contact"
"""The fact for the key of an External ID: its `KnownContact`."""
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
    CLAIMED = 3
    """Waits for the person whom a claim named before they were a contact: for nobody else (D36)."""


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


class KnownContact(msgspec.Struct, frozen=True):
    """The live contact that an External ID names, nothing merged into it."""

    contact_id: int
    former: bool


class EventType(msgspec.Struct, frozen=True):
    """A type of events: a row of table `event_type`."""

    key: str
    segmentation: bool = False
    """Events of it create the contact that they name and that nobody is (wire 6.3)."""
    segmentation_since: datetime | None = None
    required_params: Sequence[dict[str, Any]] | None = None
    """`[{"name", "required"}]`: an event without a required one is refused (wire 6.2)."""


class EventInput(msgspec.Struct, frozen=True):
    """An event out of a request: what happened, and whom its parameters name."""

    type_key: str
    key_value: str
    params: dict[str, Any]
    person: Person = Person()
    push_token: str | None = None
    """A token of a mobile or a web push, which nobody says (wire 6.3)."""
    contact_id: int | None = None
    profile: Profile = Profile()
    """For a contact that the event creates."""
    warnings: tuple[Notice, ...] = ()


class RecordEvent(Command, kw_only=True):
    """One event of a keyed call (wire 6.1, 6.4; decisions D17)."""

    said_as: ClassVar[str] = "event"

    new_ids: ClassVar[int] = 2
    """A contact or a span, and an order (wire 5.2)."""
    event: EventInput
    source: int = Source.API
    occurred: datetime | None = None
    """None: when it arrived."""
    message: bytes | None = None
    """The digest of its messageId: the same one counts once (D22)."""
    creates: bool | None = None
    """Whether it may create a contact; None: as its type says."""
    needs_segmentation: bool = False
    """Refuse it where the type has segmentation off: an event of the past (wire 6.4)."""
    checks_params: bool = True
    kind: int = Kind.EVENT
    """VISIT: a page or screen that a Segment-style library told of."""

    def moments(self) -> Sequence[datetime]:
        return () if self.occurred is None else (self.occurred,)
