"""POST /api/v1/contacts: up to 3,000 contacts in a call, carried out after the answer (wire 3.9)."""

from __future__ import annotations

import asyncio
from typing import Any

from kartoteka.access.model import Rights
from kartoteka.api.answers import Answer, json_answer
from kartoteka.api.bodies import BULK_BYTES
from kartoteka.api.call import Call
from kartoteka.api.contacts import DRY_RUN, EXPLAIN, IDEMPOTENCY, wants
from kartoteka.api.errors import InternalError
from kartoteka.api.fields import collapsed
from kartoteka.api.routing import Reply, Route
from kartoteka.api.schemas import ref
from kartoteka.contacts.bulk import in_order
from kartoteka.contacts.forms.contact import FormRules
from kartoteka.contacts.model import Outcome
from kartoteka.errors import KartotekaError
from kartoteka.identity.kinds import Region
from kartoteka.identity.model import Notice, Resolution
from kartoteka.identity.text import Unstorable
from kartoteka.imports.bulk_form import BulkCall, read_bulk
from kartoteka.imports.model import RowFailed


async def add_contacts(call: Call) -> Answer:
    """200 with `"id": 0` when the contacts cannot be lost any more (clients 1)."""
    dry_run, explain = wants(call)
    body = await call.json_object("contacts")
    fields = await call.services.definitions.read(call.account.account_id)
    rules = FormRules(Region(call.account.settings.region), fields)
    # In a thread: thousands of contacts take longer than a single call should wait.
    read = await asyncio.to_thread(read_bulk, body, rules, call.origin())
    if dry_run:
        return json_answer({"id": 0, "dryRun": True, "resolutions": await _rehearsed(call, read)})
    failed = [failure for failure, _ in read.failed]
    started = await call.services.imports.start_call(
        call.account.account_id,
        call.origin(),
        read.rules,
        read.rows,
        failed,
        repeat=call.repeat(),
    )
    answer: dict[str, Any] = {"id": 0, "asyncSessionId": started.session_id}
    if read.failed:
        answer["failedContacts"] = collapsed([_echo(*one) for one in read.failed])
    if explain:
        answer["notices"] = read.notices
    return json_answer(answer)


def _echo(failure: RowFailed, raw: Any) -> dict[str, Any]:
    """The contact as it was sent, with what is wrong; what is no object stands under `contact`."""
    raw = raw.raw if isinstance(raw, Unstorable) else raw
    sent = raw if isinstance(raw, dict) else {"contact": raw}
    return {**sent, "error": failure.message, "code": failure.code}


async def _rehearsed(call: Call, read: BulkCall) -> list[Resolution]:
    """What each contact would come to, in the order of the call (decisions D27)."""
    in_order(read.rows, call.origin())
    answers = await call.services.engine.rehearse_all(call.account, read.rows)
    found = {
        row.number: _resolution(answer) for row, answer in zip(read.rows, answers, strict=True)
    }
    for failure, _ in read.failed:
        notice = Notice(failure.code, failure.message, failure.field)
        found[failure.number] = Resolution(outcome="failed", warnings=[notice])
    return [found[number] for number in sorted(found)]


def _resolution(answer: Outcome | Exception) -> Resolution:
    if isinstance(answer, Outcome):
        return answer.resolution
    error = answer if isinstance(answer, KartotekaError) else InternalError()
    return Resolution(outcome="failed", warnings=[Notice(error.code, error.message)])


ROUTES = (
    Route(
        method="POST",
        path="/api/v1/contacts",
        operation="contactsBulkUpdate",
        right=Rights.CONTACTS_WRITE,
        endpoint=add_contacts,
        summary="Add or update contacts in bulk",
        tag="Imports",
        description="1 to 3,000 contacts, each looked up by its External ID, then by the field of "
        "`dedupeOn`. Carried out after the answer, in order; GET importstatus/{sessionId} says how "
        "far it is, GET imports/{id}/rows what became of each.",
        parameters=(EXPLAIN, DRY_RUN, IDEMPOTENCY),
        body=ref("BulkContacts"),
        replies={200: Reply("Taken.", ref("BulkAnswer"))},
        errors=(400, 413, 415, 422),
        max_body_bytes=BULK_BYTES,
    ),
)
