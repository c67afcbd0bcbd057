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
        params_of=params_of,
        values=_values(request, found),
    )


def _values(request: Request, found: Sequence[EventType]) -> dict[str, Any]:
    """What the form shows: what was typed, else the type that was picked from the table."""
    form, key = request.form, request.query.one("key")
    one = next((one for one in found if one.key == key), None)
    if form.has("key") or one is None:
        return {
            "key": form.one("key"),
            "required": form.one("required"),
            "optional": form.one("optional"),
            "segmentation": form.flag("segmentation"),
        }
    required, optional = params_of(one)
    return {
        "key": one.key,
        "required": ", ".join(required),
        "optional": ", ".join(optional),
        "segmentation": one.segmentation,
    }


def params_of(one: EventType) -> tuple[list[str], list[str]]:
    """Names of the parameters that its events must have, and of those that they may have."""
    params = one.required_params or ()
    required = [param["name"] for param in params if param.get("required", True)]
    return required, [param["name"] for param in params if param["name"] not in required]


def _params(required: str, optional: str) -> list[dict[str, Any]]:
    """What was typed, as the API takes it; a name in both fields is required."""
    named = {name: False for part in optional.split(",") if (name := part.strip())}
    named |= {name: True for part in required.split(",") if (name := part.strip())}
    return [{"name": name, "required": must} for name, must in named.items()]


async def save(request: Request) -> Reply:
    """POST /admin/settings/event-types: makes the type, or changes it."""
    form = request.form
    params = _params(form.one("required"), form.one("optional"))
    try:
        key = read_type_key(form.one("key"))
        change = read_change({"segmentation": form.flag("segmentation"), "requiredParams": params})
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
