"""Exports: where contacts are copied to, how each run went, and what to do where it did not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from kartoteka.access.users import Role
from kartoteka.admin import texts
from kartoteka.admin.export_form import (
    LONG,
    REMOVABLE,
    SECRETS,
    TARGET_FIELDS,
    field_of,
    in_words,
    label_of,
    problems_of,
    read_export_form,
)
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page
from kartoteka.errors import Conflict, InvalidRequest, KartotekaError
from kartoteka.exports.asked import interval_text
from kartoteka.exports.datasets import DATASETS, LATEST
from kartoteka.exports.errors import ExportNotFound, TargetFailed
from kartoteka.exports.model import OVER, Export, State
from kartoteka.exports.targets import BY_NAME as TARGETS

ROWS = 100
RUNS = 25
_ONE = "/admin/exports/{id}"


async def exports(request: Request) -> Reply:
    """GET /admin/exports: a card each."""
    found, _ = await request.services.exports.exports_of(request.account_id, 0, ROWS)
    last = await request.services.exports.last_runs(
        request.account_id, [one.export_id for one in found]
    )
    return request.render(
        "exports.html",
        exports=found,
        last=last,
        targets=TARGETS,
        is_live=any(run.state not in OVER for run in last.values()),
    )


async def new(request: Request) -> Reply:
    """GET /admin/exports/new: first the target, then its form."""
    target = request.query.one("target")
    return _form(request, target if target in TARGETS else "", None)


def _form(
    request: Request,
    target: str,
    one: Export | None,
    *,
    problem: str = "",
    problems: dict[str, str] | None = None,
    checked: Any = None,
) -> Reply:
    return request.render(
        "export_form.html",
        400 if problem else 200,
        target=target,
        targets=TARGETS,
        one=one,
        fields=TARGET_FIELDS.get(target, ()),
        secrets=SECRETS.get(target, frozenset()),
        long=LONG,
        removable=REMOVABLE,
        label_of=label_of,
        datasets=DATASETS,
        chosen=_chosen(request, one),
        interval=request.form.one("interval") or (interval_text(one.interval_s) if one else ""),
        usual=interval_text(TARGETS[target].default_interval_s) if target else "",
        problem=problem,
        problems=problems or {},
        checked=checked,
    )


def _chosen(request: Request, one: Export | None) -> list[str]:
    if request.form.has("filled"):
        return request.form.all("dataset")
    return list(one.datasets) if one else [dataset.name for dataset in DATASETS]


async def look(request: Request) -> Reply:
    """POST /admin/exports/form: what is wrong with what is filled in so far; nothing is stored."""
    target = _target(request)
    exports, account_id = request.services.exports, request.account_id
    export_id = request.form.number("export_id")
    one = await exports.find(account_id, export_id) if export_id else None
    problems = await asyncio.to_thread(
        problems_of, request.form, target, exports.surroundings(account_id)
    )
    if "name" not in problems and await _is_taken(request, request.form.one("name"), export_id):
        problems["name"] = str(texts.text("exports.name_taken"))
    return _form(request, target, one, problems=problems)


def _target(request: Request) -> str:
    target = request.form.one("target")
    if target not in TARGETS:
        raise InvalidRequest(str(texts.text("exports.no_target")))
    return target


async def _is_taken(request: Request, name: str, export_id: int) -> bool:
    try:
        other = await request.services.exports.find_named(request.account_id, name)
    except ExportNotFound:
        return False
    return other.name == name and other.export_id != export_id


async def create(request: Request) -> Reply:
    """POST /admin/exports/new: made, or only tried (`check`)."""
    target = _target(request)
    services, account_id = request.services, request.account_id
    try:
        body = read_export_form(request.form, target)
        if request.form.flag("check"):
            notices = await services.exports.validate(account_id, _named(body))
            return _form(request, target, None, checked=notices)
        one = await services.exports.create(account_id, body)
    except (InvalidRequest, Conflict, TargetFailed) as error:
        return _refused(request, target, None, error)
    await request.note("export_created", one.export_id, target=target)
    return request.go(f"/admin/exports/{one.export_id}", "export_saved")


def _named(body: dict[str, Any]) -> dict[str, Any]:
    """A connection can be tried before the export has a name."""
    return body | {"name": body["name"] or "-"}


def _refused(request: Request, target: str, one: Export | None, error: KartotekaError) -> Reply:
    words = in_words(error.message, target)
    field = field_of(error.message)
    return _form(request, target, one, problem=words, problems={field: words} if field else {})


async def one_export(request: Request) -> Reply:
    """GET /admin/exports/{id}: runs with reasons."""
    services, account_id = request.services, request.account_id
    one = await services.exports.find(account_id, request.id())
    skip = request.query.number("skip")
    runs, total = await services.exports.runs(account_id, one.export_id, skip, RUNS)
    return request.render(
        "export.html",
        one=one,
        label=TARGETS[one.target].label,
        label_of=label_of,
        runs=runs,
        total=total,
        skip=skip,
        size=RUNS,
        has_new_columns=one.columns_version < LATEST,
        is_live=any(run.state not in OVER for run in runs)
        or (not runs and one.state == State.ACTIVE),
    )


async def edit(request: Request) -> Reply:
    """GET /admin/exports/{id}/edit."""
    one = await request.services.exports.find(request.account_id, request.id())
    return _form(request, one.target, one)


async def save(request: Request) -> Reply:
    """POST /admin/exports/{id}/edit: secrets that stay blank stay as they are."""
    services, account_id = request.services, request.account_id
    one = await services.exports.find(account_id, request.id())
    before = services.exports.given_settings(one)
    try:
        body = read_export_form(request.form, one.target, before)
        if request.form.flag("check"):
            notices = await services.exports.validate(
                account_id, {"settings": before, **_named(body)}
            )
            return _form(request, one.target, one, checked=notices)
        del body["target"]
        await services.exports.change(account_id, one.export_id, body)
    except (InvalidRequest, Conflict, TargetFailed) as error:
        return _refused(request, one.target, one, error)
    await request.note("export_changed", one.export_id)
    return request.go(f"/admin/exports/{one.export_id}", "export_saved")


async def check(request: Request) -> Reply:
    """POST /admin/exports/{id}/check: connects and looks."""
    services, account_id = request.services, request.account_id
    one = await services.exports.find(account_id, request.id())
    try:
        notices = await services.exports.validate_known(account_id, one.export_id)
    except TargetFailed as error:
        return request.render("export_check.html", one=one, notices=[], reason=error.message)
    return request.render("export_check.html", one=one, notices=notices, reason="")


def _changing(word: str) -> Callable[[Request], Awaitable[Reply]]:
    async def change(request: Request) -> Reply:
        exports, account_id, export_id = request.services.exports, request.account_id, request.id()
        if word == "run":
            await exports.ask_for_run(account_id, export_id, full=request.form.flag("full"))
        elif word == "columns":
            await exports.change(account_id, export_id, {"newColumns": True})
        else:
            await {"pause": exports.pause, "resume": exports.resume}[word](account_id, export_id)
        await request.note(f"export_{word}", export_id)
        return request.go(f"/admin/exports/{export_id}", f"export_{word}")

    return change


async def ask_delete(request: Request) -> Reply:
    """GET /admin/exports/{id}/delete."""
    one = await request.services.exports.find(request.account_id, request.id())
    return request.render("export_delete.html", one=one)


async def delete(request: Request) -> Reply:
    """POST /admin/exports/{id}/delete: what it wrote stays."""
    await request.services.exports.delete(request.account_id, request.id())
    await request.note("export_deleted", request.id())
    return request.go("/admin/exports", "export_deleted")


PAGES = (
    Page(method="GET", path="/admin/exports", role=Role.READER, handler=exports),
    Page(method="GET", path="/admin/exports/new", role=Role.OWNER, handler=new),
    Page(method="POST", path="/admin/exports/new", role=Role.OWNER, handler=create),
    Page(method="POST", path="/admin/exports/form", role=Role.OWNER, handler=look),
    Page(method="GET", path=_ONE, role=Role.READER, handler=one_export),
    Page(method="GET", path=f"{_ONE}/edit", role=Role.OWNER, handler=edit),
    Page(method="POST", path=f"{_ONE}/edit", role=Role.OWNER, handler=save),
    Page(method="POST", path=f"{_ONE}/check", role=Role.MARKETER, handler=check),
    Page(method="GET", path=f"{_ONE}/delete", role=Role.OWNER, handler=ask_delete),
    Page(method="POST", path=f"{_ONE}/delete", role=Role.OWNER, handler=delete),
    *(
        Page(method="POST", path=f"{_ONE}/{word}", role=Role.MARKETER, handler=_changing(word))
        for word in ("run", "pause", "resume", "columns")
    ),
)
