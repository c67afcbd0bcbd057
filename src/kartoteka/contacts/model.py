"""Commands of the single-contact methods and what they come to.

The edges build these from requests, `intake` carries them, `actions.py` decides them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from kartoteka.identity.model import Notice, Origin, Resolution
from kartoteka.identity.rules import Person


class Profile(msgspec.Struct, frozen=True, omit_defaults=True):
    """Values for the card, already checked; None leaves the stored one alone (decisions D16)."""

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
    """Custom fields: {"<field id>": canonical text}."""


class ContactInput(msgspec.Struct, frozen=True, omit_defaults=True):
    """A contact out of a request body: whom it names, what it says, what was dropped (D18)."""

    person: Person = Person()
    profile: Profile = Profile()
    warnings: tuple[Notice, ...] = ()


class Repeat(msgspec.Struct, frozen=True):
    """How a repeated request is recognised (decisions D22)."""

    digest: bytes
    """SHA-256 of method, path and body."""
    idempotency_key: str | None = None
    refuse_within_s: int = 0
    """More than 0: setting `refuse_repeats`, the same request again within this time is refused."""


class Command(msgspec.Struct, kw_only=True):
    """One write for one account."""

    new_ids: ClassVar[int] = 1
    """How many ids it may use up: of new cards, and of spans of visitors."""

    origin: Origin
    dry_run: bool = False
    repeat: Repeat | None = None

    @property
    def is_keyed(self) -> bool:
        """Whether somebody with a key of the account said it; else anybody may have (decisions D36)."""
        return True

    def moments(self) -> Sequence[datetime]:
        """When what it writes down happened, if that was not just now."""
        return ()

    def alone_with(self) -> Sequence[Any]:
        """What no two batches may be at, beside the identifiers and contacts that it names."""
        return ()


class AddContact(Command, kw_only=True):
    """POST /api/v1/contact (guide G8)."""

    contact: ContactInput
    manual: bool = False
    """Somebody typed it in on a page (decisions D20)."""


class UpdateContact(Command, kw_only=True):
    """PUT /api/v1/contact/{id} (guide G9). `clear` as in decisions D16: API names of fields."""

    contact_id: int
    contact: ContactInput
    clear: frozenset[str] = frozenset()


class Subscribe(Command, kw_only=True):
    """POST /api/v1/contact/subscribe (guide G11)."""

    contact: ContactInput
    groups: tuple[str, ...] = ()
    subscriptions: tuple[str, ...] = ()
    form_type: str | None = None


class RemoveContact(Command, kw_only=True):
    """DELETE by id or by External ID; `erase` destroys (decisions D25, D29)."""

    contact_id: int | None = None
    external_id: str | None = None
    erase: bool = False


class AppToken(msgspec.Struct, frozen=True):
    """One element of POST /api/v1/apps/{app}/tokens."""

    token: str
    contact_id: int | None
    contact: ContactInput


class AddAppToken(Command, kw_only=True):
    """POST /api/v1/apps/{app}/tokens, one token (wire 3.12): a call is one command a token."""

    app: str
    kind: int
    item: AppToken


class ActivateToken(Command, kw_only=True):
    """PUT /api/v1/contact/token/activated/{app}/{token}."""

    app: str
    token: str
    active: bool


class MuteToken(Command, kw_only=True):
    """POST /api/v1/apps/{app}/token/mute and /unmute; `until` None unmutes."""

    app: str
    token: str
    until: datetime | None


class SetSubscriptions(Command, kw_only=True):
    """PUT /api/v1/contact/{id}/subscriptions: the full set of category keys."""

    contact_id: int
    subscriptions: tuple[str, ...]


class RefuseAddresses(Command, kw_only=True):
    """POST /api/v1/emails/unsubscribed/add and /delete: acts on addresses (wire 3.13)."""

    emails: tuple[str, ...]
    refuse: bool


class AttachContacts(Command, kw_only=True):
    """POST /api/v1/group/{id}/contacts/attach: these contacts join a list (wire 3.14)."""

    segment_id: int
    contact_ids: tuple[int, ...] = ()
    external_ids: tuple[str, ...] = ()


class DetachContacts(Command, kw_only=True):
    """POST /api/v1/group/{id}/contacts/detach: these contacts leave a list (wire 3.14)."""

    segment_id: int
    contact_ids: tuple[int, ...] = ()
    external_ids: tuple[str, ...] = ()


class EmptyList(Command, kw_only=True):
    """A part of detaching everybody: whoever has a contact id from `first` to `last`.

    The one that ends it names nobody; `mark` then tells its own answer from an earlier one's.
    """

    segment_id: int
    first: int = 0
    last: int = -1
    mark: str = ""


class MergeContacts(Command, kw_only=True):
    """POST /api/v1/merges: two contacts are one person, somebody says (decisions D28)."""

    keep: int
    absorb: int

    @property
    def both(self) -> tuple[int, int]:
        return (self.keep, self.absorb)


class UndoMerge(Command, kw_only=True):
    """POST /api/v1/merges/{id}/undo (decisions D28)."""

    merge_id: int


class NotTheSame(Command, kw_only=True):
    """Two contacts are different people, somebody says: no rule merges them from now on."""

    contact_id: int
    other_id: int
    taken_back: bool = False
    """Nobody says so any more."""

    @property
    def both(self) -> tuple[int, int]:
        return (self.contact_id, self.other_id)


class ReleaseValue(Command, kw_only=True):
    """POST /api/v1/quarantine/release: a value names people again (decisions D6)."""

    kind: int
    value: str
    contact_id: int | None = None


class PutOn(Command, kw_only=True):
    """What an order, event, app or `identify` put on the card that it came to: only told again by an
    undo (D28)."""

    contact: ContactInput
    policy: str
    occurred: datetime | None = None
    groups: tuple[str, ...] = ()
    subscriptions: tuple[str, ...] = ()
    """All categories that a trusted app says there are; none: it says nothing of them."""


class Unique(msgspec.Struct, frozen=True):
    """The field by which rows of a bulk call or file name contacts (guide G13, decisions D7).

    `name` is one of `uniques.UNIQUES`; `field_id` goes with `fieldId`.
    """

    name: str
    field_id: int | None = None


class RowRules(msgspec.Struct, frozen=True):
    """What all rows of one bulk call or file have in common (wire 3.9, 11.1)."""

    unique: Unique
    updates_external_id: bool = False
    """The exception of decisions D9: the row may replace the External ID of the contact it names."""
    groups: tuple[str, ...] = ()
    groups_exclude: tuple[str, ...] = ()
    restores: bool = False
    event_key: str | None = None
    """The event of contacts that the row creates (wire 3.9)."""
    only_find: frozenset[int] = frozenset()
    """Kinds of the unique field that `contactFields` does not list: they find and create, and a
    contact that was found otherwise does not get them."""


class ImportRow(Command, kw_only=True):
    """One row of a bulk call or file; `contact` holds only what the row may write."""

    number: int
    """From 1, in the order of the call or file."""
    rules: RowRules
    contact: ContactInput
    value: str | None = None
    """The row's unique value in canonical form: what statement and mapping show."""
    contact_id: int | None = None
    """The contact that the row names where the unique field is `id`."""
    occurred: datetime | None = None
    """When the rows came to us; tokens that others got later stay with them (decisions D12)."""
    clear: frozenset[str] = frozenset()
    """What a known contact loses: names of `clearing.is_clearable` (decisions D16)."""


class Outcome(msgspec.Struct):
    """What one command came to. `resolution.contact_id` is the card's."""

    resolution: Resolution
    new: bool = False
    email_status: str | None = None
    active: bool | None = None
    answer: dict[str, Any] = {}
    said: PutOn | None = None
    """What an undo tells again of it, where that is not the command (D28)."""
