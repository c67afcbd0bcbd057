"""The first page: how many, since when, what was decided lately; in an empty account what to do."""

from __future__ import annotations

import time
from datetime import date, timedelta
from typing import Any

from kartoteka.access.users import Role
from kartoteka.admin.pictures.curve import Curve, curve
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page
from kartoteka.contacts.browsing import Filter

FEED = 12
FIGURES_S = 30.0
"""How old the figures may be: reading them reads the account."""
_known: dict[int, tuple[float, dict[str, Any]]] = {}


async def home(request: Request) -> Reply:
    """GET /admin: quick; the figures come behind it."""
    services, account_id = request.services, request.account_id
    feed = await services.browsing.feed(account_id, FEED)
    imports, _ = await services.imports.imports_of(account_id, 0, 5)
    return request.render(
        "home.html",
        feed=feed,
        who=await services.users.who_did(account_id, [row.request_id for row in feed]),
        imports=imports,
        is_empty=not feed,
        steps=await _steps(request, bool(feed), bool(imports)),
        address=_address(request),
    )


async def figures(request: Request) -> Reply:
    """GET /admin/figures: the four figures and the curve."""
    return request.render("figures.html", **await _figures(request))


async def _figures(request: Request) -> dict[str, Any]:
    known = _known.get(request.account_id)
    if known is not None and known[0] > time.monotonic():
        return known[1]
    browsing, account_id = request.services.browsing, request.account_id
    live = await browsing.count(account_id, Filter())
    nameless = await browsing.count(account_id, Filter(without_external_id=True))
    by_day = await browsing.created_by_day(account_id)
    today = request.at.date()
    week = sum(n for day, n in by_day if day > today - timedelta(days=7))
    found = {
        "live": live,
        "nameless": nameless,
        "share": 100 * (live - nameless) / live if live else None,
        "week": week,
        "today": sum(n for day, n in by_day if day == today),
        "curve": _curve(by_day, today),
    }
    if len(_known) > 1_000:
        _known.clear()
    _known[account_id] = (time.monotonic() + FIGURES_S, found)
    return found


def _curve(by_day: list[tuple[date, int]], today: date) -> Curve | None:
    """How many there were at the end of each day, of those that are live today."""
    if not by_day:
        return None
    points: list[tuple[date, int]] = []
    total = 0
    first = max(by_day[0][0], today - timedelta(days=365)) - timedelta(days=1)
    total = sum(n for day, n in by_day if day <= first)
    added = dict(by_day)
    day = first
    points.append((day, total))
    while day < today:
        day += timedelta(days=1)
        total += added.get(day, 0)
        points.append((day, total))
    return curve(points)


async def _steps(request: Request, has_contacts: bool, has_imports: bool) -> list[tuple[str, bool]]:
    """(step, done) of the list for an empty account; it ticks itself."""
    keys = await request.services.key_admin(request.account_id).all()
    users = await request.services.users.all(request.account_id)
    used = any(key.last_used_at is not None for key in keys)
    return [
        ("call", used),
        ("contact", has_contacts),
        ("import", has_imports),
        ("users", len(users) > 1),
    ]


def _address(request: Request) -> str:
    """This server as the browser names it, for snippets."""
    host = request.headers.get(b"host", b"localhost").decode("latin-1")
    return f"{'https' if request.is_https else 'http'}://{host}"


PAGES = (
    Page(method="GET", path="/admin", role=Role.READER, handler=home),
    Page(method="GET", path="/admin/figures", role=Role.READER, handler=figures),
)
