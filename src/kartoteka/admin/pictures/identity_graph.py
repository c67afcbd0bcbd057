"""The identity of a card over time: requests from left to right, identifiers as lanes, merges as joins.

Pure: history rows in, places out; `templates/identity_graph.html` draws them, escaped like all else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from kartoteka.contacts.identity_reads import HistoryRow
from kartoteka.identity.kinds import BY_NAME

MOST_MOMENTS = 40
"""More requests than these are not told apart by anybody: the earlier ones are left out."""
LABELS, FIRST, STEP, RIGHT = 216, 28, 64, 40
CARD_ROW, LANE_ROW, GAP, TOP, AXIS = 30, 26, 14, 12, 44

_STARTS = frozenset(
    (
        *("created", "claimed", "added", "moved", "external_id_set", "external_id_replaced"),
        *("restored", "undone"),
    )
)
_ENDS = frozenset(("dropped", "erased"))


class Dot(msgspec.Struct, frozen=True):
    """Something happened to an identifier."""

    x: int
    y: int
    style: str
    action: str
    rule: str
    at: datetime


class Lane(msgspec.Struct):
    """One identifier on one card, from when it came to when it left."""

    kind: str
    value: str
    y: int = 0
    start: int = 0
    end: int | None = None
    """None: it is there still."""
    dots: list[Dot] = []


class Band(msgspec.Struct):
    """One card: a line of its own, its lanes under it."""

    contact_id: int
    y: int = 0
    start: int = 0
    end: int | None = None
    undone: bool = False
    """It was part of the card, and stands for itself again."""
    lanes: dict[tuple[str, str], Lane] = {}
    dots: list[Dot] = []


class Join(msgspec.Struct, frozen=True):
    """A card became part of another one."""

    x: int
    from_y: int
    to_y: int
    absorbed: int
    survivor: int
    rule: str
    at: datetime
    merge_id: int
    undone: bool = False
    """It was taken back later."""


class Moment(msgspec.Struct, frozen=True):
    """One request on the axis."""

    x: int
    at: datetime
    request_id: str
    method: str
    shows_day: bool


class Picture(msgspec.Struct, frozen=True):
    """Everything with its place, in pixels."""

    width: int
    height: int
    right: int
    moments: tuple[Moment, ...]
    bands: tuple[Band, ...]
    joins: tuple[Join, ...]
    left_out: int
    """Earlier requests that are not shown."""


def identity_graph(history: Sequence[HistoryRow], me: int) -> Picture:
    """The picture of this history (newest first, as it is read) from the side of card `me`."""
    rows = sorted(history, key=lambda row: row.history_id)
    requests = list(dict.fromkeys((row.request_id, row.at) for row in rows))
    left_out = max(len(requests) - MOST_MOMENTS, 0)
    shown = requests[left_out:]
    x_of = {one: LABELS + FIRST + STEP * index for index, one in enumerate(shown)}
    right = LABELS + FIRST + STEP * max(len(shown), 1) + RIGHT
    bands = _bands(rows, x_of, me)
    _place(bands)
    known = {band.contact_id: band for band in bands}
    joins = [
        Join(
            x_of.get((row.request_id, row.at), LABELS),
            known[row.other_contact_id].y,
            known[row.contact_id].y,
            row.other_contact_id,
            row.contact_id,
            row.rule,
            row.at,
            row.history_id,
            _is_undone(row, rows),
        )
        for row in rows
        if row.action == "absorbed" and row.other_contact_id in known and row.contact_id in known
    ]
    for band in bands:
        _put_dots(band)
    height = (_last_y(bands[-1]) if bands else TOP) + AXIS
    return Picture(
        right, height, right - RIGHT // 2, _moments(rows, shown, x_of), tuple(bands),
        tuple(joins), left_out,
    )  # fmt: skip


def _is_undone(merge: HistoryRow, rows: Sequence[HistoryRow]) -> bool:
    pair = (merge.other_contact_id, merge.contact_id)
    return any(
        row.action == "undone"
        and (row.contact_id, row.other_contact_id) == pair
        and row.history_id > merge.history_id
        for row in rows
    )


def _bands(
    rows: Sequence[HistoryRow], x_of: dict[tuple[str, datetime], int], me: int
) -> list[Band]:
    bands: dict[int, Band] = {me: Band(me, lanes={}, dots=[], start=0)}
    begun: set[int] = set()
    related = {me} | {
        row.other_contact_id
        for row in rows
        if row.action == "absorbed" and row.other_contact_id is not None
    }
    for row in rows:
        x = x_of.get((row.request_id, row.at), LABELS)
        if row.contact_id in related:
            band = bands.setdefault(row.contact_id, Band(row.contact_id, lanes={}, dots=[]))
            if band.contact_id not in begun:
                band.start = x
                begun.add(band.contact_id)
            _take(band, row, x)
        other = row.other_contact_id
        if row.action == "absorbed" and other in related and other is not None:
            band = bands.setdefault(other, Band(other, lanes={}, dots=[]))
            if other not in begun:  # its own history is not told here
                band.start = x - STEP // 2
                begun.add(other)
        if other in bands:
            _give(bands[other], row, x)
        if row.action == "absorbed" and other == me:
            bands[me].dots.append(Dot(x, 0, "gone", row.action, row.rule, row.at))
    return [bands[me], *(band for one, band in bands.items() if one != me)]


def _take(band: Band, row: HistoryRow, x: int) -> None:
    """What the row does to the card it speaks of."""
    if row.action == "undone":
        band.end, band.undone = None, True
    if row.action in ("created", "restored", "removed", "refused", "undone"):
        style = "gone" if row.action in ("removed", "refused") else ""
        band.dots.append(Dot(x, 0, style, row.action, row.rule, row.at))
    for one in row.identifiers or ():
        if one.get("kind") not in BY_NAME or not one.get("value"):
            continue
        key = (one["kind"], one["value"])
        lane = band.lanes.get(key)
        if row.action in _STARTS:
            if lane is None:
                lane = band.lanes[key] = Lane(*key, start=x, dots=[])
            lane.end = None
            style = "moved" if row.action == "moved" else ""
            lane.dots.append(Dot(x, 0, style, row.action, row.rule, row.at))
        elif row.action in _ENDS and lane is not None:
            lane.end = x
            lane.dots.append(Dot(x, 0, "gone", row.action, row.rule, row.at))


def _give(band: Band, row: HistoryRow, x: int) -> None:
    """What another card took from this one."""
    if row.action == "absorbed":
        band.end = x
    if row.action not in ("moved", "undone"):
        return
    for one in row.identifiers or ():
        lane = band.lanes.get((one.get("kind", ""), one.get("value", "")))
        if lane is not None and lane.end is None:
            lane.end = x
            lane.dots.append(Dot(x, 0, "moved", row.action, row.rule, row.at))


def _place(bands: list[Band]) -> None:
    y = TOP + CARD_ROW // 2
    for band in bands:
        band.y = y
        y += CARD_ROW
        for lane in band.lanes.values():
            lane.y = y
            y += LANE_ROW
        y += GAP


def _put_dots(band: Band) -> None:
    band.dots = [msgspec.structs.replace(dot, y=band.y) for dot in band.dots]
    for lane in band.lanes.values():
        lane.dots = [msgspec.structs.replace(dot, y=lane.y) for dot in lane.dots]


def _last_y(band: Band) -> int:
    return max([band.y, *(lane.y for lane in band.lanes.values())])


def _moments(
    rows: Sequence[HistoryRow],
    shown: Sequence[tuple[str, datetime]],
    x_of: dict[tuple[str, datetime], int],
) -> tuple[Moment, ...]:
    methods = {(row.request_id, row.at): row.method for row in rows}
    moments: list[Moment] = []
    day = None
    for request_id, at in shown:
        is_new_day = at.date() != day
        day = at.date()
        moments.append(
            Moment(x_of[request_id, at], at, request_id, methods[request_id, at], is_new_day)
        )
    return tuple(moments)
