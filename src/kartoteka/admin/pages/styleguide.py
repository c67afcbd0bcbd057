"""The design system on one page: every piece, in the theme that is chosen."""

from __future__ import annotations

from datetime import timedelta

from kartoteka.access.users import Role
from kartoteka.admin.pictures.curve import curve
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page
from kartoteka.contacts.identity_reads import HistoryRow
from kartoteka.identity.kinds import KINDS

_EXAMPLES = {
    "external_id": "shop-10482",
    "email": "ann@example.com",
    "phone": "380671234567",
    "mobile_token": "fcm:dQw4w9WgXcQ",
    "web_token": "push:8f3a91",
    "telegram_token": "chat:771200",
    "device": "ios-6E3F",
    "web_cookie": "v-19af03c2",
}


async def styleguide(request: Request) -> Reply:
    """GET /admin/styleguide."""
    today = request.at.date()
    quantities = (120, 180, 260, 300, 420, 610, 640, 700, 880, 930, 1_050, 1_180)
    points = [(today - timedelta(days=11 - index), n) for index, n in enumerate(quantities)]
    rows = [
        HistoryRow(2, request.at, "moved", "newer_request", 88, 1043, "addContact", "a-2", 1,
                   [{"kind": "mobile_token", "value": "fcm:dQw4w9WgXcQ"}]),
        HistoryRow(1, request.at, "created", "new_contact", 1043, None, "addContact", "a-1", 1,
                   [{"kind": "mobile_token", "value": "fcm:dQw4w9WgXcQ"}]),
    ]  # fmt: skip
    return request.render(
        "styleguide.html",
        kinds=[(kind, _EXAMPLES[kind.name]) for kind in KINDS],
        curve=curve(points),
        rows=rows,
    )


PAGES = (Page(method="GET", path="/admin/styleguide", role=Role.READER, handler=styleguide),)
