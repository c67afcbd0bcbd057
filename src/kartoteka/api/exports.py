"""Exports: made, looked at, run, paused; the history of their runs. Only for keys with full rights."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from kartoteka.access.model import Rights
from kartoteka.api.answers import Answer, json_answer, list_answer, text_answer
from kartoteka.api.call import Call
from kartoteka.api.export_schemas import CHANGE, EXPORT, EXPORT_ID, FULL, NEW, RUN, VALID, WAIT
from kartoteka.api.paging import PAGING, read_page
from kartoteka.api.read_schemas import COUNTED
from kartoteka.api.routing import Reply, Route, Schema
from kartoteka.api.schemas import SENTENCE
from kartoteka.errors import NotFound
from kartoteka.exports.datasets import DATASETS, LATEST, LEFT_OUT
from kartoteka.exports.errors import ExportNotFound, TargetFailed
from kartoteka.exports.model import Export
from kartoteka.exports.shown import export_members, run_members

WAIT_S = 600.0
"""How long `?wait=true` waits; the run goes on afterwards."""
BODY_BYTES = 1_000_000


async def create_export(call: Call) -> Answer:
    """POST /api/v1/exports: its first run begins at once."""
    body = await call.json_object()
    one = await call.services.exports.create(call.account.account_id, body)
    return json_answer(export_members(one, None))


async def list_exports(call: Call) -> Answer:
    """GET /api/v1/exports."""
    skip, limit = read_page(call)
    found, total = await call.services.exports.exports_of(call.account.account_id, skip, limit)
    return list_answer([await _members(call, one) for one in found], total)


async def get_export(call: Call) -> Answer:
    """GET /api/v1/exports/{id}."""
    one = await call.services.exports.find(call.account.account_id, _export_id(call))
    return json_answer(await _members(call, one))


async def change_export(call: Call) -> Answer:
    """PATCH /api/v1/exports/{id}: what is given is replaced."""
    export_id, body = _export_id(call), await call.json_object()
    one = await call.services.exports.change(call.account.account_id, export_id, body)
    return json_answer(await _members(call, one))


async def delete_export(call: Call) -> Answer:
    """DELETE /api/v1/exports/{id}: what it wrote stays."""
    export_id = _export_id(call)
    await call.services.exports.delete(call.account.account_id, export_id)
    return text_answer(f"Export with id='{export_id}' has been deleted")


async def run_export(call: Call) -> Answer:
    """POST /api/v1/exports/{id}/run: queued, or with `wait` over."""
    export_id = _export_id(call)
    wait, full = call.flag("wait"), call.flag("full")
    exports, account_id = call.services.exports, call.account.account_id
    run = await exports.ask_for_run(account_id, export_id, full=full)
    if wait:
        run = await exports.wait(account_id, run, WAIT_S)
    return json_answer(run_members(run))


async def list_runs(call: Call) -> Answer:
    """GET /api/v1/exports/{id}/runs: the newest first."""
    export_id = _export_id(call)
    skip, limit = read_page(call)
    runs, total = await call.services.exports.runs(call.account.account_id, export_id, skip, limit)
    return list_answer([run_members(run) for run in runs], total)


async def validate_export(call: Call) -> Answer:
    """POST /api/v1/exports/validate: connects and looks. A target that fails is an answer."""
    body = await call.json_object()
    exports, account_id = call.services.exports, call.account.account_id
    try:
        if isinstance(body.get("id"), int):
            notices = await exports.validate_known(account_id, body["id"])
        else:
            notices = await exports.validate(account_id, body)
    except TargetFailed as error:
        return json_answer(
            {"valid": False, "code": error.code, "error": error.message, "warnings": []}
        )
    return json_answer({"valid": True, "warnings": notices})


async def list_datasets(_call: Call) -> Answer:
    """GET /api/v1/exports/datasets: what there is to export, with its columns."""
    found = [
        {
            "name": one.name,
            "label": one.label,
            "columns": [
                {"name": column.name, "type": column.type.value}
                for column in one.columns_of(LATEST, keep_removed=False)
            ],
        }
        for one in DATASETS
    ]
    left_out = [{"name": name, "reason": reason} for name, reason in LEFT_OUT.items()]
    return json_answer({"datasets": found, "leftOut": left_out})


def _changing(
    change: Callable[[Call, int], Awaitable[Export]],
) -> Callable[[Call], Awaitable[Answer]]:
    async def endpoint(call: Call) -> Answer:
        return json_answer(await _members(call, await change(call, _export_id(call))))

    return endpoint


async def _members(call: Call, one: Export) -> dict[str, Any]:
    last = await call.services.exports.last_run(one.account_id, one.export_id)
    return export_members(one, last)


def _export_id(call: Call) -> int:
    try:
        return call.path_id()
    except NotFound:
        raise ExportNotFound from None


def _route(
    method: str,
    path: str,
    operation: str,
    endpoint: Callable[[Call], Awaitable[Answer]],
    *,
    summary: str,
    reply: Reply,
    **more: Any,
) -> Route:
    return Route(
        method=method,
        path=f"/api/v1/exports{path}",
        operation=operation,
        right=Rights.FULL,
        endpoint=endpoint,
        summary=summary,
        tag="Exports",
        replies={200: reply},
        max_body_bytes=BODY_BYTES,
        **more,
    )


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


_ONE = (EXPORT_ID,)

ROUTES = (
    _route(
        "POST",
        "",
        "createExport",
        create_export,
        summary="Make an export",
        reply=Reply("The export; its first run is due now.", EXPORT),
        description="Copies data sets into PostgreSQL, BigQuery or files, and keeps them current. "
        "Credentials are encrypted and never shown again.",
        body=NEW,
        errors=(400, 409, 413, 415),
    ),
    _route(
        "GET",
        "",
        "listExports",
        list_exports,
        summary="Exports",
        reply=Reply("A page, by id.", _list(EXPORT), headers=COUNTED),
        parameters=PAGING,
    ),
    _route(
        "GET",
        "/datasets",
        "exportDatasets",
        list_datasets,
        summary="What can be exported",
        reply=Reply("Data sets and their columns.", {"type": "object"}),
    ),
    _route(
        "POST",
        "/validate",
        "validateExport",
        validate_export,
        summary="Try a connection",
        reply=Reply("Whether it can be used, and what to know about it.", VALID),
        description="The body of a new export, or `id` of an export that there is. Nothing is stored "
        "and nothing written.",
        body=NEW,
        errors=(400, 404, 413, 415),
    ),
    _route(
        "GET",
        "/{id}",
        "getExport",
        get_export,
        summary="One export",
        reply=Reply("The export.", EXPORT),
        parameters=_ONE,
        errors=(400, 404),
    ),
    _route(
        "PATCH",
        "/{id}",
        "changeExport",
        change_export,
        summary="Change an export",
        reply=Reply("The export.", EXPORT),
        description="`newColumns: true` gives an old export the columns that were added since.",
        parameters=_ONE,
        body=CHANGE,
        errors=(400, 404, 409, 413, 415),
    ),
    _route(
        "DELETE",
        "/{id}",
        "deleteExport",
        delete_export,
        summary="Delete an export",
        reply=Reply("A sentence.", SENTENCE),
        description="Its tables and files stay where they are.",
        parameters=_ONE,
        errors=(400, 404),
    ),
    _route(
        "POST",
        "/{id}/run",
        "runExport",
        run_export,
        summary="Run an export now",
        reply=Reply("The run: queued, or over with `wait`.", RUN),
        description="It has all that was written before this call. A run that waits already is "
        "answered.",
        parameters=(EXPORT_ID, WAIT, FULL),
        errors=(400, 404),
    ),
    _route(
        "GET",
        "/{id}/runs",
        "exportRuns",
        list_runs,
        summary="Runs of an export",
        reply=Reply("A page, the newest first; kept for 90 days.", _list(RUN), headers=COUNTED),
        parameters=(EXPORT_ID, *PAGING),
        errors=(400, 404),
    ),
    *(
        _route(
            "POST",
            f"/{{id}}/{word}",
            f"{word}Export",
            _changing(change),
            summary=f"{word.capitalize()} an export",
            reply=Reply("The export.", EXPORT),
            description=description,
            parameters=_ONE,
            errors=(400, 404),
        )
        for word, change, description in (
            (
                "pause",
                lambda call, number: call.services.exports.pause(call.account.account_id, number),
                "A run under way stops; what it has written stays.",
            ),
            (
                "resume",
                lambda call, number: call.services.exports.resume(call.account.account_id, number),
                "It goes on where it was, at once.",
            ),
        )
    ),
)
