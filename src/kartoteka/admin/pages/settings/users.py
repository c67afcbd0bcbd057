"""Who may sign in to this account, and as what."""

from __future__ import annotations

from kartoteka.access.users import LastOwner, LoginTaken, Role
from kartoteka.admin import texts
from kartoteka.admin.pages.settings.asking import ask
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page
from kartoteka.errors import Conflict, InvalidRequest

PATH = "/admin/settings/users"


async def users(request: Request) -> Reply:
    """GET /admin/settings/users."""
    return await _page(request)


async def _page(request: Request, problem: str = "", status: int = 200) -> Reply:
    return request.render(
        "settings_users.html",
        status,
        users=await request.services.users.all(request.account_id),
        problem=problem,
        login=request.form.one("login"),
        roles=[(role.value, texts.text(f"role.{role.value}")) for role in Role],
    )


def _role(request: Request) -> Role:
    word = request.form.one("role")
    return Role(word) if word in list(Role) else Role.READER


async def create(request: Request) -> Reply:
    """POST /admin/settings/users."""
    form = request.form
    try:
        user_id = await request.services.users.create(
            request.account_id, form.one("login"), form.raw("password"), _role(request)
        )
    except (InvalidRequest, LoginTaken) as error:
        return await _page(request, error.message, 400)
    await request.note("user_created", user_id, role=_role(request).value)
    return request.go(PATH, "user_saved")


async def change(request: Request) -> Reply:
    """POST /admin/settings/users/{id}: another role, another password, or gone."""
    people, user_id = request.services.users, request.id()
    action = request.form.one("action")
    try:
        if action == "delete":
            await people.delete(request.account_id, user_id)
        elif action == "password":
            await people.set_password(request.account_id, user_id, request.form.raw("password"))
        else:
            action = "role"
            await people.change_role(request.account_id, user_id, _role(request))
    except (InvalidRequest, Conflict) as error:
        status = 409 if isinstance(error, LastOwner) else 400
        return await _page(request, error.message, status)
    await request.note(f"user_{action}", user_id)
    return request.go(PATH, "user_deleted" if action == "delete" else "user_saved")


async def edit(request: Request) -> Reply:
    """GET /admin/settings/users/{id}."""
    user = await request.services.users.get(request.account_id, request.id())
    roles = [(role.value, texts.text(f"role.{role.value}")) for role in Role]
    return request.render("settings_user.html", user=user, roles=roles)


async def ask_delete(request: Request) -> Reply:
    """GET /admin/settings/users/{id}/delete."""
    user = await request.services.users.get(request.account_id, request.id())
    return ask(
        request,
        "users",
        user.login,
        points=(("log-out", "delete_sessions"), ("scroll-text", "delete_log")),
        action=f"{PATH}/{user.user_id}",
        back=f"{PATH}/{user.user_id}",
        fields={"action": "delete"},
    )


PAGES = (
    Page(method="GET", path=PATH, role=Role.OWNER, handler=users),
    Page(method="POST", path=PATH, role=Role.OWNER, handler=create),
    Page(method="GET", path=f"{PATH}/{{id}}", role=Role.OWNER, handler=edit),
    Page(method="GET", path=f"{PATH}/{{id}}/delete", role=Role.OWNER, handler=ask_delete),
    Page(method="POST", path=f"{PATH}/{{id}}", role=Role.OWNER, handler=change),
)
