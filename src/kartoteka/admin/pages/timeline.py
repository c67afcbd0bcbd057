"""What a contact did and what was decided about it, in one line of time, newest first."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from kartoteka.access.users import Role
from kartoteka.activity.orders.model import OrderStatus
from kartoteka.activity.timeline import TYPES, Item, read_before
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page
from kartoteka.contacts.browsing import ShownCard
from kartoteka.contacts.identity_reads import HistoryRow

ROWS = 30
HISTORY = 300
FILTERS = ("", "event", "visit", "order", "identity")


class Entry(msgspec.Struct, frozen=True):
    """One line: something that the contact did, or a decision about its identity."""

    at: datetime
    item: Item | None = None
    row: HistoryRow | None = None

    @property
    def status(self) -> str:
        """Of an order: where it is."""
        assert self.item is not None
        return OrderStatus(self.item.params.get("status", 0)).name


class Entries(msgspec.Struct, frozen=True):
    """One page of the line."""

    entries: list[Entry]
    next: str
    """The cursor of the page behind; blank: there is none."""
    who: dict[str, str]


async def entries_of(request: Request, contact_id: int, kind: str, before: str) -> Entries:
    """One page of what is asked for, from a cursor on."""
    services, account_id = request.services, request.account_id
    start = read_before(before, request.at)
    items: list[Item] = []
    types = frozenset(TYPES if not kind else (kind,)) & frozenset(TYPES)
    if types:
        items = await services.timelines.page(account_id, contact_id, start, ROWS, types)
    is_more = len(items) == ROWS
    rows: list[HistoryRow] = []
    if kind in ("", "identity"):
        rows = await _history(request, contact_id, start.at)
        if is_more:  # the rest of the decisions goes with the pages behind
            rows = [row for row in rows if row.at >= items[-1].occurred]
    entries = [Entry(item.occurred, item=item) for item in items]
    entries += [Entry(row.at, row=row) for row in rows]
    entries.sort(key=lambda one: one.at, reverse=True)
    who = await services.users.who_did(account_id, [row.request_id for row in rows])
    return Entries(entries, items[-1].cursor if is_more else "", who)


async def _history(request: Request, contact_id: int, before: datetime) -> list[HistoryRow]:
    found = await request.services.identities.identity(
        request.account_id, contact_id, skip=0, rows=HISTORY
    )
    return [row for row in found.history if row.at < before]


def read_kind(request: Request) -> str:
    """Which filter is chosen."""
    kind = request.query.one("show")
    return kind if kind in FILTERS else ""


async def timeline_of(request: Request, card: ShownCard) -> dict[str, Any]:
    """What the card's page shows of it."""
    kind = read_kind(request)
    page = await entries_of(request, card.contact_id, kind, request.query.one("before"))
    totals = await request.services.orders.totals(request.account_id, card.contact_id)
    return {"timeline": page, "show": kind, "filters": FILTERS, "totals": totals}


async def more(request: Request) -> Reply:
    """GET /admin/contacts/{id}/timeline: the page behind, for who scrolls."""
    card = await request.services.browsing.card(request.account_id, request.id())
    return request.render("timeline_more.html", card=card, **await timeline_of(request, card))


PAGES = (Page(method="GET", path="/admin/contacts/{id}/timeline", role=Role.READER, handler=more),)
