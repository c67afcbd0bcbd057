"""Custom fields: what a card may hold beyond the usual."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from kartoteka.access.users import Role
from kartoteka.admin import texts
from kartoteka.admin.bodies import Fields
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page
from kartoteka.contacts.definitions import FieldKeyTaken, FieldNotFound, NewField
from kartoteka.contacts.values.custom_fields import FieldType
from kartoteka.errors import InvalidRequest

PATH = "/admin/settings/fields"
TYPES = [one.value for one in FieldType]


async def fields(request: Request) -> Reply:
    """GET /admin/settings/fields."""
    found = await request.services.definitions.read(request.account_id)
    return request.render("settings_fields.html", fields=list(found.values()))


async def new(request: Request) -> Reply:
    """GET /admin/settings/fields/new."""
    return _form(request, {}, None)


def _form(
    request: Request, values: Mapping[str, Any], field_id: int | None, problem: str = ""
) -> Reply:
    return request.render(
        "settings_field.html",
        400 if problem else 200,
        values=values,
        field_id=field_id,
        problem=problem,
        types=[(one, texts.text(f"type.{one}")) for one in TYPES],
    )


async def create(request: Request) -> Reply:
    """POST /admin/settings/fields/new."""
    form = request.form
    try:
        made = await request.services.definitions.add(
            request.account_id,
            NewField(
                form.one("name"),
                FieldType(form.one("type") if form.one("type") in TYPES else "TEXTFIELD"),
                form.one("list_name") or "Personal",
                key=form.one("key").upper(),
                **_changeable(form),
            ),
        )
    except (InvalidRequest, FieldKeyTaken) as error:
        return _form(request, dict(form.pairs()), None, error.message)
    await request.note("field_created", made.id)
    return request.go(PATH, "field_saved")


async def edit(request: Request) -> Reply:
    """GET /admin/settings/fields/{id}."""
    found = await request.services.definitions.read(request.account_id)
    one = found.get(str(request.id()))
    if one is None:
        raise FieldNotFound
    values = {
        "name": one.name,
        "key": one.key,
        "list_name": one.list_name,
        "type": one.type.value,
        "possible_values": "\n".join(one.possible_values),
        "min_value": "" if one.min_value is None else str(one.min_value),
        "max_value": "" if one.max_value is None else str(one.max_value),
        **{
            name: "on" if getattr(one, name) else ""
            for name in ("required", "readonly", "recurring")
        },
    }
    return _form(request, values, one.id)


async def save(request: Request) -> Reply:
    """POST /admin/settings/fields/{id}: all but its keys, its list and its type."""
    field_id, form = request.id(), request.form
    try:
        changes = {"name": form.one("name"), **_changeable(form)}
        await request.services.definitions.change(request.account_id, field_id, changes)
    except InvalidRequest as error:
        return _form(request, dict(form.pairs()), field_id, error.message)
    await request.note("field_changed", field_id)
    return request.go(PATH, "field_saved")


async def ask_delete(request: Request) -> Reply:
    """GET /admin/settings/fields/{id}/delete."""
    found = await request.services.definitions.read(request.account_id)
    one = found.get(str(request.id()))
    if one is None:
        raise FieldNotFound
    return request.render("settings_field_delete.html", field=one)


async def delete(request: Request) -> Reply:
    """POST /admin/settings/fields/{id}/delete."""
    await request.services.definitions.delete(request.account_id, request.id())
    await request.note("field_deleted", request.id())
    return request.go(PATH, "field_deleted")


def _changeable(form: Fields) -> dict[str, Any]:
    values = (line.strip() for line in form.one("possible_values").splitlines())
    return {
        "possible_values": tuple(dict.fromkeys(value for value in values if value)),
        "min_value": _limit(form.one("min_value")),
        "max_value": _limit(form.one("max_value")),
        **{name: form.flag(name) for name in ("required", "readonly", "recurring")},
    }


def _limit(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        limit = Decimal(text) if len(text) <= 40 else None
    except InvalidOperation:
        limit = None
    if limit is None or not limit.is_finite() or abs(limit) > 10**20:
        raise InvalidRequest(str(texts.text("fields.limit_wrong")))
    return limit


PAGES = (
    Page(method="GET", path=PATH, role=Role.READER, handler=fields),
    Page(method="GET", path=f"{PATH}/new", role=Role.OWNER, handler=new),
    Page(method="POST", path=f"{PATH}/new", role=Role.OWNER, handler=create),
    Page(method="GET", path=f"{PATH}/{{id}}", role=Role.OWNER, handler=edit),
    Page(method="POST", path=f"{PATH}/{{id}}", role=Role.OWNER, handler=save),
    Page(method="GET", path=f"{PATH}/{{id}}/delete", role=Role.OWNER, handler=ask_delete),
    Page(method="POST", path=f"{PATH}/{{id}}/delete", role=Role.OWNER, handler=delete),
)
