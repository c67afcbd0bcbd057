"""Take a merge back (decisions D11, D15, D28).

The law: what stands afterwards is what would stand if the merge had never happened, and everything that
came later had come to the side whose identifier carried it. Where that cannot be, the undo is refused
and nothing changes: a later merge stands on this one, a person was erased, or somebody else has an
External ID that has to come back.
"""

from __future__ import annotations

import msgspec

from kartoteka.contacts.consent import CHANNEL
from kartoteka.contacts.merging import would_be
from kartoteka.contacts.model import Outcome, UndoMerge
from kartoteka.contacts.retelling import Alone, Say, retell
from kartoteka.errors import Conflict, NotFound
from kartoteka.identity.absorbing import absorb
from kartoteka.identity.history import Journal, named, rebuild
from kartoteka.identity.kinds import BY_CODE, EXTERNAL_ID, PHONE
from kartoteka.identity.model import Card, Held, Identifier, Key, Merge, Moved, Resolution, Status
from kartoteka.identity.policies import EXCLUSIVE, LASTING
from kartoteka.identity.rules import Names, Person, finders, may_absorb, stricter
from kartoteka.identity.sides import home_of
from kartoteka.identity.working_set import Missing, WorkingSet


class UnknownMerge(NotFound):
    """No merge has this id."""

    code = "merge_unknown"


class MergeUndone(Conflict):
    """This merge was undone already."""

    code = "merge_undone"


class LaterMerge(Conflict):
    """A later merge is in the way; undo that one first."""

    code = "later_merge"


class PersonErased(Conflict):
    """The person was erased, or somebody who shared a value: what would come back was destroyed."""

    code = "merge_erased"


class ExternalIdElsewhere(Conflict):
    """Another contact has an External ID that would have to come back."""

    code = "undo_breaks_external_id"


def undo_merge(ws: WorkingSet, command: UndoMerge, say: Say) -> Outcome:
    """Bring the absorbed contact back with its own, and with what came for it since."""
    merge = ws.merge(command.merge_id)
    if merge is None:
        raise UnknownMerge(f"No merge has the id '{command.merge_id}'.")
    survivor, absorbed = _cards(ws, merge)
    own, back = _as_they_would_be(ws, merge, say)
    _ask_for_all(ws, own, back)
    came_since = _came_since(ws, absorbed, own, back)
    ws.need_whole(came_since)
    _refuse_taken(ws, merge, own, back)
    journal = Journal(ws, command.origin)
    was = survivor.status
    merges = survivor.merges - 1 - back.only.merges
    returned, nobodys = _share_out(ws, merge, survivor, own, back)
    _write(survivor, own.only, merges)
    _write(absorbed, back.only, back.only.merges)
    for card in (survivor, absorbed):
        _heed_refusals(ws, card)
        ws.touch(card.contact_id)
    _tell(ws, merge, journal, returned, nobodys)
    _tell_status(journal, survivor, was)
    _tell_status(journal, absorbed, Status.LIVE)
    ws.effect("parted", merge.merge_id, merge.survivor_id, merge.absorbed, own.joined, back.joined)
    joins = _take_in(ws, journal, returned, came_since)
    origin = command.origin
    ws.keep_apart(
        survivor.contact_id,
        absorbed.contact_id,
        origin.at,
        "undone",
        origin.request_id,
        origin.key_id,
    )
    merge.undone = True
    moved = [
        Moved(BY_CODE[held.kind].name, held.value, merge.survivor_id)
        for held in ws.identifiers_of(merge.absorbed_id)
    ]
    sides = {"survivor": survivor, "absorbed": absorbed}
    answer = {name: would_be(ws, card) for name, card in sides.items()}
    return Outcome(
        Resolution(
            merge.absorbed_id,
            "updated",
            "contact_id",
            "undone_by_request",
            moved=moved,
            absorbed=joins,
        ),
        answer={**answer, "joins": joins} if joins else answer,
    )


def _cards(ws: WorkingSet, merge: Merge) -> tuple[Card, Card]:
    ids = (merge.survivor_id, merge.absorbed_id)
    ws.need_cards(ids)
    if merge.undone:
        raise MergeUndone
    survivor, absorbed = (ws.card(one) for one in ids)
    if merge.later:
        raise LaterMerge(
            f"The merge with the id '{merge.later[-1]}' came later; undo it first.",
            mergeId=merge.later[-1],
        )
    gone = any(word[5] is None for word in merge.words)
    if merge.snapshot is None or gone or Status.ERASED in (survivor.status, absorbed.status):
        raise PersonErased
    if absorbed.status != Status.MERGED or absorbed.merged_into != survivor.contact_id:
        raise LaterMerge
    ws.need_whole(ids)
    return survivor, absorbed


def _as_they_would_be(ws: WorkingSet, merge: Merge, say: Say) -> tuple[Alone, Alone]:
    """(the survivor, the absorbed one) if the merge had never happened."""
    assert merge.snapshot is not None
    card, held, _ = rebuild(merge.snapshot["survivor"])
    other, others, _ = rebuild(merge.snapshot)
    theirs = set(merge.absorbed)
    ours = {word[5]["side"] for word in merge.words} - theirs - {0} | {merge.survivor_id}
    mine, foreign = _external_ids(held), _external_ids(others)
    own = retell(Alone(ws, card, held), merge, ours, foreign - mine, say)
    back = retell(Alone(ws, other, others), merge, theirs, mine - foreign, say)
    return own, back


def _external_ids(held: list[Held]) -> set[Key]:
    return {one.key for one in held if one.kind == EXTERNAL_ID.code}


def _ask_for_all(ws: WorkingSet, own: Alone, back: Alone) -> None:
    keys = [held.key for side in (own, back) for held in side.own()]
    unknown = [key for key in keys if not ws.is_known(key)]
    if unknown:
        raise Missing(keys=unknown)
    ws.need_addresses([key for key in keys if key[0] in LASTING])
    ws.need_cards({held.contact_id for key in keys for held in ws.holders(key)} - {0})


def _came_since(ws: WorkingSet, absorbed: Card, own: Alone, back: Alone) -> set[int]:
    """Who else has an e-mail or phone of the two, of those that came since the merge."""
    merged_at = absorbed.updated_at
    keys = [held.key for side in (own, back) for held in side.own() if held.kind in CHANNEL]
    cards = [ws.card(held.contact_id) for key in keys for held in ws.holders(key)]
    return {
        card.contact_id
        for card in cards
        if card.status == Status.LIVE
        and card.created_at
        and merged_at
        and card.created_at > merged_at
    }


def _take_in(
    ws: WorkingSet, journal: Journal, returned: list[tuple[Held, int]], came_since: set[int]
) -> list[int]:
    """While an address had left the card it found nobody, so who came by it alone became a contact of its
    own: that is whose address it is, if it says nothing that contradicts them (D13). Whom they absorb.

    A phone alone would not have found somebody with an e-mail (D10a)."""
    taken: list[int] = []
    for held, contact_id in returned:
        owner = ws.card(contact_id)
        if held.kind not in CHANNEL or owner.status != Status.LIVE:
            continue
        one = Identifier(held.kind, held.value)
        found = {row.contact_id for row in finders(ws, one)} & came_since
        for other in sorted(found.difference(taken)):
            card = ws.card(other)
            if held.kind == PHONE.code and owner.email not in (None, card.email):
                continue
            names = Names(owner.first_name, owner.last_name)
            allowed, why = may_absorb(ws, owner, names, Person(), card)
            if allowed:
                absorb(ws, owner, card, why, journal)
                taken.append(other)
    return taken


def _refuse_taken(ws: WorkingSet, merge: Merge, own: Alone, back: Alone) -> None:
    """D11: an External ID that would have to come back may be somebody else's by now."""
    for side in (own, back):
        for held in side.own():
            if held.kind != EXTERNAL_ID.code:
                continue
            for holder in ws.holders(held.key):
                if holder.contact_id != merge.survivor_id:
                    raise ExternalIdElsewhere(
                        "An External ID that would have to come back belongs to the contact with "
                        f"id='{holder.contact_id}' now.",
                        contactId=holder.contact_id,
                    )


def _share_out(
    ws: WorkingSet, merge: Merge, survivor: Card, own: Alone, back: Alone
) -> tuple[list[tuple[Held, int]], list[Held]]:
    """Every identifier to its side; (row, to whom) of those that the survivor did not have, and those
    that neither side has now."""
    theirs = set(merge.absorbed)
    wanted = {side: {one.key: one for one in alone.own()} for side, alone in ((0, own), (1, back))}
    returned: list[tuple[Held, int]] = []
    nobodys: list[Held] = []
    for held in ws.identifiers_of(survivor.contact_id):
        goes = _goes_back(held, theirs, wanted)
        wish = wanted[goes].pop(held.key, None)
        if held.kind in LASTING and wish is None:
            ws.release(held)
            nobodys.append(held)
            continue
        home = held.home
        if goes:
            ws.reassign(held, merge.absorbed_id)
            held.home = None if home == merge.absorbed_id else home
        if wish is not None and held.kind in LASTING:
            held.since, held.rule, held.former = wish.since, wish.rule, wish.former
            held.home = wish.home
    for side, contact_id in ((0, merge.survivor_id), (1, merge.absorbed_id)):
        for wish in wanted[side].values():
            if wish.kind in EXCLUSIVE and ws.holders(wish.key):
                continue  # it is somebody's by now
            held = ws.hold(msgspec.structs.replace(wish, contact_id=contact_id))
            held.home = wish.home
            returned.append((held, contact_id))
    return returned, nobodys


def _goes_back(held: Held, theirs: set[int], wanted: dict[int, dict[Key, Held]]) -> int:
    """1: to the absorbed side. A lasting one goes to who would have it, the survivor first."""
    if held.kind in LASTING:
        return 0 if held.key in wanted[0] or held.key not in wanted[1] else 1
    return 1 if home_of(held) in theirs else 0


def _write(card: Card, would_be: Card, merges: int) -> None:
    contact_id = card.contact_id
    for name in Card.__struct_fields__:
        setattr(card, name, getattr(would_be, name))
    card.contact_id, card.merges = contact_id, merges
    card.merged_into = card.last_word = None


def _heed_refusals(ws: WorkingSet, card: Card) -> None:
    """What the addresses have refused since holds for who gets them back (D10)."""
    for held in ws.identifiers_of(card.contact_id):
        state = ws.refusals.get(held.key)
        if state and held.kind in CHANNEL:
            card.consent = stricter(card.consent, {CHANNEL[held.kind]: state})


def _tell_status(journal: Journal, card: Card, was: int) -> None:
    """A removal was of one of the two only."""
    if card.status != was:
        action = "removed" if card.status == Status.REMOVED else "restored"
        journal.note(action, "undone_by_request", card.contact_id)


def _tell(
    ws: WorkingSet,
    merge: Merge,
    journal: Journal,
    returned: list[tuple[Held, int]],
    nobodys: list[Held],
) -> None:
    """Undo is in the history: what left the survivor, what came back from nowhere, and what its own side
    had given up while it stood on the card of both."""
    new = {id(held) for held, _ in returned}
    went = [one for one in ws.identifiers_of(merge.absorbed_id) if id(one) not in new]
    journal.note(
        "undone",
        "undone_by_request",
        merge.absorbed_id,
        [named(one) for one in went],
        other=merge.survivor_id,
        undoes=merge.merge_id,
    )
    for held, contact_id in returned:
        journal.note("added", "undone_by_request", contact_id, [named(held)])
    if nobodys:
        journal.note("dropped", "undone_by_request", merge.survivor_id, list(map(named, nobodys)))
