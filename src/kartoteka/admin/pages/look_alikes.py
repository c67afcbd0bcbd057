"""The search for look-alikes: asked for by hand, and how far it is."""

from __future__ import annotations

import msgspec

from kartoteka.access.users import Role
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page
from kartoteka.contacts.duplicate_search import Search, Searches

PATH = "/admin/duplicates/search"


class Progress(msgspec.Struct, frozen=True):
    """What the page of duplicates says about the search."""

    search: Search
    percent: int
    """Of the whole: reading is one half, comparing the other."""

    @property
    def is_live(self) -> bool:
        return self.search.state in ("waiting", "running")


async def progress_of(request: Request) -> Progress:
    """The last search of the account, or the one that waits or runs."""
    search = await _searches(request).state(request.account_id)
    return Progress(search, percent_of(search))


def percent_of(search: Search) -> int:
    """How much of a search is done, from 0 to 100."""
    if search.state == "finished":
        return 100
    if search.state != "running" or search.stage not in ("reading", "comparing"):
        return 0
    half = 50 * min(search.done, search.total) // max(search.total, 1)
    return half if search.stage == "reading" else 50 + half


async def look_now(request: Request) -> Reply:
    """POST /admin/duplicates/search: one that waits or runs is not begun again."""
    await _searches(request).ask(request.account_id)
    await request.note("duplicates_search")
    return request.go("/admin/duplicates?by=likeness")


def _searches(request: Request) -> Searches:
    return Searches(request.services.database, request.services.clock)


PAGES = (Page(method="POST", path=PATH, role=Role.MARKETER, handler=look_now),)
