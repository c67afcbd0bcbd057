"""Identifiers, cards and what a writer may do: the types that every rule is written in."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import Any, NewType

import msgspec

from kartoteka.identity.kinds.key import value_key

AccountId = NewType("AccountId", int)
ContactId = NewType("ContactId", int)

Key = tuple[int, str]
"""(kind code, value key): what one look-up asks for.

A kind of 0 or less is no identifier but a field that a bulk call may name contacts by (guide G13):
0 is the contact key, -12 custom field 12.
"""

QUARANTINED = ContactId(0)
"""The owner of a value that stands on too many people (decisions D6)."""


_set = msgspec.structs.force_setattr


class Status(IntEnum):
    """Where a card is in its life. Stored in `contact.status`."""

    LIVE = 0
    REMOVED = 1
    MERGED = 2
    ERASED = 3


class Consent(IntEnum):
    """State of a channel or category, the more restrictive the greater (decisions D14)."""

    SUBSCRIBED = 1
    UNCONFIRMED = 2
    UNSUBSCRIBED = 3
    SPAM = 4
    BLACKLISTED = 5


class Identifier(msgspec.Struct, frozen=True, omit_defaults=True):
    """One identifier that a request brings, already normalised."""

    kind: int
    value: str
    app: str | None = None
    device: str | None = None
    attributes: dict[str, Any] | None = None
    key: Key = (0, "")
    """What it is looked up by: worked out once, asked for often."""

    def __post_init__(self) -> None:
        if not self.key[0]:  # one that was stored has it
            _set(self, "key", (self.kind, value_key(self.value)))


class Held(msgspec.Struct):
    """One identifier as it stands on a card: a row of table `identifier`, in its column order."""

    kind: int
    value_key: str
    ordinal: int
    contact_id: int
    long_value: str | None
    former: bool
    since: datetime
    rule: str
    app: str | None = None
    device: str | None = None
    attributes: dict[str, Any] | None = None
    senders: list[int] | None = None
    home: int | None = None
    """The merged card that it goes back to when the merge is undone; None: it stays (D28)."""

    @property
    def value(self) -> str:
        return self.value_key if self.long_value is None else self.long_value

    @property
    def key(self) -> Key:
        return (self.kind, self.value_key)

    @property
    def row_key(self) -> tuple[int, str, int]:
        return (self.kind, self.value_key, self.ordinal)


TEXTS = (
    "first_name",
    "last_name",
    "contact_key",
    "language_code",
    "time_zone",
    "region",
    "town",
    "address",
    "postcode",
)
"""What a card says of a person in words of its own, by attribute; no identifiers."""


class Card(msgspec.Struct):
    """One contact: a row of table `contact`, in its column order.

    `fields`, `consent` and `proof` are replaced, never changed in place: the difference to what was
    loaded is found by comparison.
    """

    contact_id: int
    status: int = Status.LIVE
    external_id: str | None = None
    former_ids: int = 0
    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    contact_key: str | None = None
    language_code: str | None = None
    time_zone: str | None = None
    region: str | None = None
    town: str | None = None
    address: str | None = None
    postcode: str | None = None
    fields: dict[str, str] = {}
    consent: dict[str, int] = {}
    source: str = "API"
    keyed: bool = True
    created_at: datetime | None = None
    updated_at: datetime | None = None
    removed_at: datetime | None = None
    merged_into: int | None = None
    merges: int = 0
    """How many cards it holds besides itself, through all merges that are not undone."""
    last_word: int | None = None
    """Digest of what a request said to it last while it holds others (`identity/sides.py`)."""
    proof: list[list[Any]] = []
    """Which request said each value (`identity/proof.py`)."""

    @property
    def has_external_id(self) -> bool:
        """Former External IDs count (decisions D11)."""
        return self.external_id is not None or self.former_ids > 0


class Origin(msgspec.Struct, frozen=True):
    """Which request changed something: kept in every row of the identity history (decisions D26)."""

    at: datetime
    request_id: str
    key_id: int
    method: str


class Word(msgspec.Struct, frozen=True):
    """What one request said to a merged card: kept in the history, told again by an undo (D28)."""

    side: int
    """The contact whose identifier carried it; 0: all who have the address."""
    command: str
    body: dict[str, Any]
    """The command without its origin."""
    rule: str | None = None
    """By which it found the card."""
    refusals: list[tuple[int, str, int]] = []
    """What its addresses refused by themselves: (kind, value key, state)."""
    had: list[Held] = []
    """Tokens, devices and cookies that it spoke of and that were there already: they may have come by
    another's word, with a device or by a claim."""


class Merge(msgspec.Struct):
    """All that undoing a merge needs of the history (decisions D28)."""

    merge_id: int
    survivor_id: int
    absorbed_id: int
    snapshot: dict[str, Any] | None
    """What `history.snapshots_of` was given; None: the person was erased."""
    undone: bool
    later: list[int] = []
    """Merges that the survivor took part in since and that stand."""
    absorbed: list[int] = []
    """The absorbed card and those that had been merged into it."""
    words: list[tuple[int, datetime, str, int, str, Any]] = []
    """What was said since: (history id, at, request id, key id, method, word), in order; no word where
    it was destroyed with somebody who was erased."""
    lost: list[tuple[int, datetime, str, list[dict[str, str]]]] = []
    """(history id, at, rule, identifiers) that left the survivor by themselves since."""


class Notice(msgspec.Struct, frozen=True):
    """A warning in `resolution.warnings`: what was dropped, ignored or kept, never a value."""

    code: str
    message: str
    field: str | None = None


class Moved(msgspec.Struct, frozen=True, rename="camel"):
    """An identifier that left another card for this one."""

    kind: str
    value: str
    from_contact_id: int


class Resolution(msgspec.Struct, rename="camel"):
    """What a request came to, and by which rule (decisions D30)."""

    contact_id: int | None = None
    outcome: str = "unchanged"
    matched_by: str | None = None
    rule: str | None = None
    moved: list[Moved] = []
    absorbed: list[int] = []
    warnings: list[Notice] = []


class Settings(msgspec.Struct, frozen=True):
    """The settings of an account that the identity rules read (marked *(setting)* in decisions)."""

    absorb: str = "contained"
    phone_is_personal: bool = False
    keep_former_ids: bool = True
    never: Any = None
    """`identity.never.NeverIdentifiers` of the account, or None."""
    visits_per_cookie: int = 10_000
    currency: str = "UAH"
    """Of an order that names none (D18)."""
    time_zone: str = "UTC"
    """Of a date without an offset, where the contact's is not known (wire X12)."""


class Policy(msgspec.Struct, frozen=True):
    """What one method may do with the card it finds; `identity/policies.py` lists them all."""

    name: str
    order: tuple[int, ...]
    """Kinds after the External ID, in the order of decisions D7."""
    source: str
    creates_by: frozenset[int]
    """Kinds of which one is enough to create a contact (D10)."""
    order_if_anonymous: tuple[int, ...] = ()
    """Kinds after those when the request names no lasting identifier, so that it finds again what
    it created (D10, D22)."""
    restores: bool = True
    replaces: bool = True
    """E-mail and phone replace the stored ones (D17)."""
    fills: bool = True
    """A missing e-mail or phone is added to a found card (D17)."""
    phone_alone_suffices: bool = False
    """Subscribe replaces nothing, so it takes a card found only by phone (D10a)."""
    absorbs: bool = True
    absorbs_lasting: bool = True
    """A card with lasting identifiers too (D13: orders and events take only anonymous ones)."""
    takes_from_known: bool = True
    """Tokens, devices and cookies move away from contacts with an External ID too (D12)."""
    writes_profile: bool = True
    sets_external_id: bool = True
    """A found card without one gets the request's External ID (D9)."""
    lifts_suppression: bool = False
