"""Event types: which of them make contacts, and what their events must have."""

from __future__ import annotations

from kartoteka.access.users import Role
from kartoteka.activity.event_types import read_change, read_type_key
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
    found, total = await request.services.event_types.page(
        request.account_id, request.query.number("skip"), ROWS
    )
    return request.render(
        "settings_event_types.html", status, types=found, total=total, problem=problem
    )


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
