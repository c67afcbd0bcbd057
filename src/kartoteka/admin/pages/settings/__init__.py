"""Settings: one module a thing; each line of the second menu is one of these."""

from __future__ import annotations

from kartoteka.access.users import Role
from kartoteka.admin.pages.settings import (
    account,
    apps,
    audit,
    categories,
    event_types,
    fields,
    keys,
    users,
    webhooks,
    websites,
)
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page


async def index(request: Request) -> Reply:
    """GET /admin/settings: the first page that the role may see."""
    return request.go(
        "/admin/settings/keys" if request.may(Role.OWNER) else "/admin/settings/fields"
    )


PAGES = (
    Page(method="GET", path="/admin/settings", role=Role.READER, handler=index),
    *keys.PAGES,
    *fields.PAGES,
    *categories.PAGES,
    *websites.PAGES,
    *apps.PAGES,
    *event_types.PAGES,
    *webhooks.PAGES,
    *account.PAGES,
    *users.PAGES,
    *audit.PAGES,
)
