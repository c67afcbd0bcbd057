"""Two cards, one person or not: possible duplicates, merging by hand with a preview, taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from kartoteka.access.users import Role
from kartoteka.admin.pages.look_alikes import progress_of
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page
from kartoteka.contacts.browsing import Row, ShownCard
from kartoteka.contacts.clearing import PROFILE
from kartoteka.contacts.duplicates import Duplicates
from kartoteka.contacts.identity_reads import HeldIdentifier
from kartoteka.contacts.model import MergeContacts, NotTheSame, UndoMerge
from kartoteka.contacts.why import Why
from kartoteka.contacts.why_not import why_not
from kartoteka.errors import KartotekaError, NotFound
from kartoteka.identity.account_rules import rules_of
from kartoteka.identity.kinds import BY_CODE

FIELDS = (
    *("external_id", "email", "phone", "first_name", "last_name", "contact_key", "language_code"),
    *("time_zone", "town", "address", "region", "postcode", "source"),
)
"""What stands side by side."""
BY = ("address", "likeness")
ROWS = 50
_FIELD_OF = {"sms": "phone", "birthday": "birthday", **PROFILE}
"""What a score calls a field, and what the pages call it."""
_PATH = "/admin/duplicates"


class Side(msgspec.Struct):
    """One card of a pair."""

    card: ShownCard
    identifiers: list[HeldIdentifier]


class Pair(msgspec.Struct):
    """Two cards side by side, and why they are shown."""

    left: Side
    right: Side
    shares: str = ""
    rule: str = ""
    score: float = 0.0
    alike: dict[str, float] = {}
    """How alike each field is that both have, from 0 to 1; a custom one is a `birthday`."""

    @property
    def differing(self) -> set[str]:
        """Fields in which both have something, and not the same."""
        pairs = {
            name: (getattr(self.left.card, name), getattr(self.right.card, name)) for name in FIELDS
        }
        return {name for name, (one, other) in pairs.items() if one and other and one != other}


async def duplicates(request: Request) -> Reply:
    """GET /admin/duplicates: one pair at a time."""
    by = request.query.one("by")
    by = by if by in BY else "address"
    skip = request.query.number("skip")
    found = await _found(request, by, skip)
    return request.render(
        "duplicates.html",
        by=by,
        progress=await progress_of(request) if by == "likeness" else None,
        skip=skip,
        pair=found[0] if found else None,
        has_next=len(found) > 1,
        fields=FIELDS,
    )


async def _found(request: Request, by: str, skip: int) -> list[Pair]:
    """The pair in that place; another one behind it only says that there is one."""
    reader, account_id = Duplicates(request.services.keyed), request.account_id
    if by == "likeness":
        alike = await reader.alike(account_id, skip=skip, rows=2)
        return [
            Pair(
                *await _sides(request, one.contact_id, one.other_id),
                score=one.score,
                alike={_FIELD_OF.get(name, name): share for name, share in one.fields.items()},
            )
            for one in alike
        ]
    shared = await reader.shared(account_id, skip=skip, rows=2)
    return [
        Pair(
            *await _sides(request, one.contact_id, one.other_id),
            shares=BY_CODE[one.kind].label,
            rule=await _kept_apart_by(request, one.contact_id, one.other_id),
        )
        for one in shared
    ]


async def _sides(request: Request, one: int, other: int) -> tuple[Side, Side]:
    return await _side(request, one), await _side(request, other)


async def _side(request: Request, contact_id: int) -> Side:
    services, account_id = request.services, request.account_id
    identity = await services.identities.identity(account_id, contact_id, skip=0, rows=0)
    card = await services.browsing.card(account_id, contact_id)
    return Side(card, list(identity.identifiers))


async def _kept_apart_by(request: Request, one: int, other: int) -> str:
    known = await Why(request.services.keyed).standing(request.account_id, [one, other])
    return str(why_not(rules_of(request.settings), known[one], known[other], None)["rule"])


async def not_the_same(request: Request) -> Reply:
    """POST /admin/duplicates/not-the-same."""
    one, other = request.form.number("one"), request.form.number("other")
    await request.write(NotTheSame(origin=request.origin(), contact_id=one, other_id=other))
    await request.note("not_the_same", f"#{one}, #{other}")
    by = request.form.one("by")
    skip = request.form.number("skip")
    return request.go(f"{_PATH}?by={by if by in BY else 'address'}&skip={skip}", "not_the_same")


async def told_apart(request: Request) -> Reply:
    """GET /admin/duplicates/apart: who is kept apart because somebody said so."""
    services, account_id = request.services, request.account_id
    skip = request.query.number("skip")
    reader = Duplicates(services.keyed)
    pairs = await reader.told_apart(account_id, skip=skip, rows=ROWS + 1)
    ids = {one for pair in pairs[:ROWS] for one in (pair.contact_id, pair.other_id)}
    rows: dict[int, Row] = {
        row.contact_id: row for row in await services.browsing.rows(account_id, sorted(ids))
    }
    return request.render(
        "apart.html",
        pairs=[(one, rows[one.contact_id], rows[one.other_id]) for one in pairs[:ROWS]],
        who=await services.users.who_did(account_id, [one.request_id for one in pairs]),
        skip=skip,
        size=ROWS,
        has_next=len(pairs) > ROWS,
    )


async def not_apart(request: Request) -> Reply:
    """POST /admin/duplicates/apart: the rules decide again."""
    one, other = request.form.number("one"), request.form.number("other")
    command = NotTheSame(origin=request.origin(), contact_id=one, other_id=other, taken_back=True)
    await request.write(command)
    await request.note("not_apart", f"#{one}, #{other}")
    return request.go(f"{_PATH}/apart", "not_apart")


async def ask_merge(request: Request) -> Reply:
    """GET /admin/merge?keep=&absorb=: what would come of it; without the other one it asks which."""
    keep, absorb = request.query.number("keep"), request.query.number("absorb")
    return await _ask_merge(request, keep, absorb)


async def _ask_merge(request: Request, keep: int, absorb: int, problem: str = "") -> Reply:
    answer: dict[str, Any] = {}
    if keep and absorb and not problem:
        try:
            outcome = await request.write(
                MergeContacts(origin=request.origin(), keep=keep, absorb=absorb, dry_run=True)
            )
            answer = outcome.answer
        except KartotekaError as error:
            problem = error.message
    sides = []
    for contact_id in (keep, absorb):
        try:
            sides.append(await _side(request, contact_id) if contact_id else None)
        except NotFound:
            sides.append(None)
    return request.render(
        "merge.html",
        400 if problem else 200,
        keep=keep,
        absorb=absorb,
        sides=sides,
        answer=answer,
        after=_after(answer.get("contact", {})),
        problem=problem,
        fields=FIELDS,
    )


def _after(contact: Mapping[str, Any]) -> dict[str, Any]:
    """What the pages show of a contact that an answer of the engine describes."""
    shown = {PROFILE[name]: value for name, value in contact.items() if name in PROFILE}
    for one in contact.get("identifiers", ()):
        if one["kind"] in ("external_id", "email", "phone") and not one.get("former"):
            shown[one["kind"]] = one["value"]
    return shown


async def merge(request: Request) -> Reply:
    """POST /admin/merge."""
    keep, absorb = request.form.number("keep"), request.form.number("absorb")
    try:
        await request.write(MergeContacts(origin=request.origin(), keep=keep, absorb=absorb))
    except KartotekaError as error:
        return await _ask_merge(request, keep, absorb, error.message)
    await request.note("contact_merged", keep, absorbed=absorb)
    return request.go(f"/admin/contacts/{keep}", "merged")


async def ask_undo(request: Request) -> Reply:
    """GET /admin/merges/{id}/undo: both cards as they would be."""
    merge_id = request.id()
    problem = ""
    cards: list[tuple[dict[str, Any], dict[str, Any]]] = []
    try:
        outcome = await request.write(
            UndoMerge(origin=request.origin(), merge_id=merge_id, dry_run=True)
        )
        both = (outcome.answer.get("survivor", {}), outcome.answer.get("absorbed", {}))
        cards = [(one, _after(one)) for one in both]
    except KartotekaError as error:
        problem = error.message
    return request.render(
        "undo.html",
        409 if problem else 200,
        merge_id=merge_id,
        cards=cards,
        problem=problem,
        fields=FIELDS,
    )


async def undo(request: Request) -> Reply:
    """POST /admin/merges/{id}/undo."""
    outcome = await request.write(UndoMerge(origin=request.origin(), merge_id=request.id()))
    absorbed = outcome.answer.get("absorbed", {}).get("id")
    await request.note("merge_undone", request.id(), contact=absorbed)
    return request.go(f"/admin/contacts/{absorbed}" if absorbed else "/admin/contacts", "undone")


PAGES = (
    Page(method="GET", path=_PATH, role=Role.READER, handler=duplicates),
    Page(method="POST", path=f"{_PATH}/not-the-same", role=Role.MARKETER, handler=not_the_same),
    Page(method="GET", path=f"{_PATH}/apart", role=Role.READER, handler=told_apart),
    Page(method="POST", path=f"{_PATH}/apart", role=Role.MARKETER, handler=not_apart),
    Page(method="GET", path="/admin/merge", role=Role.MARKETER, handler=ask_merge),
    Page(method="POST", path="/admin/merge", role=Role.MARKETER, handler=merge),
    Page(method="GET", path="/admin/merges/{id}/undo", role=Role.MARKETER, handler=ask_undo),
    Page(method="POST", path="/admin/merges/{id}/undo", role=Role.MARKETER, handler=undo),
)
