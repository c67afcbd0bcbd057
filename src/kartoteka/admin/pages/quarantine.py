"""Values that stand on too many people to name one (decisions D6): looked at, let go with a preview."""

from __future__ import annotations

import msgspec

from kartoteka.access.users import Role
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page
from kartoteka.contacts.duplicates import Duplicates
from kartoteka.contacts.model import ReleaseValue
from kartoteka.errors import InvalidRequest, KartotekaError
from kartoteka.identity.kinds import BY_CODE, BY_NAME

ROWS = 50
PATH = "/admin/quarantine"


async def quarantine(request: Request) -> Reply:
    """GET /admin/quarantine."""
    skip = request.query.number("skip")
    reader = Duplicates(request.services.keyed)
    found = await reader.quarantine(request.account_id, skip=skip, rows=ROWS + 1)
    return request.render(
        "quarantine.html", values=found[:ROWS], skip=skip, size=ROWS, has_next=len(found) > ROWS
    )


def _command(request: Request, *, dry_run: bool) -> ReleaseValue:
    fields = request.form if request.page.method == "POST" else request.query
    kind = BY_NAME.get(fields.one("kind"))
    if kind is None or not fields.one("value"):
        raise InvalidRequest("Say which value: its kind and the value itself.")
    return ReleaseValue(
        origin=request.origin(),
        kind=kind.code,
        value=fields.one("value"),
        contact_id=fields.number("contact") or None,
        dry_run=dry_run,
    )


async def ask_release(request: Request) -> Reply:
    """GET /admin/quarantine/release: what would change."""
    return await _ask(request, _command(request, dry_run=True))


async def _ask(request: Request, command: ReleaseValue, problem: str = "") -> Reply:
    senders = 0
    try:
        asked = msgspec.structs.replace(command, contact_id=None, dry_run=True)
        senders = (await request.write(asked)).answer.get("senders", 0)
    except KartotekaError as error:
        problem = problem or error.message
    return request.render(
        "quarantine_release.html",
        409 if problem else 200,
        kind=BY_CODE[command.kind].name,
        value=command.value,
        contact=command.contact_id or "",
        senders=senders,
        problem=problem,
    )


async def release(request: Request) -> Reply:
    """POST /admin/quarantine/release."""
    command = _command(request, dry_run=False)
    try:
        await request.write(command)
    except KartotekaError as error:
        return await _ask(request, command, error.message)
    await request.note("value_released", request.form.one("kind"))
    return request.go(PATH, "released")


PAGES = (
    Page(method="GET", path=PATH, role=Role.READER, handler=quarantine),
    Page(method="GET", path=f"{PATH}/release", role=Role.OWNER, handler=ask_release),
    Page(method="POST", path=f"{PATH}/release", role=Role.OWNER, handler=release),
)
