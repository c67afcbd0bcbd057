"""Two cards, one person or not: possible duplicates, merging by hand with a preview, taking it back."""

from __future__ import annotations

from typing import Any

import msgspec

from kartoteka.access.users import Role
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page
from kartoteka.contacts.browsing import ShownCard
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
    fields: dict[str, float] = {}

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
        skip=skip,
        pair=found[0] if found else None,
        has_next=len(found) > 1,
        fields=FIELDS,
    )


async def _found(request: Request, by: str, skip: int) -> list[Pair]:
    """The pair in that place; another one behind it only says that there is one."""
    reader, account_id = Duplicates(request.services.database), request.account_id
    if by == "likeness":
        alike = await reader.alike(account_id, skip=skip, rows=2)
        return [
            Pair(
                *await _sides(request, one.contact_id, one.other_id),
                score=one.score,
                fields=one.fields,
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
    reader = Why(request.services.database)
    known = [await reader.person(request.account_id, who) for who in (one, other)]
    return str(why_not(rules_of(request.settings), known[0], known[1], None)["rule"])


async def not_the_same(request: Request) -> Reply:
    """POST /admin/duplicates/not-the-same."""
    one, other = request.form.number("one"), request.form.number("other")
    await request.write(NotTheSame(origin=request.origin(), contact_id=one, other_id=other))
    await request.note("not_the_same", f"#{one}, #{other}")
    by = request.form.one("by")
    skip = request.form.number("skip")
    return request.go(f"{_PATH}?by={by if by in BY else 'address'}&skip={skip}", "not_the_same")


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
        problem=problem,
        fields=FIELDS,
    )


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
    answer: dict[str, Any] = {}
    problem = ""
    try:
        outcome = await request.write(
            UndoMerge(origin=request.origin(), merge_id=merge_id, dry_run=True)
        )
        answer = outcome.answer
    except KartotekaError as error:
        problem = error.message
    return request.render(
        "undo.html", 409 if problem else 200, merge_id=merge_id, answer=answer, problem=problem
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
    Page(method="GET", path="/admin/merge", role=Role.MARKETER, handler=ask_merge),
    Page(method="POST", path="/admin/merge", role=Role.MARKETER, handler=merge),
    Page(method="GET", path="/admin/merges/{id}/undo", role=Role.MARKETER, handler=ask_undo),
    Page(method="POST", path="/admin/merges/{id}/undo", role=Role.MARKETER, handler=undo),
)
