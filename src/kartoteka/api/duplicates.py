"""Possible duplicates and quarantined values (decisions D6, D28)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from kartoteka.access.model import Rights
from kartoteka.api import schemas
from kartoteka.api.answers import Answer, json_answer, list_answer
from kartoteka.api.call import Call, InvalidParameter
from kartoteka.api.contacts import DRY_RUN
from kartoteka.api.identity_reading import moment
from kartoteka.api.merges import body_id, is_dry_run
from kartoteka.api.paging import PAGING, read_page
from kartoteka.api.read_schemas import COUNTED
from kartoteka.api.routing import Parameter, Reply, Route
from kartoteka.contacts.duplicate_search import Search, Searches
from kartoteka.contacts.duplicates import Duplicates, Shared
from kartoteka.contacts.look_alikes import Alike
from kartoteka.contacts.model import ReleaseValue
from kartoteka.contacts.why import Why
from kartoteka.contacts.why_not import why_not
from kartoteka.identity.account_rules import rules_of
from kartoteka.identity.alike import LIKELY
from kartoteka.identity.kinds import BY_CODE, BY_NAME

MOST_EXPLAINED = 100
"""Pairs a page: each is explained by looking at both cards."""


async def duplicates(call: Call) -> Answer:
    """GET /api/v1/duplicates?by=all|address|likeness|apart."""
    skip, rows = read_page(call)
    by = call.query.get("by", "all").strip() or "all"
    listed = _LISTS.get(by)
    if listed is None:
        raise InvalidParameter("by must be all, address, likeness or apart.")
    body, total = await listed(call, Duplicates(call.services.keyed), skip, rows)
    return list_answer(body, total)


Rows = list[dict[str, Any]]
Listed = Callable[[Call, Duplicates, int, int], Awaitable[tuple[Rows, int]]]
"""(one page, how many there are)."""


async def _all(call: Call, reader: Duplicates, skip: int, rows: int) -> tuple[Rows, int]:
    """Who shares an address, with the score where they look alike too; then the other look-alikes."""
    account_id, rows, score = call.account.account_id, min(rows, MOST_EXPLAINED), _score(call)
    await _searches(call).freshen(account_id)
    first = await reader.count_shared(account_id)
    found = await reader.shared(account_id, skip=skip, rows=rows)
    body = await _explained(call, found)
    alike = await reader.likeness_of(account_id, found)
    for one, said in zip(found, body, strict=True):
        if (pair := alike.get((one.contact_id, one.other_id))) is not None:
            said |= {"score": round(pair.score, 3), "fields": pair.fields}
    if len(body) < rows:
        left = rows - len(body)
        more = await reader.alike(
            account_id, skip=max(0, skip - first), rows=left, score=score, others=True
        )
        body += map(_alike, more)
    return body, first + await reader.count_alike(account_id, score=score, others=True)


async def _by_address(call: Call, reader: Duplicates, skip: int, rows: int) -> tuple[Rows, int]:
    """Each with the rule that kept the two apart."""
    account_id = call.account.account_id
    found = await reader.shared(account_id, skip=skip, rows=min(rows, MOST_EXPLAINED))
    return await _explained(call, found), await reader.count_shared(account_id)


async def _explained(call: Call, found: Sequence[Shared]) -> Rows:
    account_id, settings = call.account.account_id, rules_of(call.account.settings)
    ids = {who for one in found for who in (one.contact_id, one.other_id)}
    known = await Why(call.services.keyed).standing(account_id, sorted(ids))
    body = []
    for one in found:
        reason = why_not(settings, known[one.contact_id], known[one.other_id], None)
        body.append(
            {
                "contactId": one.contact_id,
                "otherId": one.other_id,
                "shares": BY_CODE[one.kind].name,
                "rule": reason["rule"],
                "differs": reason.get("differs", []),
            }
        )
    return body


async def _by_likeness(call: Call, reader: Duplicates, skip: int, rows: int) -> tuple[Rows, int]:
    account_id, score = call.account.account_id, _score(call)
    await _searches(call).freshen(account_id)
    found = await reader.alike(account_id, skip=skip, rows=rows, score=score)
    return [_alike(one) for one in found], await reader.count_alike(account_id, score=score)


def _alike(one: Alike) -> dict[str, Any]:
    return {
        "contactId": one.contact_id,
        "otherId": one.other_id,
        "score": round(one.score, 3),
        "fields": one.fields,
    }


async def _apart(call: Call, reader: Duplicates, skip: int, rows: int) -> tuple[Rows, int]:
    found = await reader.told_apart(call.account.account_id, skip=skip, rows=rows)
    body: Rows = [
        {
            "contactId": one.contact_id,
            "otherId": one.other_id,
            "at": moment(one.at),
            "rule": one.reason,
        }
        for one in found
    ]
    return body, await reader.count_told_apart(call.account.account_id)


_LISTS: dict[str, Listed] = {
    "all": _all,
    "address": _by_address,
    "likeness": _by_likeness,
    "apart": _apart,
}


def _score(call: Call) -> float:
    text = call.query.get("score", "").strip()
    if not text:
        return LIKELY
    try:
        score = float(text)
    except ValueError:
        score = -1.0
    if not 0 <= score <= 1:
        raise InvalidParameter("score must be a number from 0 to 1.")
    return score


async def search_state(call: Call) -> Answer:
    """GET /api/v1/duplicates/search."""
    return json_answer(_shown(await _searches(call).state(call.account.account_id)))


async def ask_for_search(call: Call) -> Answer:
    """POST /api/v1/duplicates/search: it is carried out behind the answer."""
    return json_answer(_shown(await _searches(call).ask(call.account.account_id)), 202)


def _searches(call: Call) -> Searches:
    return Searches(call.services.database, call.services.clock)


def _shown(search: Search) -> dict[str, Any]:
    return {
        "state": search.state,
        "askedAt": _moment(search.asked_at),
        "startedAt": _moment(search.started_at),
        "finishedAt": _moment(search.finished_at),
        "stage": search.stage or None,
        "done": search.done,
        "total": search.total,
        "contacts": search.contacts,
        "found": search.found,
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else moment(at)


async def quarantine(call: Call) -> Answer:
    """GET /api/v1/quarantine: values that stand on too many people to name one."""
    skip, rows = read_page(call)
    reader = Duplicates(call.services.keyed)
    found = await reader.quarantine(call.account.account_id, skip=skip, rows=rows)
    body = [
        {
            "kind": BY_CODE[one.kind].name,
            "value": one.value,
            "since": moment(one.since),
            "senders": one.senders or 0,
            "rule": one.rule,
        }
        for one in found
    ]
    return list_answer(body, await reader.count_quarantine(call.account.account_id))


async def release(call: Call) -> Answer:
    """POST /api/v1/quarantine/release: `{kind, value, contactId?, dryRun?}`."""
    body = await call.json_object()
    kind = BY_NAME.get(str(body.get("kind")))
    value = body.get("value")
    if kind is None or not isinstance(value, str) or not value.strip():
        raise InvalidParameter("Say which value: kind (an identifier kind) and value.")
    contact_id = body_id(body, "contactId") if body.get("contactId") is not None else None
    dry_run = is_dry_run(call, body)
    outcome = await call.write(
        ReleaseValue(
            origin=call.origin(),
            kind=kind.code,
            value=value.strip(),
            contact_id=contact_id,
            dry_run=dry_run,
        )
    )
    answer = {**outcome.answer, "contactId": contact_id}
    return json_answer({**answer, "dryRun": True} if dry_run else answer)


_PAIRS = {"type": "array", "items": {"type": "object"}}

_RELEASED = {
    "type": "object",
    "required": ["kind", "value", "senders", "identifiers", "contacts"],
    "properties": {
        "kind": {"type": "string"},
        "value": {"type": "string"},
        "senders": {"type": "integer", "description": "External IDs that sent it; counted anew."},
        "identifiers": {
            "type": "array",
            "items": {"type": "object"},
            "description": "What changes hands: to a contact, or to whoever sends it next (null).",
        },
        "contacts": {
            "type": "array",
            "items": {"type": "object"},
            "description": "Contacts that change, as they are then, and what each gains.",
        },
    },
}
_MOMENT = {"type": ["string", "null"], "format": "date-time"}
_SEARCH = {
    "type": "object",
    "required": ["state", "done", "total", "contacts", "found"],
    "properties": {
        "state": {"enum": ["never", "waiting", "running", "finished"]},
        "askedAt": _MOMENT,
        "startedAt": _MOMENT,
        "finishedAt": _MOMENT,
        "stage": {"enum": ["reading", "comparing", None]},
        "done": {"type": "integer", "description": "Of this stage."},
        "total": {"type": "integer"},
        "contacts": {"type": "integer", "description": "How many were compared."},
        "found": {"type": "integer", "description": "How many pairs look alike."},
    },
}

ROUTES = (
    Route(
        method="GET",
        path="/api/v1/duplicates",
        operation="getDuplicates",
        right=Rights.FULL,
        endpoint=duplicates,
        summary="Possible duplicates",
        description="`by=address`: the same e-mail or phone kept apart, with the rule that did. "
        "`by=likeness`: contacts that look alike, with the score by field, as the last search found "
        "them; up to 2,000 contacts are looked through anew when something was written since. Not given: "
        "both, those that share an address first. Pairs that somebody told apart are left out: "
        "`by=apart` has them. At most 100 a page, by likeness 500.",
        tag="Merges",
        parameters=(
            Parameter(
                "by",
                "all, address, likeness or apart.",
                {"enum": ["all", "address", "likeness", "apart"], "default": "all"},
            ),
            Parameter("score", "The least score, from 0 to 1.", {"type": "number"}),
            *PAGING,
        ),
        replies={200: Reply("One page.", _PAIRS, headers=COUNTED)},
        errors=(400,),
    ),
    Route(
        method="GET",
        path="/api/v1/duplicates/search",
        operation="getDuplicateSearch",
        right=Rights.FULL,
        endpoint=search_state,
        summary="How far the search for look-alikes is",
        description="The last search, or the one that waits or runs.",
        tag="Merges",
        replies={200: Reply("The search.", _SEARCH)},
    ),
    Route(
        method="POST",
        path="/api/v1/duplicates/search",
        operation="askForDuplicateSearch",
        right=Rights.FULL,
        endpoint=ask_for_search,
        summary="Look for look-alikes now",
        description="All contacts of the account are compared anew, behind the answer; every night that "
        "is done by itself where something changed. One that waits or runs is not begun again.",
        tag="Merges",
        replies={202: Reply("The search.", _SEARCH)},
    ),
    Route(
        method="GET",
        path="/api/v1/quarantine",
        operation="getQuarantine",
        right=Rights.FULL,
        endpoint=quarantine,
        summary="Values that name nobody",
        description="Tokens, devices and cookies that more than 50 External IDs have sent.",
        tag="Identity",
        parameters=PAGING,
        replies={200: Reply("One page.", _PAIRS, headers=COUNTED)},
        errors=(400,),
    ),
    Route(
        method="POST",
        path="/api/v1/quarantine/release",
        operation="releaseQuarantined",
        right=Rights.FULL,
        endpoint=release,
        summary="Let a value name people again",
        description="It goes to the contact that is named, else to whoever sends it next; with dryRun "
        "it is only said what would change.",
        tag="Identity",
        parameters=(DRY_RUN,),
        body={
            "type": "object",
            "required": ["kind", "value"],
            "properties": {
                "kind": {"type": "string"},
                "value": {"type": "string"},
                "contactId": schemas.CONTACT_ID,
                "dryRun": {"type": "boolean"},
            },
        },
        replies={200: Reply("What changes, the same with dryRun.", _RELEASED)},
        errors=(400, 404, 413, 415),
    ),
)
