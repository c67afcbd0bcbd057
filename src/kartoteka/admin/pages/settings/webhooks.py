"""Webhooks: who is told what happened, and what did not arrive."""

from __future__ import annotations

from typing import Any

from kartoteka.access.users import Role
from kartoteka.admin.bodies import Fields
from kartoteka.admin.pages.settings.asking import ask
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page
from kartoteka.errors import InvalidRequest
from kartoteka.webhooks.model import EVENTS, State

PATH = "/admin/settings/webhooks"
ROWS = 50
_ONE = f"{PATH}/{{id}}"


async def webhooks(request: Request) -> Reply:
    """GET /admin/settings/webhooks."""
    return await _page(request)


async def _page(
    request: Request, *, secret: str = "", problem: str = "", status: int = 200
) -> Reply:
    known = await request.services.segment_actions.nameable(request.account_id)
    return request.render(
        "settings_webhooks.html",
        status,
        webhooks=await request.services.webhooks.all(request.account_id),
        segments={one.id: one.name for one in known.values()},
        events=list(EVENTS),
        secret=secret,
        problem=problem,
    )


async def create(request: Request) -> Reply:
    """POST /admin/settings/webhooks: its secret is shown this once."""
    try:
        made, secret = await request.services.webhooks.add(request.account_id, _body(request.form))
    except InvalidRequest as error:
        return await _page(request, problem=error.message, status=400)
    await request.note("webhook_created", made)
    return await _page(request, secret=secret)


def _body(form: Fields) -> dict[str, Any]:
    return {
        "url": form.one("url"),
        "events": form.all("event"),
        "segments": [int(text) for text in form.all("segment") if text.isdigit()],
    }


async def one_webhook(request: Request) -> Reply:
    """GET /admin/settings/webhooks/{id}: its deliveries, the latest first."""
    services, account_id = request.services, request.account_id
    one = await services.webhooks.find(account_id, request.id())
    word = request.query.one("state").upper()
    state = State[word] if word in State.__members__ else None
    skip = request.query.number("skip")
    found, total = await services.webhooks.deliveries(account_id, one.id, state, skip, ROWS)
    return request.render(
        "settings_webhook.html",
        one=one,
        deliveries=found,
        total=total,
        skip=skip,
        size=ROWS,
        state=word.lower() if state is not None else "",
        states=[state.name.lower() for state in State],
    )


async def ask_delete(request: Request) -> Reply:
    """GET /admin/settings/webhooks/{id}/delete."""
    one = await request.services.webhooks.find(request.account_id, request.id())
    return ask(
        request,
        "webhooks",
        one.url,
        points=(("ban", "delete_stops"), ("trash-2", "delete_waiting")),
        action=f"{PATH}/{one.id}",
        back=f"{PATH}/{one.id}",
        fields={"action": "delete"},
    )


async def change(request: Request) -> Reply:
    """POST /admin/settings/webhooks/{id}: on, off, once more, or gone."""
    hooks, account_id, webhook_id = request.services.webhooks, request.account_id, request.id()
    action = request.form.one("action")
    if action == "delete":
        await hooks.delete(account_id, webhook_id)
        await request.note("webhook_deleted", webhook_id)
        return request.go(PATH, "webhook_saved")
    if action == "replay":
        await hooks.replay(account_id, webhook_id)
    else:
        await hooks.change(account_id, webhook_id, {"enabled": action == "enable"})
    await request.note("webhook_changed", webhook_id)
    return request.go(f"{PATH}/{webhook_id}", "webhook_saved")


PAGES = (
    Page(method="GET", path=PATH, role=Role.OWNER, handler=webhooks),
    Page(method="POST", path=PATH, role=Role.OWNER, handler=create),
    Page(method="GET", path=_ONE, role=Role.OWNER, handler=one_webhook),
    Page(method="GET", path=f"{_ONE}/delete", role=Role.OWNER, handler=ask_delete),
    Page(method="POST", path=_ONE, role=Role.OWNER, handler=change),
)
