"""Commands of public callers: what a visitor did, and who it is said to be (decisions D36, D37)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias

import msgspec

from kartoteka.activity.model import Kind
from kartoteka.contacts.model import Command
from kartoteka.identity.kinds import EMAIL, EXTERNAL_ID, PHONE
from kartoteka.identity.model import Identifier
from kartoteka.identity.rules import Person

CLAIM = "claim"
"""The rule that history, identity and timeline name for what a claim linked."""
VISITOR = "visitor"
"""The attribute of a token that says which cookie registered it: that one may take it along."""


class Who(msgspec.Struct, frozen=True):
    """Whom a public call says that its cookie or device is, normalised; all None: nobody."""

    external_id: str | None = None
    email: str | None = None
    phone: str | None = None
    contact_id: int | None = None
    signature: str | None = None

    @classmethod
    def of(cls, person: Person, signature: str | None = None) -> Who:
        """The lasting identifiers of that person."""
        given = (person.external_id, person.email, person.phone)
        external_id, email, phone = (None if one is None else one.value for one in given)
        return cls(external_id, email, phone, signature=signature)

    def is_nobody(self) -> bool:
        return not (self.external_id or self.email or self.phone or self.contact_id)

    def identifiers(self) -> list[Identifier]:
        """The lasting identifiers, in the order of the fields."""
        given = ((EXTERNAL_ID, self.external_id), (EMAIL, self.email), (PHONE, self.phone))
        return [Identifier(kind.code, value) for kind, value in given if value is not None]


class Waiting(msgspec.Struct, frozen=True):
    """A claim that named nobody yet: a row of table `claim`, as value keys."""

    external_key: str | None
    email: str | None
    phone: str | None
    contact_id: int | None
    expires_at: datetime


class Claimed(StrEnum):
    """What a claim came to. Nobody outside is told."""

    LINKED = "linked"
    ALREADY = "already"
    """It was so before, or says nothing new."""
    WAITS = "waits"
    REFUSED = "refused"
    """It contradicts itself, or names several."""


class Visit(msgspec.Struct, frozen=True):
    """One thing that a visitor did."""

    type_key: str
    key_value: str
    occurred: datetime
    params: dict[str, Any]
    message: bytes | None = None
    """SHA-256 of its messageId: the same one counts once."""
    kind: int = Kind.VISIT


class Claim(msgspec.Struct, frozen=True):
    """The visitor is said to be this person from this moment on (decisions D36)."""

    who: Who
    at: datetime


class LogOut(msgspec.Struct, frozen=True):
    """From this moment to the next claim or link the visitor is nobody (decisions D37)."""

    at: datetime


class PushToken(msgspec.Struct, frozen=True):
    """The visitor allowed messages by web push (decisions D10, D36)."""

    token: str
    at: datetime
    attributes: dict[str, Any] = {}


Step: TypeAlias = Visit | Claim | LogOut | PushToken


class Visited(Command, kw_only=True):
    """What one cookie or device did and said, in the order of its messages.

    At most `MOST_TURNS` steps that are no visits: each may begin spans of its own.
    """

    new_ids: ClassVar[int] = 24

    visitor: Identifier
    steps: tuple[Step, ...]
    source: int
    """Of `activity.model.Source`."""

    @property
    def is_keyed(self) -> bool:
        return False

    def moments(self) -> Sequence[datetime]:
        """When its visits were."""
        return [step.occurred for step in self.steps if isinstance(step, Visit)]


MOST_TURNS = 4
