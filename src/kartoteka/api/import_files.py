"""Files to import: sent as they are, sent for a preview first, or fetched from a link."""

from __future__ import annotations

import asyncio
import secrets
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from kartoteka.access.model import Rights
from kartoteka.api.answers import Answer, json_answer
from kartoteka.api.bodies import InvalidBody
from kartoteka.api.call import Call
from kartoteka.api.imports import earlier
from kartoteka.api.routing import Reply, Route
from kartoteka.api.schemas import ref
from kartoteka.api.uploads import is_form, receive_form
from kartoteka.errors import UnsupportedMedia
from kartoteka.identity.kinds import Region
from kartoteka.imports.arrivals import clean_name, link
from kartoteka.imports.files_of import unlink
from kartoteka.imports.link_options import link_options, read_link_options
from kartoteka.imports.model import FileInfo, Source
from kartoteka.imports.options import AskedOptions, read_options
from kartoteka.imports.settling import Look, SettledFile, preview_file, settle_file
from kartoteka.imports.shown import import_members, mapping_members

_HOW_TO_SEND = (
    "Send the file as multipart/form-data (parts file and options), or JSON with upload: the token of "
    "an earlier preview."
)


class Given(msgspec.Struct, frozen=True):
    """A file of this call, or one that was uploaded for a preview, with options as JSON."""

    file: FileInfo
    options: Any
    upload: str | None
    """The token it waits under; None: it is here only for this call."""

    async def for_dry_run(self) -> Given:
        """The same with a file that may go when the rehearsal is over: the upload waits on."""
        if self.upload is None:
            return self
        path = Path(self.file.path)
        own = path.with_name(secrets.token_hex(16))
        await asyncio.to_thread(link, path, own)
        return Given(msgspec.structs.replace(self.file, path=str(own)), self.options, None)

    async def discard(self) -> None:
        """Take away a file that only this call knows."""
        if self.upload is None:
            await asyncio.to_thread(unlink, Path(self.file.path))


async def start_import(call: Call) -> Answer:
    """POST /api/v1/imports: back when the file is looked into and the import cannot be lost."""
    given = await _given(call)
    try:
        asked = _options(call, given)
        definitions = await call.services.definitions.read(call.account.account_id)
        settled = await settle_file(given.file, asked, definitions)
    except BaseException:
        await given.discard()
        raise
    if asked.dry_run:
        given = await given.for_dry_run()
    one = await call.services.imports.start_file(
        call.account.account_id,
        call.origin(),
        Source.FILE,
        given.file,
        settled.options.rules(),
        options=settled.stored(),
        dry_run=asked.dry_run,
        upload=given.upload,
    )
    members = import_members(one, await earlier(call, one))
    return json_answer({**members, **_of_file(settled)})


def _of_file(settled: SettledFile) -> dict[str, Any]:
    options = settled.options
    return {
        "mapping": mapping_members(options.columns, options.guessed, settled.headings()),
        "notices": options.notices,
    }


async def preview_import(call: Call) -> Answer:
    """POST /api/v1/imports/preview: the first rows, and a token under which the file waits a day."""
    given = await _given(call)
    try:
        asked = _options(call, given)
        definitions = await call.services.definitions.read(call.account.account_id)
        region = Region(call.account.settings.region)
        look = await preview_file(given.file, asked, definitions, region)
    except BaseException:
        await given.discard()
        raise
    token = given.upload or await call.services.imports.keep_upload(
        call.account.account_id, given.file
    )
    return json_answer({"upload": token, **_look_members(given.file, look)})


def _look_members(file: FileInfo, look: Look) -> dict[str, Any]:
    members: dict[str, Any] = {
        "file": {"name": file.name, "size": file.size},
        **_known(msgspec.to_builtins(look.layout)),
        **msgspec.to_builtins(look.shown),
    }
    if look.problem is not None:
        del members["unique"]
        problem = look.problem
        members["problem"] = {
            "code": problem.code,
            "message": problem.message,
            "member": problem.member,
        }
    return members


def _known(layout: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in layout.items() if value is not None}


async def _given(call: Call) -> Given:
    """The file: a part of the body, or the one under the token in its JSON."""
    imports = call.services.imports
    if is_form(call.headers):
        form = await receive_form(call.receive, call.headers, imports.folder)
        return Given(form.file, form.options, None)
    try:
        body = await call.json_object()
    except (InvalidBody, UnsupportedMedia) as error:
        if b"json" in call.headers.get(b"content-type", b"").lower():
            raise
        raise type(error)(_HOW_TO_SEND) from None
    token = body.get("upload")
    if not isinstance(token, str) or not token.strip():
        raise InvalidBody(_HOW_TO_SEND)
    file = await imports.find_upload(call.account.account_id, token.strip())
    return Given(file, body.get("options"), token.strip())


def _options(call: Call, given: Given) -> AskedOptions:
    asked = read_options(given.options)
    if asked.dry_run:
        call.needs(Rights.CONTACTS)
    return asked


async def import_link(call: Call) -> Answer:
    """POST /api/v1/contacts/upload: fetched within this call, then as any other file (wire 3.11)."""
    body = await call.json_object()
    link = body.get("link")
    if not isinstance(link, str) or not link.strip():
        raise InvalidBody("link must be the http or https address of a CSV file.")
    asked = read_link_options(body)
    imports, account_id = call.services.imports, call.account.account_id
    path = imports.folder / secrets.token_hex(16)
    found = await call.services.outbound.download(link.strip(), path)
    try:
        file = FileInfo(str(path), clean_name(found.name), found.size, found.digest)
        definitions = await call.services.definitions.read(account_id)
        settled = await settle_file(file, asked, definitions, partial(link_options, body))
    except BaseException:
        await asyncio.to_thread(unlink, path)
        raise
    one = await imports.start_file(
        account_id,
        call.origin(),
        Source.LINK,
        settled.file,
        settled.options.rules(),
        options=settled.stored(),
    )
    answer = {
        "message": "The file is here and its import has begun.",
        "importId": one.session_id,
        "fileId": one.import_id,
        "valid": True,
    }
    return json_answer(answer)


_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {
            "type": "string",
            "contentMediaType": "application/octet-stream",
            "description": "CSV, TXT, XLSX or XLS, up to 300 MB.",
        },
        "options": ref("ImportOptions"),
    },
}
_UPLOADED = {
    "type": "object",
    "required": ["upload"],
    "properties": {
        "upload": {"type": "string", "description": "The token of an earlier preview."},
        "options": ref("ImportOptions"),
    },
}

ROUTES = (
    Route(
        method="POST",
        path="/api/v1/imports",
        operation="startImport",
        right=Rights.CONTACTS_WRITE,
        endpoint=start_import,
        summary="Import a file",
        tag="Imports",
        description="Multipart with the parts `file` and `options`, in any order; or JSON for a "
        "file that was uploaded for a preview. Answers when the file is stored and its options fit "
        "it; its rows are read afterwards. A dry run needs the right to read.",
        form=_FORM,
        body=_UPLOADED,
        replies={200: Reply("The import, queued.", ref("StartedImport"))},
        errors=(400, 404, 413, 415, 507),
    ),
    Route(
        method="POST",
        path="/api/v1/imports/preview",
        operation="previewImport",
        right=Rights.CONTACTS_WRITE,
        endpoint=preview_import,
        summary="Look into a file",
        tag="Imports",
        description="The first 100 rows as an import would read them, with cells that are wrong. "
        "The file waits 24 hours under `upload`; another preview or the import names it so.",
        form=_FORM,
        body=_UPLOADED,
        replies={200: Reply("What the file is.", ref("ImportPreview"))},
        errors=(400, 404, 413, 415, 507),
    ),
    Route(
        method="POST",
        path="/api/v1/contacts/upload",
        operation="fileContactsBulkUpdate",
        right=Rights.CONTACTS_WRITE,
        endpoint=import_link,
        summary="Import a file behind a link",
        tag="Imports",
        description="UTF-8 CSV with commas and fixed headings: First name, Last name, Address, "
        "Region, City, Postcode, Email, SMS, Language code, Timezone, Contact ID; custom fields as "
        "LIST.FIELD. Fetched within 60 seconds; at most 100 MB and three redirects; no address "
        "inside the server's own network unless a setting allows it.",
        body=ref("LinkImport"),
        replies={200: Reply("The import has begun.", ref("LinkAnswer"))},
        errors=(400, 413, 415, 507),
    ),
)
