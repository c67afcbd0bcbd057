"""Contacts as a table: search, filters, columns, what is done to many at once; a new contact."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from kartoteka.access.users import Role
from kartoteka.admin import texts
from kartoteka.admin.contact_form import read_fields
from kartoteka.admin.replies import Reply, download
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page
from kartoteka.contacts.browsing import PAGE, Filter, Row
from kartoteka.contacts.model import (
    AddContact,
    AttachContacts,
    Command,
    DetachContacts,
    Outcome,
    RemoveContact,
)
from kartoteka.contacts.values.custom_fields import FieldDefinition
from kartoteka.contacts.words import words_of
from kartoteka.errors import Forbidden, InvalidRequest, KartotekaError
from kartoteka.identity.kinds import BY_CODE, BY_NAME, KINDS
from kartoteka.imports.statement_csv import BOM, safe_cell
from kartoteka.segments.model import SegmentType

SOURCES = ("API", "SUBSCRIPTION", "IMPORT", "ORDER", "EVENT", "MOBILE_SDK", "WEB", "MANUAL")
COLUMNS = ("identifiers", "email", "phone", "source", "language", "town", "created", "updated")
USUAL = ("identifiers", "source", "updated")
MAX_COLUMNS = 12
MOST_PICKED = 1_000


async def contacts(request: Request) -> Reply:
    """GET /admin/contacts: one page; the script asks for the same address as one types."""
    asked, given = read_filter(request)
    page = await request.services.browsing.page(
        request.account_id, asked, request.region, before=_edge(request, "before"),
        after=_edge(request, "after"),
    )  # fmt: skip
    definitions = await request.services.definitions.of(request.account_id)
    lists, _ = await request.services.segments.named(request.account_id, "", 0, 200)
    return request.render(
        "contacts.html",
        page=page,
        asked=asked,
        given=given,
        chips=_chips(asked, given),
        columns=_chosen(request, definitions),
        all_columns=[*COLUMNS, *(f"f{one}" for one in definitions)],
        definitions=definitions,
        lists=[one for one in lists if one.type == "Static"],
        sources=SOURCES,
        kinds=[kind for kind in KINDS if kind.code > 1],
        is_first=page.newer is None,
        size=PAGE,
    )


async def count(request: Request) -> Reply:
    """GET /admin/contacts/count: how many there are, asked for behind the page."""
    asked, _ = read_filter(request)
    if asked.words:
        ids, more = await request.services.browsing.search(
            request.account_id, asked, request.region
        )
        return request.render("count.html", n=len(ids), more=more)
    n = await request.services.browsing.count(request.account_id, asked)
    return request.render("count.html", n=n, more=False)


def read_filter(request: Request) -> tuple[Filter, dict[str, str]]:
    """(the filter, its parameters as the address has them): what makes no sense is left out."""
    query = request.query
    channel = BY_NAME.get(query.one("channel"))
    source = query.one("source")
    given = {
        "q": query.one("q")[:200],
        "removed": "1" if query.flag("removed") else "",
        "noid": "1" if query.flag("noid") else "",
        "channel": channel.name if channel else "",
        "source": source if source in SOURCES else "",
        "from": _day_text(query.one("from")),
        "to": _day_text(query.one("to")),
    }
    asked = Filter(
        words=words_of(given["q"]),
        removed=bool(given["removed"]),
        without_external_id=bool(given["noid"]),
        channel=channel.code if channel else None,
        source=given["source"] or None,
        since=_day(given["from"]),
        until=_day(given["to"], days=1),
    )
    return asked, {name: value for name, value in given.items() if value}


def _day_text(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _day(text: str, days: int = 0) -> datetime | None:
    if not text or text >= "9999":
        return None
    day = date.fromisoformat(text) + timedelta(days=days)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _edge(request: Request, name: str) -> int | None:
    return request.query.number(name) or None


def _chips(asked: Filter, given: dict[str, str]) -> list[tuple[str, dict[str, str]]]:
    """(words, the address without it) of every filter that is set."""
    words: dict[str, Any] = {}
    if asked.removed:
        words["removed"] = texts.text("contacts.is_removed")
    if asked.without_external_id:
        words["noid"] = texts.text("contacts.is_nameless")
    if asked.channel is not None:
        kind = BY_CODE[asked.channel].label
        words["channel"] = texts.text("contacts.has_channel", kind=kind)
    if asked.source:
        words["source"] = texts.text(
            "contacts.is_from", source=texts.text(f"source.{asked.source}")
        )
    if asked.since:
        words["from"] = texts.text("contacts.is_since", day=given["from"])
    if asked.until:
        words["to"] = texts.text("contacts.is_until", day=given["to"])
    return [
        (text, {key: value for key, value in given.items() if key != name})
        for name, text in words.items()
    ]


def _chosen(request: Request, definitions: Any) -> list[str]:
    chosen = request.me.preferences.get("columns")
    known = {*COLUMNS, *(f"f{one}" for one in definitions)}
    if not isinstance(chosen, list):
        return list(USUAL)
    return [name for name in chosen if name in known][:MAX_COLUMNS]


async def choose_columns(request: Request) -> Reply:
    """POST /admin/contacts/columns: remembered for this user."""
    chosen = request.form.all("column")[:MAX_COLUMNS]
    await request.services.users.prefer(request.account_id, request.me.user_id, {"columns": chosen})
    return request.go(_back(request))


def _back(request: Request) -> str:
    raw = request.form.one("back")
    plain = raw.startswith("?") and raw.isprintable() and "\\" not in raw
    return "/admin/contacts" + (raw if plain else "")


# What is done to many at once.


async def bulk(request: Request) -> Reply:
    """POST /admin/contacts/bulk: lists and removing; what is picked, at most a page or two."""
    ids = [int(text) for text in request.form.all("pick") if text.isascii() and text.isdigit()]
    ids = ids[:MOST_PICKED]
    action = request.form.one("action")
    if not ids:
        return request.go(_back(request), "nothing_picked")
    if action == "export":
        rows = await request.services.browsing.rows(request.account_id, ids)
        definitions = await request.services.definitions.of(request.account_id)
        await request.note("exported", "", n=len(ids))
        return _csv(_one_page(rows), definitions)
    if not request.may(Role.MARKETER):
        raise Forbidden(str(texts.text("error.role")))
    if action == "remove":
        return await _remove(request, ids)
    segment_id = await _list_of(request, action)
    command: Command = (
        DetachContacts(origin=request.origin(), segment_id=segment_id, contact_ids=tuple(ids))
        if action == "detach"
        else AttachContacts(origin=request.origin(), segment_id=segment_id, contact_ids=tuple(ids))
    )
    await request.write(command)
    await request.note("detached" if action == "detach" else "attached", segment_id, n=len(ids))
    return request.go(_back(request), "detached" if action == "detach" else "attached")


async def _list_of(request: Request, action: str) -> int:
    """The list that was chosen, or a new one of the name that was typed."""
    name = request.form.one("new_list")
    if action == "attach" and name and not request.form.number("list"):
        known, _ = await request.services.segments.search(
            request.account_id, name, 0, 500, type_=SegmentType.STATIC
        )
        same = [one.id for one in known if one.name == name]
        return (
            same[0]
            if same
            else await request.services.segment_actions.add_list(request.account_id, {"name": name})
        )
    found = await request.services.segments.find(request.account_id, request.form.number("list"))
    if found.type != "Static":
        raise InvalidRequest(str(texts.text("error.not_a_list")))
    return found.id


async def _remove(request: Request, ids: Sequence[int]) -> Reply:
    """Ask first; then every one is a command of its own, and one that fails stops no other."""
    if not request.form.flag("sure"):
        rows = await request.services.browsing.rows(request.account_id, ids)
        return request.render("contacts_remove.html", rows=rows, back=request.form.one("back"))
    removed = 0
    for contact_id in ids:
        try:
            await request.write(RemoveContact(origin=request.origin(), contact_id=contact_id))
            removed += 1
        except KartotekaError:
            continue
    await request.note("removed_many", "", n=removed, contacts=list(ids[:100]))
    return request.go(_back(request), "removed_many")


async def export(request: Request) -> Reply:
    """GET /admin/contacts/export.csv: everything that passes the filter."""
    asked, _ = read_filter(request)
    definitions = await request.services.definitions.of(request.account_id)
    await request.note("exported")
    pages = request.services.browsing.all_rows(request.account_id, asked, request.region)
    return _csv(pages, definitions)


async def _one_page(rows: list[Row]) -> AsyncIterator[list[Row]]:
    yield rows


def _csv(pages: AsyncIterator[list[Row]], definitions: Any) -> Reply:
    stream = contacts_csv(pages, list(definitions.values()))
    return download(stream, b"text/csv; charset=utf-8", "contacts.csv")


async def contacts_csv(
    pages: AsyncIterator[list[Row]], definitions: Sequence[FieldDefinition]
) -> AsyncGenerator[bytes, None]:
    """The contacts with headings that an import recognises; no cell is taken for a formula."""
    names = ("Contact ID", "External ID", "Email", "Phone", "First name", "Last name", "Source")
    yield BOM + _lines([[*names, "Created", "Updated", *(one.path for one in definitions)]])
    async for page in pages:
        yield _lines([_cells(row, definitions) for row in page])


def _cells(row: Row, definitions: Sequence[FieldDefinition]) -> list[str]:
    said = (row.external_id, row.email, row.phone, row.first_name, row.last_name, row.source)
    fields = [safe_cell(row.fields.get(str(one.id), "")) for one in definitions]
    return [
        str(row.contact_id),
        *(safe_cell(text or "") for text in said),
        row.created_at.isoformat(timespec="seconds"),
        row.updated_at.isoformat(timespec="seconds"),
        *fields,
    ]


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


# A new contact.


async def new(request: Request) -> Reply:
    """GET /admin/contacts/new."""
    definitions = await request.services.definitions.of(request.account_id)
    return request.render(
        "contact_new.html", definitions=definitions, values={}, problems={}, known=None
    )


async def create(request: Request) -> Reply:
    """POST /admin/contacts/new: who is known already is shown, not overwritten in passing."""
    definitions = await request.services.definitions.of(request.account_id)
    values = dict(request.form.pairs())
    contact, problems = read_fields(values, request.region, definitions)

    def again(known: int | None = None, status: int = 400) -> Reply:
        return request.render(
            "contact_new.html",
            status,
            definitions=definitions,
            values=values,
            problems=problems,
            known=known,
        )

    if problems:
        return again()
    if not contact.person.all():
        problems["externalCustomerId"] = str(texts.text("contacts.needs_identifier"))
        return again()
    command = AddContact(origin=request.origin(), contact=contact, manual=True)
    if not request.form.flag("known_too"):
        (rehearsed,) = await request.services.engine.rehearse_all(request.account, [command])
        if isinstance(rehearsed, Exception):
            raise rehearsed
        if rehearsed.resolution.outcome != "created":
            return again(known=rehearsed.resolution.contact_id, status=409)
    outcome: Outcome = await request.write(command)
    contact_id = outcome.resolution.contact_id
    await request.note("contact_added", contact_id or "", outcome=outcome.resolution.outcome)
    return request.go(f"/admin/contacts/{contact_id}", "contact_added")


PAGES = (
    Page(method="GET", path="/admin/contacts", role=Role.READER, handler=contacts),
    Page(method="GET", path="/admin/contacts/count", role=Role.READER, handler=count),
    Page(method="GET", path="/admin/contacts/export.csv", role=Role.READER, handler=export),
    Page(method="POST", path="/admin/contacts/columns", role=Role.READER, handler=choose_columns),
    Page(method="POST", path="/admin/contacts/bulk", role=Role.READER, handler=bulk),
    Page(method="GET", path="/admin/contacts/new", role=Role.MARKETER, handler=new),
    Page(method="POST", path="/admin/contacts/new", role=Role.MARKETER, handler=create),
)
