"""Event types: which of them make contacts, and what their events must have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kartoteka.access.users import Role
from kartoteka.activity.event_types import read_change, read_type_key
from kartoteka.activity.model import EventType
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page
from kartoteka.errors import Conflict, InvalidRequest

PATH = "/admin/settings/event-types"
ROWS = 200


async def event_types(request: Request) -> Reply:
    """GET /admin/settings/event-types."""
    return await _page(request)


async def _page(request: Request, problem: str = "", status: int = 200) -> Reply:
    skip = request.query.number("skip")
    found, total = await request.services.event_types.page(request.account_id, skip, ROWS)
    return request.render(
        "settings_event_types.html",
        status,
        types=found,
        total=total,
        skip=skip,
        size=ROWS,
        problem=problem,
        values=_values(request, found),
    )


def _values(request: Request, found: Sequence[EventType]) -> dict[str, Any]:
    """What the form shows: what was typed, else the type that was picked from the table."""
    form, key = request.form, request.query.one("key")
    one = next((one for one in found if one.key == key), None)
    if form.has("key") or one is None:
        required, makes = form.one("required"), form.flag("segmentation")
        return {"key": form.one("key"), "required": required, "segmentation": makes}
    names = ", ".join(param["name"] for param in one.required_params or ())
    return {"key": one.key, "required": names, "segmentation": one.segmentation}


async def save(request: Request) -> Reply:
    """POST /admin/settings/event-types: makes the type, or changes it."""
    form = request.form
    names = [name for part in form.one("required").split(",") if (name := part.strip())]
    try:
        key = read_type_key(form.one("key"))
        change = read_change({"segmentation": form.flag("segmentation"), "requiredParams": names})
        await request.services.event_types.change(request.account_id, key, change)
    except InvalidRequest as error:
        return await _page(request, error.message, 400)
    except Conflict as error:
        return await _page(request, error.message, 409)
    await request.note("event_type_saved", key)
    return request.go(PATH, "event_type_saved")


PAGES = (
    Page(method="GET", path=PATH, role=Role.READER, handler=event_types),
    Page(method="POST", path=PATH, role=Role.OWNER, handler=save),
)
