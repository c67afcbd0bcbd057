"""API keys: by kind, with rights; a key's text is shown once."""

from __future__ import annotations

from kartoteka.access.model import KEY_RIGHTS, KeyKind, Rights
from kartoteka.access.users import Role
from kartoteka.admin import texts
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page
from kartoteka.errors import InvalidRequest

PATH = "/admin/settings/keys"


async def keys(request: Request) -> Reply:
    """GET /admin/settings/keys."""
    return await _page(request)


async def _page(request: Request, *, new: str = "", problem: str = "", status: int = 200) -> Reply:
    found = await request.services.key_admin(request.account_id).all()
    return request.render(
        "settings_keys.html",
        status,
        keys=found,
        new=new,
        problem=problem,
        kinds=[(kind.value, texts.text(f"key_kind.{kind.value}")) for kind in KeyKind],
        rights=[(right.stored, right.label) for right in KEY_RIGHTS],
    )


async def create(request: Request) -> Reply:
    """POST /admin/settings/keys: answered with the page itself, so that no address leads to the text."""
    form = request.form
    kind = form.one("kind")
    if kind not in list(KeyKind):
        raise InvalidRequest(str(texts.text("keys.kind_unknown")))
    word = form.one("rights").upper()
    rights = Rights[word] if kind == KeyKind.SERVER and word in Rights.__members__ else None
    try:
        new = await request.services.key_admin(request.account_id).create(
            KeyKind(kind), rights, form.one("description")
        )
    except InvalidRequest as error:
        return await _page(request, problem=error.message, status=400)
    await request.note("key_created", new.key.key_id, kind=kind, rights=new.key.rights.stored)
    return await _page(request, new=new.text)


async def change(request: Request) -> Reply:
    """POST /admin/settings/keys/{id}: disable, enable or delete it."""
    admin, key_id = request.services.key_admin(request.account_id), request.id()
    action = request.form.one("action")
    if action == "delete":
        await admin.delete(key_id)
    elif action == "disable":
        await admin.disable(key_id)
    else:
        action = "enable"
        await admin.enable(key_id)
    request.services.keys.forget()
    await request.note(f"key_{action}", key_id)
    return request.go(PATH, "key_deleted" if action == "delete" else "key_changed")


async def ask_delete(request: Request) -> Reply:
    """GET /admin/settings/keys/{id}/delete."""
    key = await request.services.key_admin(request.account_id).get(request.id())
    return request.render("settings_key_delete.html", key=key)


PAGES = (
    Page(method="GET", path=PATH, role=Role.OWNER, handler=keys),
    Page(method="POST", path=PATH, role=Role.OWNER, handler=create),
    Page(method="POST", path=f"{PATH}/{{id}}", role=Role.OWNER, handler=change),
    Page(method="GET", path=f"{PATH}/{{id}}/delete", role=Role.OWNER, handler=ask_delete),
)
