"""What a condition is: where a value comes from, who reads it, and how it says itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter
from typing import Any, Protocol

import msgspec

from kartoteka.contacts.values.custom_fields import FieldDefinition
from kartoteka.db.arrays import pg_array
from kartoteka.errors import InvalidRequest
from kartoteka.identity.model import Card

LISTS = "lists"
ACTIVITY = "activity"
"""What is read beside columns of the card and identifiers (`identifier:<kind code>`)."""


class InvalidCondition(InvalidRequest):
    """The condition of the segment is not valid."""

    code = "invalid_condition"

    def __init__(self, path: str = "condition", reason: str = "is not valid") -> None:
        super().__init__(f"{path} {reason}.", field=path)


class Order(msgspec.Struct, frozen=True):
    """What conditions read of an order."""

    delivered: bool
    cost: Decimal
    at: datetime
    currency: str


class Event(msgspec.Struct, frozen=True):
    """What conditions read of an event or visit."""

    type: str
    at: datetime
    visit: bool = False
    key: str = ""
    params: Mapping[str, str] = {}
    """Texts, numbers as PostgreSQL writes them, true and false; no lists and objects."""


class Subject(msgspec.Struct):
    """One contact and all that conditions read of it; the moment at which it is asked."""

    card: Card
    now: datetime
    identifiers: Sequence[tuple[int, str | None]] = ()
    """(kind code, app) of each."""
    lists: frozenset[int] = frozenset()
    """Static segments it is on."""
    orders: Sequence[Order] = ()
    events: Sequence[Event] = ()


class Sql:
    """Collects the parameters of a fragment; in it the contact is `c`."""

    account = "%(account_id)s::integer"
    now = "%(now)s::timestamptz"

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}

    def param(self, value: Any, cast: str) -> str:
        """A place for that value."""
        name = f"p{len(self.params)}"
        self.params[name] = pg_array(value) if isinstance(value, list) else value
        return f"%({name})s::{cast}"


def owners_sql(sql: Sql) -> str:
    """The owners of what the contact did, as an array: itself, cards merged into it, spans of visitors
    (0014). Few contacts have other cards in them, and only of these the whole way is walked.
    """
    spans = (
        f"array(select w.owner_id from visitor_span w where w.account_id = {sql.account} "
        "and w.contact_id = c.contact_id)"
    )
    walked = f"array(select o.owner_id from owners_of({sql.account}, array[c.contact_id]) o)"
    return f"case when c.merges = 0 then c.contact_id || {spans} else {walked} end"


class Test(Protocol):
    """A condition, or several joined: what a segment is made of."""

    @property
    def reads(self) -> frozenset[str]:
        """Columns of the card, `identifier:<kind>`, LISTS, ACTIVITY: no other change matters."""
        ...

    @property
    def is_timed(self) -> bool:
        """Whether time alone may change the answer."""
        ...

    def holds_for(self, who: Subject) -> bool:
        """Whether it holds, in plain Python; the contact's status is not its business."""
        ...

    def to_sql(self, sql: Sql) -> str:
        """The same as an expression, true or false and never null."""
        ...

    def next_change(self, who: Subject) -> datetime | None:
        """The next moment at which time may change the answer; None: never."""
        ...

    def next_sql(self, sql: Sql) -> list[str]:
        """The same as expressions, the least of which that is not null counts."""
        ...

    def describe(self) -> str:
        """It in words: *External ID is empty*."""
        ...

    def to_json(self, *, resolved: bool = False) -> dict[str, Any]:
        """It in its one spelling; `resolved`: with all that reading it again needs."""
        ...


class ValueType(StrEnum):
    """Which operators a value knows (decisions D32)."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    TAGS = "tags"
    CHOICE = "choice"
    FLAG = "flag"
    MEMBER = "member"


class Source(msgspec.Struct, frozen=True, eq=False):
    """Where the value comes from that an operator looks at."""

    label: str
    type: ValueType
    reads: frozenset[str]
    read: Callable[[Subject], Any]
    """The value, None where there is none."""
    sql: Callable[[Sql], str]
    """The same as an expression, null where there is none."""
    members: Mapping[str, Any] = {}
    """What says in JSON which source it is, beside `field`."""
    stored: Mapping[str, Any] = {}
    """What reading it again needs besides."""
    choices: Mapping[str, Any] = {}
    """CHOICE: the words of JSON and the values they stand for."""
    clean: Callable[[str], str] | None = None
    """How a text that is compared is brought into the stored spelling."""
    also_timed: Callable[[Subject], datetime | None] | None = None
    """The next moment at which the value itself changes by time."""
    also_timed_sql: Callable[[Sql], str] | None = None
    column: str | None = None
    """The column of the card that the value is, as it stands."""

    @property
    def is_looked_up(self) -> bool:
        """Whether SQL has to read other rows for it: then it is worth reading them once."""
        return ACTIVITY in self.reads


class Context(msgspec.Struct, frozen=True):
    """What an account has that conditions may name."""

    fields: Mapping[str, FieldDefinition] = {}
    """Custom fields by id."""
    segments: Mapping[int, tuple[str, dict[str, Any] | None]] = {}
    """Name, and resolved conditions where it is no list."""
    is_stored: bool = False
    """The JSON is a stored one: what it names need not be looked up."""
    zone: str = "UTC"
    """In which the account reads dates without an offset (wire X12)."""


class Place(msgspec.Struct, frozen=True):
    """A JSON object and where in the request it stands, so that errors can say it."""

    path: str
    value: dict[str, Any]
    context: Context

    def wrong(self, reason: str, member: str | None = None) -> InvalidCondition:
        """The error of this place, or of one of its members."""
        return InvalidCondition(self.path if member is None else f"{self.path}.{member}", reason)

    def text(self, member: str, *, most: int = 255) -> str:
        """A member that must be a text. Raises `InvalidCondition`."""
        found = self.value.get(member)
        if not isinstance(found, str) or not found.strip() or len(found) > most:
            raise self.wrong(f"must be a text of 1 to {most} characters", member)
        if "\x00" in found or not _is_utf8(found):
            raise self.wrong("holds a character that cannot be stored", member)
        return found.strip()

    def number(self, member: str, low: int, high: int) -> int:
        """A member that must be a whole number. Raises `InvalidCondition`."""
        found = whole(self.value.get(member))
        if found is None or not low <= found <= high:
            raise self.wrong(f"must be a whole number from {low} to {high}", member)
        return found

    def allow(self, *members: str) -> None:
        """Raises `InvalidCondition` when there are members beyond these."""
        for member in self.value:
            if member not in members:
                known = ", ".join(sorted(members))
                raise self.wrong(f"is not known here; known are {known}", member)


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)


def whole(given: object) -> int | None:
    """A whole number of JSON; also as a text, as clients send ids (wire 1.4.7)."""
    if type(given) is float and given.is_integer():
        return int(given)
    if isinstance(given, str) and given.isascii() and given.isdecimal() and len(given) < 20:
        return int(given)
    return given if type(given) is int else None


class Parameter(msgspec.Struct, frozen=True):
    """A member of the condition's JSON beside `field`, `operator` and `value`."""

    name: str
    meaning: str
    required: bool = False


class Condition(msgspec.Struct, frozen=True, eq=False):
    """One entry of the registry: what a builder offers and what the docs list."""

    key: str
    label: str
    family: str
    source: Callable[[Place], Source]
    """The source that this JSON names. Raises `InvalidCondition`."""
    type: ValueType | None
    """None: depends on what the parameters name."""
    parameters: tuple[Parameter, ...] = ()
    choices: tuple[str, ...] = ()
    example: Mapping[str, Any] = {}
    """A condition as JSON, shown in the docs and checked by a test."""


def column(label: str, name: str, type_: ValueType = ValueType.TEXT, **more: Any) -> Source:
    """A source that is a column of the card."""
    return Source(
        label,
        type_,
        frozenset((name,)),
        attrgetter(f"card.{name}"),
        lambda _: f"c.{name}",
        column=name,
        **more,
    )


def of_column(key: str, family: str, source: Source, example: Mapping[str, Any]) -> Condition:
    """A condition on one column, without parameters."""
    return Condition(
        key,
        source.label,
        family,
        lambda _: source,
        source.type,
        choices=tuple(source.choices),
        example={"field": key, **example},
    )
