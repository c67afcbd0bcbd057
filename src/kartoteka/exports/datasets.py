"""The data sets: what can be exported, with names and order of columns of wire 10.3 (decisions D33).

A data set is a select of `datasets.sql` whose columns stand in this order. A new column goes to the end
with the next version in `since`: old exports get it by an explicit switch only.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from kartoteka.db.named import load_queries
from kartoteka.exports.errors import InvalidExport

QUERIES = load_queries(__package__, "datasets.sql")

LATEST = 1
"""The version of columns that new exports get. 0 was before `externalCustomerId` (guide G14)."""


class Type(StrEnum):
    """Types of columns, as PostgreSQL spells them."""

    BIGINT = "bigint"
    INTEGER = "integer"
    NUMERIC = "numeric"
    TEXT = "text"
    BOOLEAN = "boolean"
    TIME = "timestamptz"
    JSON = "json"


class Column(msgspec.Struct, frozen=True):
    """One column. `since`: the version of columns that has it first."""

    name: str
    type: Type = Type.TEXT
    since: int = 0
    only_with_removed: bool = False
    """Exists only in exports that keep removed contacts."""


class Scope(msgspec.Struct, frozen=True):
    """Rows that a run replaces: those whose `column` has one of the ids that the query gives."""

    column: str
    query: str


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """One data set; its name is the table's."""

    name: str
    label: str
    columns: tuple[Column, ...]
    scopes: tuple[Scope, ...]
    """Empty: few rows, all written whenever they differ."""
    query: str = ""
    changed_query: str = ""
    """The select of what changed, where it is another than `query`."""
    key: str = ""
    """The column that names a row, where one does."""
    month_of: str = ""
    """The time by which files and partitions are cut."""
    of_activity: bool = False
    """Whether it needs to know whose each owner is now."""

    def columns_of(self, version: int, *, keep_removed: bool) -> tuple[Column, ...]:
        """The columns of an export of that version."""
        return tuple(
            one
            for one in self.columns
            if one.since <= version and (keep_removed or not one.only_with_removed)
        )

    def select(
        self,
        columns: tuple[Column, ...],
        *,
        everything: bool,
        of_month: bool = False,
        for_spreadsheets: bool = False,
    ) -> str:
        """The statement that gives these columns in their order."""
        name = self.query or self.name if everything else self.changed_query or self.name
        wanted = ", ".join(
            _harmless(one) if for_spreadsheets else f'"{one.name}"' for one in columns
        )
        where = ""
        if of_month:
            where = (
                f' where "{self.month_of}" >= %(month)s::timestamptz and "{self.month_of}" '
                "< (%(month)s::timestamptz at time zone 'UTC' + interval '1 month') at time zone 'UTC'"
            )
        return f"select {wanted} from ({QUERIES[name].sql}) as rows{where}"  # noqa: S608  names of ours


def _harmless(column: Column) -> str:
    """A column of text whose values no spreadsheet takes for a formula."""
    name = f'"{column.name}"'
    if column.type not in (Type.TEXT, Type.JSON):
        return name
    text = f"{name}::text"
    formula = f"{text} ~ E'^[=+@\\t\\r-]'"
    return f"case when {formula} then '''' || {text} else {text} end as {name}"


def _big(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, Type.BIGINT) for name in names)


def _texts(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name) for name in names)


def _times(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, Type.TIME) for name in names)


def _numbers(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, Type.NUMERIC) for name in names)


_EXTERNAL_ID = Column("externalCustomerId", since=1)
_CONTACTS = (Scope("contactId", "scope_contacts"),)

DATASETS: tuple[Dataset, ...] = (
    Dataset(
        name="contacts",
        label="Contacts: one row each",
        key="contactId",
        scopes=_CONTACTS,
        columns=(
            *_big("contactId"),
            *_texts("contactSource"),
            *_times("createdDate"),
            *_texts("email", "emailDomain", "emailStatus"),
            _EXTERNAL_ID,
            *_texts("firstName", "languageCode"),
            *_times("lastClickedDate", "lastReceivedDate", "lastSentDate", "lastViewedDate"),
            *_texts("lastName", "sms"),
            Column("totalClicked", Type.INTEGER),
            Column("totalReceived", Type.INTEGER),
            Column("totalSent", Type.INTEGER),
            Column("totalViewed", Type.INTEGER),
            Column("contactStatus", only_with_removed=True),
        ),
    ),
    Dataset(
        name="devices",
        label="Devices and push tokens of contacts",
        scopes=_CONTACTS,
        columns=(
            *_texts("appVersion", "applicationId", "category"),
            *_big("contactId"),
            *_texts("deviceId", "deviceModel"),
            _EXTERNAL_ID,
            *_texts("languageCode", "osType", "osVersion", "pushToken", "timeZone"),
        ),
    ),
    Dataset(
        name="events",
        label="Events and visits of known people",
        key="eventId",
        month_of="occured",
        changed_query="changed_events",
        of_activity=True,
        scopes=(Scope("eventId", "scope_events"), Scope("contactId", "scope_erased")),
        columns=(
            *_big("contactId", "eventId"),
            *_texts("eventTypeKey", "keyValue"),
            *_times("occured"),
            Column("paramsJson", Type.JSON),
        ),
    ),
    Dataset(
        name="orders",
        label="Orders",
        key="orderId",
        of_activity=True,
        scopes=(Scope("orderId", "scope_orders"), Scope("contactId", "scope_erased")),
        columns=(
            *_big("contactId"),
            *_texts("deliveryAddress", "deliveryMethod"),
            *_numbers("discount"),
            *_texts("email", "externalOrderId", "firstName", "lastName"),
            *_times("orderCreatedDate", "orderDate"),
            *_big("orderId"),
            *_texts("paymentMethod", "Phone", "Status"),
            *_numbers("totalCost"),
        ),
    ),
    Dataset(
        name="orderItems",
        label="Items of orders",
        of_activity=True,
        scopes=(Scope("orderId", "scope_orders"),),
        columns=(
            *_numbers("cost"),
            *_texts("description", "externalProductId", "imageUrl", "name"),
            *_times("orderDate"),
            *_big("orderId"),
            *_numbers("quantity"),
            *_texts("url"),
        ),
    ),
    Dataset(
        name="segments",
        label="Segments and lists",
        key="segmentId",
        scopes=(),
        columns=(*_big("segmentId"), *_texts("name", "type"), *_times("createdDate")),
    ),
    Dataset(
        name="segmentMembers",
        label="Who is in which segment",
        scopes=(*_CONTACTS, Scope("segmentId", "scope_segments")),
        columns=(*_big("segmentId", "contactId"), *_times("since")),
    ),
    Dataset(
        name="identifiers",
        label="Every identifier, former External IDs too",
        scopes=_CONTACTS,
        columns=(
            *_big("contactId"),
            *_texts("kind", "value"),
            Column("former", Type.BOOLEAN),
            *_times("since"),
            *_texts("rule"),
        ),
    ),
    Dataset(
        name="customFields",
        label="Values of custom fields",
        scopes=_CONTACTS,
        columns=(*_big("contactId", "fieldId"), *_texts("value")),
    ),
    Dataset(
        name="fieldDefinitions",
        label="Custom fields that are defined",
        key="fieldId",
        scopes=(),
        columns=(*_big("fieldId"), *_texts("listKey", "key", "name", "type")),
    ),
    Dataset(
        name="identityHistory",
        label="Every change of identity and its rule",
        key="historyId",
        scopes=_CONTACTS,
        columns=(
            *_big("historyId", "contactId", "otherContactId"),
            *_times("occurredDate"),
            *_texts("action", "rule", "method", "requestId"),
            Column("identifiersJson", Type.JSON),
        ),
    ),
    Dataset(
        name="redirects",
        label="Retired contact ids and the contact that they lead to",
        key="contactId",
        scopes=(Scope("contactId", "scope_redirects"),),
        columns=_big("contactId", "survivorContactId"),
    ),
)
BY_NAME = {one.name: one for one in DATASETS}

LEFT_OUT = {
    "contactActivities": "what became of messages: Kartoteka sends none",
    "messages": "templates of messages",
    "broadcasts": "campaigns",
    "revenue": "orders ascribed to messages",
}
"""Data sets of the original that belong to the sending of messages."""


def read_datasets(raw: object) -> tuple[str, ...]:
    """The data sets that a body names, in the order of `DATASETS`. Raises `InvalidExport`."""
    if not isinstance(raw, list) or not raw or not all(isinstance(one, str) for one in raw):
        raise InvalidExport(f"datasets must be a list of names: {', '.join(BY_NAME)}.")
    for name in raw:
        if name in LEFT_OUT:
            raise InvalidExport(f"{name} is not exported: {LEFT_OUT[name]}.")
        if name not in BY_NAME:
            raise InvalidExport(f"There is no data set {name!r}; there are {', '.join(BY_NAME)}.")
    return tuple(name for name in BY_NAME if name in raw)
