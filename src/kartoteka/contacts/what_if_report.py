"""Which contacts two tellings of the same history put together or apart, and what lists would say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from kartoteka.contacts.what_if import Came, Telling
from kartoteka.identity.history import named
from kartoteka.identity.model import Status


class Merge(msgspec.Struct, frozen=True, rename="camel"):
    """Contacts that would be one."""

    contacts: list[int]
    rule: str
    at: datetime
    request_id: str


class Split(msgspec.Struct, frozen=True, rename="camel"):
    """A contact that would be several; what each part would hold, the part that keeps the id first."""

    contact_id: int
    parts: list[list[dict[str, Any]]]
    rule: str
    """Which held it together."""
    at: datetime
    request_id: str


class SegmentChange(msgspec.Struct, frozen=True, rename="camel"):
    """How the members of a segment would differ."""

    segment_id: int
    name: str
    joins: int
    """Merged contacts that would come in through those they would be one with."""
    fewer: int
    """Members that would be one with another member."""
    split: int
    """Members that would be several contacts: each would be looked at again."""


class WhatIf(msgspec.Struct, frozen=True, rename="camel"):
    """What would differ; ids are those that stand, contacts in order of id."""

    requests: int
    contacts: int
    contacts_then: int
    merges: list[Merge]
    splits: list[Split]
    segments: list[SegmentChange]
    retold_differently: int
    """Contacts that the settings of today do not come to either when they are told the history again:
    settings changed in between, or a request that changed nobody's identifiers had a part in it."""


def compare(as_it_is: Telling, otherwise: Telling) -> tuple[list[Merge], list[Split]]:
    """What the other telling puts together and what it puts apart."""
    by_other: dict[int, list[tuple[Came, int]]] = defaultdict(list)
    by_ours: dict[int, list[tuple[Came, int]]] = defaultdict(list)
    theirs = {came.request.place: came for came in otherwise.came}
    for ours in as_it_is.came:
        other = theirs.get(ours.request.place)
        if other is None:
            continue
        mine, then = as_it_is.ws.end_of(ours.card), otherwise.ws.end_of(other.card)
        if Status.ERASED in (as_it_is.ws.cards[mine].status, otherwise.ws.cards[then].status):
            continue
        by_other[then].append((other, mine))
        by_ours[mine].append((ours, then))
    merges = [_merge(came) for came in by_other.values() if _several(came)]
    splits = [_split(otherwise, mine, came) for mine, came in by_ours.items() if _several(came)]
    return (
        sorted(merges, key=lambda one: one.contacts),
        sorted(splits, key=lambda one: one.contact_id),
    )


def _several(came: Sequence[tuple[Came, int]]) -> bool:
    first = came[0][1]
    return any(card != first for _, card in came)


def _merge(came: Sequence[tuple[Came, int]]) -> Merge:
    """With the first request that joined what stands apart today."""
    contacts = sorted({card for _, card in came}, key=abs)
    one = _joining(came)
    origin = one.request.origin
    rule = _rule(one)
    return Merge(contacts, rule, origin.at, origin.request_id)


def _split(otherwise: Telling, mine: int, came: Sequence[tuple[Came, int]]) -> Split:
    """With the first request that held together what would be apart."""
    cards = list(dict.fromkeys(card for _, card in came))
    cards.sort(key=lambda card: (card != mine, abs(card)))
    parts = [[named(held) for held in otherwise.ws.identifiers_of(card)] for card in cards]
    one = _joining(came)
    origin = one.request.origin
    return Split(mine, parts, _rule(one), origin.at, origin.request_id)


def _joining(came: Sequence[tuple[Came, int]]) -> Came:
    """The first request of these that found or absorbed the card of another group."""
    group: dict[int, set[int]] = {}
    for one, card in came:
        seen = group.setdefault(one.card, set())
        for other in one.absorbed:
            seen |= group.get(other, set())
        seen.add(card)
        if len(seen) > 1:
            return one
    return came[-1][0]


def _rule(one: Came) -> str:
    return one.absorbed_by or one.rule


def compare_segments(
    merges: Sequence[Merge],
    splits: Sequence[Split],
    members: Iterable[tuple[int, int]],
    names: Mapping[int, str],
) -> list[SegmentChange]:
    """`members`: (segment, contact) of the contacts named."""
    of: dict[int, set[int]] = defaultdict(set)
    for segment_id, contact_id in members:
        of[segment_id].add(contact_id)
    changes = []
    for segment_id, inside in sorted(of.items()):
        both = [(set(one.contacts) & inside, one.contacts) for one in merges]
        joins = sum(bool(there) and min(all_, key=abs) not in there for there, all_ in both)
        fewer = sum(max(len(there) - 1, 0) for there, _ in both)
        split = sum(one.contact_id in inside for one in splits)
        if joins or fewer or split:
            name = names.get(segment_id, "")
            changes.append(SegmentChange(segment_id, name, joins, fewer, split))
    return changes
