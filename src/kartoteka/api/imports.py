"""Imports as they go: the list, one of them, its statement; pause, resume, cancel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from kartoteka.access.model import Rights
from kartoteka.api.answers import Answer, file_answer, json_answer, list_answer
from kartoteka.api.call import Call, InvalidParameter
from kartoteka.api.import_schemas import FORMAT, IMPORT_ID, OUTCOME, SESSION_ID
from kartoteka.api.paging import PAGING, read_page
from kartoteka.api.read_schemas import COUNTED
from kartoteka.api.routing import Reply, Route
from kartoteka.api.schemas import ref
from kartoteka.errors import NotFound
from kartoteka.imports.model import OUTCOMES, Import, State
from kartoteka.imports.shown import import_members
from kartoteka.imports.statement_csv import statement_csv
from kartoteka.imports.store import ImportNotFound

CSV_TYPE = b"text/csv; charset=utf-8"
MAPPED = 3_000
"""How many pairs importstatus shows: all of a bulk call; of a file the statement has the rest."""

_STATUS = {
    State.QUEUED: "STARTED",
    State.RUNNING: "IMPORTING",
    State.PAUSED: "IMPORTING",
    State.FINISHED: "FINISHED",
    State.CANCELLED: "ERROR",
    State.FAILED: "ERROR",
}
_SAID = {
    State.PAUSED: "The import is paused; it goes on when somebody resumes it.",
    State.CANCELLED: "The import was cancelled; what it had written stays.",
}


async def list_imports(call: Call) -> Answer:
    """GET /api/v1/imports: the newest first."""
    skip, limit = read_page(call)
    found, total = await call.services.imports.imports_of(call.account.account_id, skip, limit)
    return list_answer([import_members(one) for one in found], total)


async def get_import(call: Call) -> Answer:
    """GET /api/v1/imports/{id}."""
    one = await call.services.imports.find(call.account.account_id, import_id_of(call))
    return json_answer(import_members(one, await earlier(call, one)))


async def earlier(call: Call, one: Import) -> Import | None:
    """The import of the same file that `one` names, if its statement is still there."""
    if one.same_as is None:
        return None
    try:
        return await call.services.imports.find(one.account_id, one.same_as)
    except ImportNotFound:
        return None


def import_id_of(call: Call) -> int:
    """The id in the path. Raises `ImportNotFound` for one that no import can have."""
    try:
        return call.path_id()
    except NotFound:
        raise ImportNotFound from None


async def import_rows(call: Call) -> Answer:
    """GET /api/v1/imports/{id}/rows: the statement, a page as JSON or all of it as CSV."""
    import_id, outcome = import_id_of(call), _outcome(call)
    skip, limit = read_page(call)
    imports, account_id = call.services.imports, call.account.account_id
    if not _wants_csv(call):
        rows, total = await imports.rows(account_id, import_id, outcome, skip, limit)
        return list_answer(rows, total)
    await imports.find(account_id, import_id)
    name = f"import-{import_id}{f'-{outcome}' if outcome else ''}.csv"
    pages = imports.all_rows(account_id, import_id, outcome)
    return file_answer(statement_csv(pages), CSV_TYPE, name)


def _outcome(call: Call) -> str | None:
    word = call.query.get("outcome", "").strip().lower()
    if word and word not in OUTCOMES:
        raise InvalidParameter(f"outcome must be one of {', '.join(OUTCOMES)}.")
    return word or None


def _wants_csv(call: Call) -> bool:
    asked = call.query.get("format", "").strip().lower()
    if asked not in ("", "json", "csv"):
        raise InvalidParameter("format must be json or csv.")
    return asked == "csv" or (not asked and b"text/csv" in call.headers.get(b"accept", b"").lower())


def _changing(
    change: Callable[[Call, int], Awaitable[Import]],
) -> Callable[[Call], Awaitable[Answer]]:
    async def endpoint(call: Call) -> Answer:
        return json_answer(import_members(await change(call, import_id_of(call))))

    return endpoint


async def import_status(call: Call) -> Answer:
    """GET /api/v1/importstatus/{sessionId}: `mapping` is a list, whatever it holds (wire 3.10)."""
    session_id = call.path_text("sessionId", 100)
    imports, account_id = call.services.imports, call.account.account_id
    one = await imports.find_session(account_id, session_id)
    is_over = one.state not in (State.QUEUED, State.RUNNING)
    pairs = await imports.mapping(account_id, one.import_id, MAPPED) if is_over else []
    body = {
        "status": _STATUS[one.state],
        "timestamp": one.changed_at,
        "mapping": [{"dedupeValue": value, "contactId": found} for value, found in pairs],
    }
    if description := one.error or _SAID.get(one.state):
        body["description"] = description
    return json_answer(body)


def _change_route(
    word: str, change: Callable[[Call, int], Awaitable[Import]], description: str
) -> Route:
    return Route(
        method="POST",
        path=f"/api/v1/imports/{{id}}/{word}",
        operation=f"{word}Import",
        right=Rights.CONTACTS_WRITE,
        endpoint=_changing(change),
        summary=f"{word.capitalize()} an import",
        tag="Imports",
        description=description,
        parameters=(IMPORT_ID,),
        replies={200: Reply("The import.", ref("Import"))},
        errors=(400, 404, 409),
    )


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/imports",
        operation="listImports",
        right=Rights.CONTACTS_WRITE,
        endpoint=list_imports,
        summary="Imports, the newest first",
        tag="Imports",
        description="Bulk calls, links and files of the last 30 days.",
        parameters=PAGING,
        replies={200: Reply("A page.", {"type": "array", "items": ref("Import")}, headers=COUNTED)},
    ),
    Route(
        method="GET",
        path="/api/v1/imports/{id}",
        operation="getImport",
        right=Rights.CONTACTS_WRITE,
        endpoint=get_import,
        summary="One import: how far it is",
        tag="Imports",
        parameters=(IMPORT_ID,),
        replies={200: Reply("The import.", ref("Import"))},
        errors=(400, 404),
    ),
    Route(
        method="GET",
        path="/api/v1/imports/{id}/rows",
        operation="importRows",
        right=Rights.CONTACTS_WRITE,
        endpoint=import_rows,
        summary="The statement: what became of every row",
        tag="Imports",
        description="Kept 30 days. CSV is UTF-8 with a byte order mark, for spreadsheets; what they "
        "would take for a formula begins with an apostrophe.",
        parameters=(IMPORT_ID, OUTCOME, *PAGING, FORMAT),
        replies={
            200: Reply(
                "A page.",
                {"type": "array", "items": ref("ImportRow")},
                headers=COUNTED,
                also={"text/csv": {"type": "string"}},
            )
        },
        errors=(400, 404),
    ),
    _change_route(
        "pause",
        lambda call, import_id: call.services.imports.pause(call.account.account_id, import_id),
        "It stops after the rows that are under way; what is written stays.",
    ),
    _change_route(
        "resume",
        lambda call, import_id: call.services.imports.resume(call.account.account_id, import_id),
        "A paused or failed import goes on where it stopped.",
    ),
    _change_route(
        "cancel",
        lambda call, import_id: call.services.imports.cancel(call.account.account_id, import_id),
        "It stops for good; what is written stays and is listed in the statement.",
    ),
    Route(
        method="GET",
        path="/api/v1/importstatus/{sessionId}",
        operation="importStatus",
        right=Rights.CONTACTS_WRITE,
        endpoint=import_status,
        summary="How far a bulk call is",
        tag="Imports",
        description="Also for links and files. `mapping` has the first 3,000 rows that came to a "
        "contact; the statement has all.",
        parameters=(SESSION_ID,),
        replies={200: Reply("Its status.", ref("ImportStatus"))},
        errors=(400, 404),
    ),
)
