"""The first page: how many, since when, what was decided lately, whether copies are current."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from kartoteka.access.users import Role
from kartoteka.admin import texts
from kartoteka.admin.first_steps import HIDDEN, first_steps
from kartoteka.admin.pictures.curve import Curve, curve
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page
from kartoteka.contacts.browsing import Filter
from kartoteka.exports.model import Export, ExportRun
from kartoteka.segments.drafts import Nameable

FEED = 15
HEALTH = 5
FIGURES_S = 30.0
COSTS_MORE = 60
"""Figures are kept so many times as long as it took to read them: an account of millions waits for
new ones, and its database is not busy with them all day."""
_LEAF = {"field": "externalCustomerId", "operator": "is_empty"}
_known: dict[int, tuple[float, dict[str, Any]]] = {}


async def home(request: Request) -> Reply:
    """GET /admin: quick; the figures come behind it."""
    services, account_id = request.services, request.account_id
    feed = await services.browsing.feed(account_id, FEED)
    named = {one for row in feed for one in (row.contact_id, row.other_contact_id) if one}
    imports, _ = await services.imports.imports_of(account_id, 0, HEALTH)
    exports = await _health(request)
    steps = []
    if not request.me.preferences.get(HIDDEN) or not feed:
        steps = await first_steps(request, has_contacts=bool(feed), has_imports=bool(imports))
    return request.render(
        "home.html",
        feed=feed,
        who=await services.users.who_did(account_id, [row.request_id for row in feed]),
        names={
            row.contact_id: row.name
            for row in await services.browsing.rows(account_id, sorted(named))
            if row.name
        },
        imports=imports,
        exports=exports,
        is_empty=not feed,
        steps=steps,
    )


async def _health(request: Request) -> list[tuple[Export, ExportRun | None]]:
    """(export, its last run): what fails first, else what ran last."""
    services, account_id = request.services, request.account_id
    found, _ = await services.exports.exports_of(account_id, 0, 100)
    last = await services.exports.last_runs(account_id, [one.export_id for one in found])
    pairs = [(one, last.get(one.export_id)) for one in found]

    def order(pair: tuple[Export, ExportRun | None]) -> tuple[bool, float]:
        one, run = pair
        return not one.failures, -(run.created_at if run else one.created_at).timestamp()

    return sorted(pairs, key=order)[:HEALTH]


async def figures(request: Request) -> Reply:
    """GET /admin/figures: the four figures, the call to act, the curve."""
    return request.render(
        "figures.html", **await _figures(request), segment=await _nameless_segment(request)
    )


async def _figures(request: Request) -> dict[str, Any]:
    known = _known.get(request.account_id)
    began = time.monotonic()
    if known is not None and known[0] > began:
        return known[1]
    browsing, account_id = request.services.browsing, request.account_id
    live = await browsing.count(account_id, Filter())
    nameless = await browsing.count(account_id, Filter(without_external_id=True))
    by_day = await browsing.created_by_day(account_id)
    today = request.at.date()
    week = sum(n for day, n in by_day if day > today - timedelta(days=7))
    midnight = _midnight(request.at, request.settings.time_zone)
    found = {
        "live": live,
        "nameless": nameless,
        "share": _share(live - nameless, live),
        "week": week,
        "today": sum(n for day, n in by_day if day == today),
        "counted": await request.services.lately.count(
            account_id, midnight, midnight + timedelta(days=1, hours=1)
        ),
        "curves": _curves(by_day, today),
    }
    if len(_known) > 1_000:
        _known.clear()
    took = time.monotonic() - began
    _known[account_id] = (began + max(FIGURES_S, COSTS_MORE * took), found)
    return found


def _share(part: int, whole: int) -> str:
    """Per cent with one digit, rounded down: 100.0 only where nobody is missing."""
    return f"{part * 1000 // whole / 10:.1f}" if whole else ""


def _midnight(at: datetime, zone: str) -> datetime:
    """When the day began in the account's time zone."""
    return at.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)


def _curves(by_day: list[tuple[date, int]], today: date) -> tuple[Curve, ...]:
    """How many there were at the end of each day, of those that are live today: wide, and for a phone."""
    if not by_day:
        return ()
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
    return curve(points), curve(points, width=330, height=180, left=48, marks=2)


async def _nameless_segment(request: Request) -> int | None:
    """The segment of everybody without an External ID, if the account has one (guide G15)."""
    known = await request.services.segment_actions.nameable(request.account_id)
    return next((one.id for one in known.values() if _is_nameless(one)), None)


def _is_nameless(one: Nameable) -> bool:
    node = one.condition
    while node is not None and len(parts := node.get("all") or node.get("any") or []) == 1:
        node = parts[0]
    return one.exclude is None and node == _LEAF


async def make_nameless(request: Request) -> Reply:
    """POST /admin/home/nameless: to that segment, which is made if there is none."""
    segment_id = await _nameless_segment(request)
    if segment_id is None:
        name = str(texts.text("home.nameless_segment"))
        body = {"name": name, "condition": {"all": [_LEAF]}}
        segment_id = await request.services.segment_actions.create(request.account_id, body)
        await request.note("segment_created", segment_id)
    return request.go(f"/admin/segments/{segment_id}")


async def hide_steps(request: Request) -> Reply:
    """POST /admin/home/steps: the list of first steps was read."""
    await request.services.users.prefer(request.account_id, request.me.user_id, {HIDDEN: True})
    return request.go("/admin")


PAGES = (
    Page(method="GET", path="/admin", role=Role.READER, handler=home),
    Page(method="GET", path="/admin/figures", role=Role.READER, handler=figures),
    Page(method="POST", path="/admin/home/nameless", role=Role.MARKETER, handler=make_nameless),
    Page(method="POST", path="/admin/home/steps", role=Role.READER, handler=hide_steps),
)
