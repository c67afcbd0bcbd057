"""Subscription categories: what people subscribe to and leave."""

from __future__ import annotations

from kartoteka.access.users import Role
from kartoteka.admin import texts
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page

PATH = "/admin/settings/categories"
MAX_CHARS = 100


async def categories(request: Request) -> Reply:
    """GET /admin/settings/categories."""
    return await _page(request)


async def _page(request: Request, problem: str = "", status: int = 200) -> Reply:
    identities = request.services.identities
    found = await identities.categories(request.account_id)
    counts = await identities.category_counts(request.account_id) if found else {}
    return request.render(
        "settings_categories.html", status, categories=found, counts=counts, problem=problem
    )


async def save(request: Request) -> Reply:
    """POST /admin/settings/categories: a new key, or another name for one."""
    key, name = request.form.one("key"), request.form.one("name")
    if not key or not name or max(len(key), len(name)) > MAX_CHARS:
        return await _page(request, str(texts.text("categories.wrong")), 400)
    await request.services.identities.name_category(request.account_id, key, name, request.at)
    await request.note("category_saved", key)
    return request.go(PATH, "category_saved")


PAGES = (
    Page(method="GET", path=PATH, role=Role.READER, handler=categories),
    Page(method="POST", path=PATH, role=Role.OWNER, handler=save),
)
