"""How this account wants Kartoteka to decide: every setting with its meaning and consequence."""

from __future__ import annotations

import shlex

import msgspec

from kartoteka.access.setting_values import SETTINGS, InvalidSetting, Value, as_text, read_pairs
from kartoteka.access.users import Role
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page
from kartoteka.contacts.what_if import Asked
from kartoteka.contacts.what_if_report import WhatIf
from kartoteka.contacts.what_if_store import what_if
from kartoteka.errors import KartotekaError
from kartoteka.identity.account_check import check_settings
from kartoteka.identity.account_rules import rules_of

PATH = "/admin/settings/account"
IDENTITY = ("absorb", "phone_is_personal", "keep_former_ids", "never_identifiers")
"""Settings that decide whose card a request is about: what others would make of the past is shown."""
MOST_TOLD = 20_000
"""Rows of the history that are told again while somebody waits; beyond, the command line does it."""
MOST_NAMED = 20


async def settings(request: Request) -> Reply:
    """GET /admin/settings/account."""
    account = await request.services.accounts.read(request.account_id)
    values = {name: as_text(getattr(account.settings, name)) for name in SETTINGS}
    return _page(request, values)


def _page(
    request: Request,
    values: dict[str, str],
    problem: str = "",
    at: str = "",
    *,
    told: WhatIf | None = None,
    command: str = "",
) -> Reply:
    return request.render(
        "settings_account.html",
        400 if problem else 200,
        settings=list(SETTINGS.values()),
        identity=IDENTITY,
        values=values,
        problem=problem,
        at=at,
        as_text=as_text,
        told=told,
        command=command,
        most=MOST_NAMED,
    )


async def save(request: Request) -> Reply:
    """POST /admin/settings/account: only what is another value than before."""
    account = await request.services.accounts.read(request.account_id)
    before = {name: as_text(getattr(account.settings, name)) for name in SETTINGS}
    given = _given(request)
    try:
        changes = _changes(before, given)
    except Wrong as wrong:
        return _page(request, before | given, wrong.problem, wrong.setting)
    if changes:
        await request.services.accounts.change_settings(request.account_id, changes)
        request.services.keys.forget()
        await request.note("settings_changed", "", settings=sorted(changes))
    return request.go(PATH, "settings_saved")


async def preview(request: Request) -> Reply:
    """POST /admin/settings/account/what-if: what these settings would have made of the past."""
    services, account_id = request.services, request.account_id
    account = await services.accounts.read(account_id)
    before = {name: as_text(getattr(account.settings, name)) for name in SETTINGS}
    given = _given(request)
    try:
        changes = _changes(before, given)
    except Wrong as wrong:
        return _page(request, before | given, wrong.problem, wrong.setting)
    chosen = {
        name: SETTINGS[name].default if value is None else value
        for name, value in changes.items()
        if name in IDENTITY
    }
    changed = msgspec.structs.replace(account.settings, **chosen)
    try:
        check_settings(changed)
    except KartotekaError as error:
        return _page(request, before | given, error.message)
    if await services.browsing.history_exceeds(account_id, MOST_TOLD):
        words = (f"{name}={given[name]}" for name in chosen)
        command = shlex.join(
            ["kartoteka", "identity", "what-if", "--account", account.name, *words]
        )
        return _page(request, before | given, command=command)
    asked = Asked(rules_of(account.settings), rules_of(changed), None)
    told = await what_if(services.database, account_id, asked)
    return _page(request, before | given, told=told)


class Wrong(Exception):
    """A setting that cannot be as typed."""

    def __init__(self, setting: str, problem: str) -> None:
        super().__init__(problem)
        self.setting, self.problem = setting, problem


def _given(request: Request) -> dict[str, str]:
    return {name: request.form.one(name) for name in SETTINGS if request.form.has(name)}


def _changes(before: dict[str, str], given: dict[str, str]) -> dict[str, Value | None]:
    """What is another value than before. Raises `Wrong`."""
    changes: dict[str, Value | None] = {}
    for name, text in given.items():
        if text != before[name]:
            try:
                changes.update(read_pairs([f"{name}={text}"]))
            except InvalidSetting as error:
                raise Wrong(name, error.message) from None
    return changes


PAGES = (
    Page(method="GET", path=PATH, role=Role.OWNER, handler=settings),
    Page(method="POST", path=PATH, role=Role.OWNER, handler=save),
    Page(method="POST", path=f"{PATH}/what-if", role=Role.OWNER, handler=preview),
)
