"""Applications: mobile ones with their access keys, and what web and Telegram tokens belong to."""

from __future__ import annotations

from kartoteka.access.apps import Apps
from kartoteka.access.model import AppKind
from kartoteka.access.users import Role
from kartoteka.admin import texts
from kartoteka.admin.pages.settings.asking import ask
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page
from kartoteka.errors import Conflict, InvalidRequest

PATH = "/admin/settings/apps"


def _apps(request: Request) -> Apps:
    return Apps(request.services.database, request.services.clock, request.account_id)


async def apps(request: Request) -> Reply:
    """GET /admin/settings/apps."""
    return await _page(request)


async def _page(request: Request, *, new: str = "", problem: str = "", status: int = 200) -> Reply:
    return request.render(
        "settings_apps.html",
        status,
        apps=await _apps(request).all(),
        new=new,
        problem=problem,
        kinds=[(kind.value, texts.text(f"app_kind.{kind.value}")) for kind in AppKind],
    )


async def create(request: Request) -> Reply:
    """POST /admin/settings/apps: a mobile one comes with its first access key, shown this once."""
    form = request.form
    kind = form.one("kind")
    try:
        made = await _apps(request).create(
            form.one("name"),
            AppKind(kind) if kind in list(AppKind) else AppKind.MOBILE,
            trusted=form.flag("trusted"),
            app_id=form.one("app_id") or None,
        )
    except InvalidRequest as error:
        return await _page(request, problem=error.message, status=400)
    except Conflict as error:
        return await _page(request, problem=error.message, status=409)
    await request.note("app_created", made.app.app_id)
    if made.key is None:
        return request.go(PATH, "app_saved")
    return await _page(request, new=made.key.text)


async def ask_delete(request: Request) -> Reply:
    """GET /admin/settings/apps/{app}/delete."""
    app = await _apps(request).get(request.params["app"])
    return ask(
        request,
        "apps",
        app.name,
        points=(("ban", "delete_stops"), ("smartphone", "delete_tokens")),
        action=f"{PATH}/change",
        back=PATH,
        fields={"action": "delete", "app_id": app.app_id},
    )


async def change(request: Request) -> Reply:
    """POST /admin/settings/apps/change: trusted or not, another key, or gone."""
    action, app_id = request.form.one("action"), request.form.one("app_id")
    own = _apps(request)
    if action == "key":
        new = await own.add_key(app_id)
        await request.note("app_key", app_id)
        return await _page(request, new=new.text)
    if action == "delete":
        await own.delete(app_id)
    else:
        await own.change(app_id, trusted=action == "trust")
    request.services.keys.forget()
    await request.note("app_deleted" if action == "delete" else "app_changed", app_id)
    return request.go(PATH, "app_saved")


PAGES = (
    Page(method="GET", path=PATH, role=Role.OWNER, handler=apps),
    Page(method="POST", path=PATH, role=Role.OWNER, handler=create),
    Page(method="GET", path=f"{PATH}/{{app}}/delete", role=Role.OWNER, handler=ask_delete),
    Page(method="POST", path=f"{PATH}/change", role=Role.OWNER, handler=change),
)
