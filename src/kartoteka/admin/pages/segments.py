"""Segments: lists, and sets by conditions that are built while their members are shown (guide G15)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from kartoteka.access.users import Role
from kartoteka.admin import texts
from kartoteka.admin.pictures.curve import Curve, curve
from kartoteka.admin.replies import Reply, download
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page
from kartoteka.admin.segment_form import (
    PREFIX,
    Builder,
    body_of,
    builder_of,
    change,
    empty,
    is_empty,
    read_builder,
    unfinished,
)
from kartoteka.errors import Conflict, InvalidRequest, KartotekaError
from kartoteka.segments.asking import Preview
from kartoteka.segments.conditions import CONDITIONS
from kartoteka.segments.conditions.tree import Joined, Not, in_words, read_stored
from kartoteka.segments.model import SegmentType, State, Stored
from kartoteka.segments.versions import Versions
from kartoteka.webhooks.model import Webhook

PAGE = 50
SAMPLE = 10
COUNT_WITHIN_S = 1.5
"""A longer count is estimated: who builds does not wait."""
GROWTH = timedelta(days=90)
FLIPS = 12
_ID = "/admin/segments/{id}"


async def segments(request: Request) -> Reply:
    """GET /admin/segments."""
    skip, text = request.query.number("skip"), request.query.one("q")[:200]
    found, total = await request.services.segments.search(request.account_id, text, skip, PAGE)
    return request.render(
        "segments.html",
        segments=found,
        total=total,
        skip=skip,
        size=PAGE,
        q=text,
        words_of=words_of,
    )


async def count(request: Request) -> Reply:
    """GET /admin/segments/{id}/count: behind the table, since a count may have to look far."""
    stored = await request.services.segments.stored(request.account_id, request.id())
    n = await request.services.segments.count(request.account_id, stored)
    return request.render("number.html", n=n)


def words_of(stored: Stored) -> str:
    """Its conditions in words; blank for a list."""
    if stored.resolved is None:
        return ""
    test = read_stored(stored.resolved)
    if stored.exclude is not None and isinstance(test, Joined) and isinstance(test.parts[1], Not):
        return in_words(test.parts[0].describe(), test.parts[1].part.describe())
    return test.describe()


# The builder.


async def new(request: Request) -> Reply:
    """GET /admin/segments/new."""
    return await _builder(request, empty(), name="", segment_id=None)


async def edit(request: Request) -> Reply:
    """GET /admin/segments/{id}/edit: as it stands, or an earlier version that comes back with Done."""
    stored = await request.services.segments.stored(request.account_id, request.id())
    if stored.condition is None:
        return await _list_form(request, stored)
    builder = builder_of(stored.condition, stored.exclude)
    if number := request.query.number("version"):
        versions = Versions(request.services.database)
        version = await versions.find(request.account_id, stored.id, number)
        builder = builder_of(version.condition, version.exclude)
    return await _builder(
        request,
        builder,
        name=stored.name,
        segment_id=stored.id,
        restoring=number,
        counts=False,
    )


async def duplicate(request: Request) -> Reply:
    """GET /admin/segments/{id}/duplicate: the same conditions under another name, not saved yet."""
    stored = await request.services.segments.stored(request.account_id, request.id())
    builder = empty() if stored.condition is None else builder_of(stored.condition, stored.exclude)
    name = str(texts.text("segments.copy_of", name=stored.name).unescape())
    return await _builder(request, builder, name=name, segment_id=None, counts=False)


async def build(request: Request) -> Reply:
    """POST /admin/segments/build: the form after one click, with what it would come to.

    The script asks for the form alone, which is there at once, and then for the count.
    """
    builder = read_builder(request.form.starting(PREFIX))
    change(builder, request.form.one("do"))
    return await _builder(
        request,
        builder,
        name=request.form.one("name"),
        segment_id=request.form.number("segment_id") or None,
        counts=request.form.one("only") != "form",
        restoring=request.form.number("restoring"),
    )


async def _builder(
    request: Request,
    builder: Builder,
    *,
    name: str,
    segment_id: int | None,
    problem: str = "",
    status: int = 200,
    counts: bool = True,
    restoring: int = 0,
) -> Reply:
    services, account_id = request.services, request.account_id
    definitions = await services.definitions.read(account_id)
    known = await services.segment_actions.nameable(account_id)
    preview, wrong = None, ""
    if counts:
        preview, wrong = await _preview(request, builder, definitions)
    rows = await services.browsing.rows(account_id, preview.ids if preview else [])
    return request.render(
        "segment_builder.html",
        status,
        builder=builder,
        name=name,
        segment_id=segment_id,
        definitions=definitions,
        families=_families(definitions),
        others=[(one.id, one.name) for one in known.values() if one.id != segment_id],
        categories=await services.identities.categories(account_id),
        preview=preview,
        wrong=wrong,
        rows=rows,
        problem=problem,
        restoring=restoring,
    )


async def _preview(
    request: Request, builder: Builder, definitions: Mapping[str, Any]
) -> tuple[Preview | None, str]:
    """(how many and who, what is not complete yet). Whoever types on calls the count off."""
    if is_empty(builder):
        return None, ""
    body = body_of(builder, definitions)
    asking = request.services.asking
    try:
        counted = asking.preview(request.account_id, body, SAMPLE, COUNT_WITHIN_S)
        return await request.while_wanted(counted), ""
    except InvalidRequest as error:
        return None, unfinished(error, body, definitions)


def _families(definitions: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """(family, [(what the button says, label)]): what may be asked, as the menu shows it."""
    families: dict[str, list[tuple[str, str]]] = {}
    for one in CONDITIONS:
        entries = families.setdefault(one.family, [])
        if one.key == "custom":
            entries += [(f"custom={field.id}", field.name) for field in definitions.values()]
        else:
            entries.append((one.key, one.label))
    return list(families.items())


async def save(request: Request) -> Reply:
    """POST /admin/segments/save: Done."""
    form, services, account_id = request.form, request.services, request.account_id
    builder = read_builder(form.starting(PREFIX))
    segment_id = form.number("segment_id") or None
    definitions = await services.definitions.read(account_id)
    body = body_of(builder, definitions)
    name = form.one("name")

    async def again(problem: str) -> Reply:
        return await _builder(
            request, builder, name=name, segment_id=segment_id, problem=problem, status=400
        )

    if not name:  # it is called what it says
        preview, wrong = await _preview(request, builder, definitions)
        if preview is None:
            return await again(wrong or str(texts.text("segments.needs_condition")))
        name = preview.description[:255]
    body["name"] = name
    try:
        if segment_id is None:
            segment_id = await services.segment_actions.create(account_id, body, request.me.login)
            await request.note("segment_created", segment_id)
        else:
            await services.segment_actions.change(account_id, segment_id, body, request.me.login)
            await request.note("segment_changed", segment_id)
    except (InvalidRequest, Conflict) as error:
        return await again(unfinished(error, body, definitions))
    return request.go(f"/admin/segments/{segment_id}", "segment_saved")


# A list, and what both have.


async def new_list(request: Request) -> Reply:
    """GET /admin/segments/new-list."""
    return await _list_form(request, None)


async def _list_form(request: Request, stored: Stored | None, problem: str = "") -> Reply:
    return request.render("segment_list.html", 400 if problem else 200, one=stored, problem=problem)


async def save_list(request: Request) -> Reply:
    """POST /admin/segments/new-list, and /admin/segments/{id}/rename."""
    actions, account_id = request.services.segment_actions, request.account_id
    body = {"name": request.form.one("name")}
    stored = None
    try:
        if "id" in request.params:
            stored = await request.services.segments.stored(account_id, request.id())
            await actions.change(account_id, stored.id, body)
            segment_id = stored.id
        else:
            segment_id = await actions.add_list(account_id, body)
    except (InvalidRequest, Conflict) as error:
        return await _list_form(request, stored, error.message)
    await request.note("segment_changed" if stored else "segment_created", segment_id)
    return request.go(f"/admin/segments/{segment_id}", "segment_saved")


async def one_segment(request: Request) -> Reply:
    """GET /admin/segments/{id}: members, growth, who came and went, versions, who is told."""
    services, account_id = request.services, request.account_id
    stored = await services.segments.stored(account_id, request.id())
    skip = request.query.number("skip")
    if stored.type is SegmentType.STATIC:
        ids, total = await services.segments.members(
            account_id, stored.id, skip, PAGE, ascending=False
        )
    else:
        ids, total = await services.segments.matches(
            account_id, stored, skip, PAGE, ascending=False
        )
    flips = await services.segments.latest_flips(account_id, stored.id, FLIPS)
    return request.render(
        "segment.html",
        one=stored,
        words=words_of(stored),
        rows=await services.browsing.rows(account_id, ids),
        total=total,
        skip=skip,
        size=PAGE,
        flips=flips,
        names={
            row.contact_id: row.name
            for row in await services.browsing.rows(account_id, [one.contact_id for one in flips])
            if row.name
        },
        curve=await _growth(request, stored, total),
        is_filling=stored.state in (State.FILLING, State.SETTLING),
        versions=await Versions(services.database).all(account_id, stored.id),
        webhooks=await _webhooks(request, stored.id),
    )


async def _webhooks(request: Request, segment_id: int) -> list[Webhook]:
    """Who is told when somebody enters or leaves; addresses are the owner's to see."""
    if not request.may(Role.OWNER):
        return []
    return [
        one
        for one in await request.services.webhooks.all(request.account_id)
        if {"segment.entered", "segment.left"} & set(one.events)
        and (not one.segments or segment_id in one.segments)
    ]


async def _growth(request: Request, stored: Stored, total: int) -> Curve | None:
    """How many were in it at the end of each day, back from how many are now."""
    days = await request.services.segments.growth(
        request.account_id, stored.id, request.at - GROWTH
    )
    if not days:
        return None
    moved = {one.day: one.entered - one.left for one in days}
    first = max(min(moved), stored.created_at.date().isoformat())
    points: list[tuple[Any, int]] = []
    day, level = request.at.date(), total
    while day.isoformat() >= first:
        points.append((day, max(level, 0)))
        level -= moved.get(day.isoformat(), 0)
        day -= timedelta(days=1)
    points.append((max(day, stored.created_at.date()), max(level, 0)))
    return curve(points[::-1], width=320, height=160, left=36, marks=2)


async def export(request: Request) -> Reply:
    """GET /admin/segments/{id}/export.csv."""
    from kartoteka.admin.pages.contacts import contacts_csv

    services, account_id = request.services, request.account_id
    stored = await services.segments.stored(account_id, request.id())
    definitions = await services.definitions.of(account_id)

    async def pages() -> Any:
        skip = 0
        while True:
            read = (
                services.segments.members(account_id, stored.id, skip, 1_000)
                if stored.type is SegmentType.STATIC
                else services.segments.matches(account_id, stored, skip, 1_000)
            )
            ids, _ = await read
            if ids:
                yield await services.browsing.rows(account_id, ids)
            if len(ids) < 1_000:
                return
            skip += 1_000

    await request.note("exported", stored.id)
    stream = contacts_csv(pages(), list(definitions.values()))
    return download(stream, b"text/csv; charset=utf-8", f"segment-{stored.id}.csv")


async def snapshot(request: Request) -> Reply:
    """POST /admin/segments/{id}/snapshot: a list of who is in it now."""
    stored = await request.services.segments.stored(request.account_id, request.id())
    name = f"{stored.name[:230]}, {request.at:%Y-%m-%d %H:%M:%S}"
    list_id = await request.services.segment_actions.snapshot(
        request.account_id, stored.id, {"name": name}
    )
    await request.note("segment_created", list_id)
    return request.go(f"/admin/segments/{list_id}", "segment_saved")


async def ask_delete(request: Request) -> Reply:
    """GET /admin/segments/{id}/delete."""
    stored = await request.services.segments.stored(request.account_id, request.id())
    return request.render("segment_delete.html", one=stored, problem="")


async def delete(request: Request) -> Reply:
    """POST /admin/segments/{id}/delete."""
    stored = await request.services.segments.stored(request.account_id, request.id())
    remove = request.form.one("contacts") == "remove" and request.may(Role.OWNER)
    try:
        await request.services.segment_actions.delete(
            request.account_id, stored.id, remove_contacts=remove
        )
    except KartotekaError as error:
        return request.render("segment_delete.html", 409, one=stored, problem=error.message)
    await request.note("segment_deleted", stored.id, contacts="removed" if remove else "kept")
    return request.go("/admin/segments", "segment_deleted")


async def why(request: Request) -> Reply:
    """GET /admin/segments/{id}/why/{contact_id}: which conditions hold for a contact."""
    stored = await request.services.segments.stored(request.account_id, request.id())
    if stored.resolved is None:
        return request.go(f"/admin/contacts/{request.id('contact_id')}")
    answer = await request.services.asking.why(request.account_id, stored, request.id("contact_id"))
    return request.render("segment_why.html", one=stored, answer=answer)


PAGES = (
    Page(method="GET", path="/admin/segments", role=Role.READER, handler=segments),
    Page(method="GET", path="/admin/segments/new", role=Role.MARKETER, handler=new),
    Page(method="POST", path="/admin/segments/build", role=Role.MARKETER, handler=build),
    Page(method="POST", path="/admin/segments/save", role=Role.MARKETER, handler=save),
    Page(method="GET", path="/admin/segments/new-list", role=Role.MARKETER, handler=new_list),
    Page(method="POST", path="/admin/segments/new-list", role=Role.MARKETER, handler=save_list),
    Page(method="GET", path=_ID, role=Role.READER, handler=one_segment),
    Page(method="GET", path=f"{_ID}/count", role=Role.READER, handler=count),
    Page(method="GET", path=f"{_ID}/export.csv", role=Role.READER, handler=export),
    Page(method="GET", path=f"{_ID}/edit", role=Role.MARKETER, handler=edit),
    Page(method="GET", path=f"{_ID}/duplicate", role=Role.MARKETER, handler=duplicate),
    Page(method="POST", path=f"{_ID}/rename", role=Role.MARKETER, handler=save_list),
    Page(method="POST", path=f"{_ID}/snapshot", role=Role.MARKETER, handler=snapshot),
    Page(method="GET", path=f"{_ID}/delete", role=Role.MARKETER, handler=ask_delete),
    Page(method="POST", path=f"{_ID}/delete", role=Role.MARKETER, handler=delete),
    Page(method="GET", path=f"{_ID}/why/{{contact_id}}", role=Role.READER, handler=why),
)
