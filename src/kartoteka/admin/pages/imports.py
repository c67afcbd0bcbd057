"""Imports: a file comes, is looked into, put right, carried out; the statement of every row."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from kartoteka.access.users import Role
from kartoteka.admin.bodies import Fields
from kartoteka.admin.csrf import check_token
from kartoteka.admin.import_form import read_fixes, read_import_form
from kartoteka.admin.pictures.outcomes import outcome_bar
from kartoteka.admin.replies import Reply, download
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page
from kartoteka.contacts.model import Unique
from kartoteka.contacts.uniques import UNIQUES
from kartoteka.errors import InvalidRequest, KartotekaError
from kartoteka.imports.asked import AskedOptions
from kartoteka.imports.fields import all_fields
from kartoteka.imports.files_of import unlink
from kartoteka.imports.fixing import FIXED, fixed_copy, with_fixes
from kartoteka.imports.mapping import guess_columns
from kartoteka.imports.members import InvalidOptions
from kartoteka.imports.model import OUTCOMES, FileInfo, Import, Source, State
from kartoteka.imports.options import FileOptions, settle_options
from kartoteka.imports.preview import Preview, preview
from kartoteka.imports.settling import SettledFile, look_into
from kartoteka.imports.shown import percent_of, seconds_left
from kartoteka.imports.statement_csv import statement_csv
from kartoteka.imports.store import ImportNotFound

PAGE = 25
ROWS = 50
LIVE = (State.QUEUED, State.RUNNING)


async def imports(request: Request) -> Reply:
    """GET /admin/imports: the drop zone and what was imported before."""
    return await _list(request)


async def _list(request: Request, problem: str = "", status: int = 200) -> Reply:
    skip = request.query.number("skip")
    found, total = await request.services.imports.imports_of(request.account_id, skip, PAGE)
    return request.render(
        "imports.html",
        status,
        imports=found,
        total=total,
        skip=skip,
        size=PAGE,
        problem=problem,
        percent_of=percent_of,
        is_live=any(one.state in LIVE for one in found),
    )


async def upload(request: Request) -> Reply:
    """POST /admin/imports/upload: the file is on disk before anybody looks into it."""
    services = request.services
    try:
        file, texts = await services.receive_upload(
            request.receive, request.headers, services.imports.folder
        )
    except InvalidRequest as error:
        return await _list(request, error.message, 400)
    except KartotekaError as error:
        return await _list(request, error.message, 413)
    try:
        pairs = [(name, text.decode("utf-8", "replace")) for name, text in texts.items()]
        check_token(request, Fields(pairs))
        await look_into(file, AskedOptions())
        token = await services.imports.keep_upload(request.account_id, file)
    except InvalidRequest as error:
        await asyncio.to_thread(unlink, Path(file.path))
        return await _list(request, error.message, 400)
    except BaseException:
        await asyncio.to_thread(unlink, Path(file.path))
        raise
    return request.go(f"/admin/imports/file/{token}")


async def look(request: Request) -> Reply:
    """GET and POST /admin/imports/file/{token}: what the file would come to, as the form has it."""
    file = await _file(request)
    return await _look(request, file)


async def _file(request: Request) -> FileInfo:
    return await request.services.imports.find_upload(request.account_id, request.params["token"])


async def _look(request: Request, file: FileInfo, problem: str = "") -> Reply:
    asked = AskedOptions()
    try:
        asked = read_import_form(request.form)
    except InvalidOptions as error:
        problem = error.message
    layout, records = await look_into(file, asked)
    fixes = read_fixes(request.form)
    fixed = with_fixes(records, fixes, header=asked.header)
    definitions = await request.services.definitions.read(request.account_id)
    first = fixed[0] if fixed else []
    try:
        options = settle_options(asked, first, definitions)
        shown = preview(fixed, options, request.region, definitions)
    except InvalidOptions as error:
        problem = problem or error.message
        shown, options = _unsettled(request, asked, fixed, definitions)
    return request.render(
        "import_file.html",
        400 if problem else 200,
        file=file,
        token=request.params["token"],
        layout=layout,
        shown=shown,
        options=options,
        asked=asked,
        problem=problem,
        fixes=fixes,
        originals=records[asked.header :],
        fields=all_fields(definitions),
        uniques=_unique_options(definitions),
    )


def _unsettled(
    request: Request, asked: AskedOptions, records: list[list[str]], definitions: Any
) -> tuple[Preview, FileOptions]:
    """The columns of a file whose options do not fit yet, so that they can be mapped."""
    first = records[0] if records else []
    if isinstance(asked.map, list):
        columns = [name or None for name in asked.map][: len(first)]
    else:
        columns = guess_columns(first, definitions) if asked.header else [None] * len(first)
    options = FileOptions(
        unique=Unique("externalCustomerId"), columns=tuple(columns), header=asked.header
    )
    shown = preview(records, options, request.region, definitions)
    return msgspec.structs.replace(shown, rows=(), counts={}), options


def _unique_options(definitions: Any) -> list[tuple[str, str]]:
    named = [(name, one.label) for name, one in UNIQUES.items() if name != "fieldId"]
    return [*named, *((f"fields.{one.id}", one.name) for one in definitions.values())]


async def start(request: Request) -> Reply:
    """POST /admin/imports/file/{token}/start: queued, or carried out and rolled back (dry run)."""
    file = await _file(request)
    services, account_id = request.services, request.account_id
    try:
        asked = read_import_form(request.form)
        layout, records = await look_into(file, asked)
        fixes = read_fixes(request.form)
        definitions = await services.definitions.read(account_id)
        fixed = with_fixes(records, fixes, header=asked.header)
        options = settle_options(asked, fixed[0] if fixed else [], definitions)
    except InvalidOptions as error:
        return await _look(request, file, error.message)
    token: str | None = request.params["token"]
    if fixes or asked.dry_run:
        # A copy of its own: the upload waits on, for another look or the real import.
        file = await fixed_copy(file, layout, fixes, services.imports.folder, header=asked.header)
        layout = FIXED
        options = msgspec.structs.replace(options, encoding="utf-8", delimiter=",")
        token = None
    settled = SettledFile(file, layout, fixed, options)
    one = await services.imports.start_file(
        account_id,
        request.origin(),
        Source.FILE,
        file,
        options.rules(),
        options=settled.stored(),
        dry_run=asked.dry_run,
        upload=token,
    )
    await request.note("import_started", one.import_id, dry_run=asked.dry_run)
    return request.go(f"/admin/imports/{one.import_id}", "import_started")


async def one_import(request: Request) -> Reply:
    """GET /admin/imports/{id}: how far it is, and its statement."""
    services, account_id = request.services, request.account_id
    one = await services.imports.find(account_id, request.id())
    outcome = request.query.one("outcome")
    outcome = outcome if outcome in OUTCOMES else ""
    skip = request.query.number("skip")
    rows, total = await services.imports.rows(
        account_id, one.import_id, outcome or None, skip, ROWS
    )
    return request.render(
        "import.html",
        one=one,
        rows=rows,
        total=total,
        outcome=outcome,
        skip=skip,
        size=ROWS,
        percent=percent_of(one),
        left=seconds_left(one),
        bar=outcome_bar(one.counts),
        outcomes=OUTCOMES,
        is_live=one.state in LIVE,
        earlier=await _earlier(request, one),
    )


async def _earlier(request: Request, one: Import) -> Import | None:
    if one.same_as is None:
        return None
    try:
        return await request.services.imports.find(request.account_id, one.same_as)
    except ImportNotFound:
        return None


async def statement(request: Request) -> Reply:
    """GET /admin/imports/{id}/statement.csv: all of it, or one outcome."""
    imports, account_id = request.services.imports, request.account_id
    one = await imports.find(account_id, request.id())
    outcome = request.query.one("outcome")
    outcome = outcome if outcome in OUTCOMES else ""
    name = f"import-{one.import_id}{f'-{outcome}' if outcome else ''}.csv"
    pages = imports.all_rows(account_id, one.import_id, outcome or None)
    return download(statement_csv(pages), b"text/csv; charset=utf-8", name)


def _changing(word: str) -> Callable[[Request], Awaitable[Reply]]:
    async def change(request: Request) -> Reply:
        imports = request.services.imports
        do = {"pause": imports.pause, "resume": imports.resume, "cancel": imports.cancel}[word]
        one = await do(request.account_id, request.id())
        await request.note(f"import_{word}", one.import_id)
        return request.go(f"/admin/imports/{one.import_id}", "import_changed")

    return change


_FILE = "/admin/imports/file/{token}"
_ONE = "/admin/imports/{id}"
PAGES = (
    Page(method="GET", path="/admin/imports", role=Role.READER, handler=imports),
    Page(
        method="POST",
        path="/admin/imports/upload",
        role=Role.MARKETER,
        handler=upload,
        uploads=True,
    ),
    Page(method="GET", path=_FILE, role=Role.MARKETER, handler=look),
    Page(method="POST", path=_FILE, role=Role.MARKETER, handler=look),
    Page(method="POST", path=f"{_FILE}/start", role=Role.MARKETER, handler=start),
    Page(method="GET", path=_ONE, role=Role.READER, handler=one_import),
    Page(method="GET", path=f"{_ONE}/statement.csv", role=Role.READER, handler=statement),
    *(
        Page(method="POST", path=f"{_ONE}/{word}", role=Role.MARKETER, handler=_changing(word))
        for word in ("pause", "resume", "cancel")
    ),
)
