"""What admins did, newest first."""

from __future__ import annotations

from kartoteka.access.users import Role
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page

ROWS = 50
TOP = 2**63 - 1


async def audit(request: Request) -> Reply:
    """GET /admin/settings/audit."""
    before = request.query.number("before") or TOP
    rows = await request.services.users.audit(request.account_id, before=before, rows=ROWS + 1)
    return request.render(
        "settings_audit.html",
        rows=rows[:ROWS],
        logins={
            str(one.user_id): one.login
            for one in await request.services.users.all(request.account_id)
        },
        older=rows[ROWS - 1].audit_id if len(rows) > ROWS else None,
        is_first=before == TOP,
    )


PAGES = (Page(method="GET", path="/admin/settings/audit", role=Role.OWNER, handler=audit),)
