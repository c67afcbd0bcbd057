"""How this account wants Kartoteka to decide: every setting with its meaning and consequence."""

from __future__ import annotations

from kartoteka.access.setting_values import SETTINGS, InvalidSetting, Value, as_text, read_pairs
from kartoteka.access.users import Role
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page

PATH = "/admin/settings/account"


async def settings(request: Request) -> Reply:
    """GET /admin/settings/account."""
    account = await request.services.accounts.read(request.account_id)
    values = {name: as_text(getattr(account.settings, name)) for name in SETTINGS}
    return _page(request, values)


def _page(request: Request, values: dict[str, str], problem: str = "", at: str = "") -> Reply:
    return request.render(
        "settings_account.html",
        400 if problem else 200,
        settings=list(SETTINGS.values()),
        values=values,
        problem=problem,
        at=at,
        as_text=as_text,
    )


async def save(request: Request) -> Reply:
    """POST /admin/settings/account: only what is another value than before."""
    account = await request.services.accounts.read(request.account_id)
    before = {name: as_text(getattr(account.settings, name)) for name in SETTINGS}
    given = {name: request.form.one(name) for name in SETTINGS if request.form.has(name)}
    changes: dict[str, Value | None] = {}
    for name, text in given.items():
        if text != before[name]:
            try:
                changes.update(read_pairs([f"{name}={text}"]))
            except InvalidSetting as error:
                return _page(request, before | given, error.message, name)
    if changes:
        await request.services.accounts.change_settings(request.account_id, changes)
        request.services.keys.forget()
        await request.note("settings_changed", "", settings=sorted(changes))
    return request.go(PATH, "settings_saved")


PAGES = (
    Page(method="GET", path=PATH, role=Role.OWNER, handler=settings),
    Page(method="POST", path=PATH, role=Role.OWNER, handler=save),
)
