"""The shortest chain of requests that makes a link, proven by telling them again in memory (D26).

A walk over what requests named (`identity/evidence.py`) knows no rules: two requests may be enough where
it sees three. So what it found is told to an empty account, what is not needed is left out, and
everything shorter is tried. Told alone, the chain makes the link; without any one request it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from itertools import combinations

import msgspec

from kartoteka.contacts.what_if import Known, Request, Telling, requests_of
from kartoteka.identity.evidence import Node, Row, Step, steps_of
from kartoteka.identity.kinds import BY_NAME
from kartoteka.identity.model import Identifier, Origin, Settings

MOST_TOLD = 12_000
"""Requests told again for one answer, some tenths of a second; then the shortest so far is it."""
MOST_AT_ONCE = 2_000
"""Longer histories are not told from the beginning: what the walk found counts."""
MOST_TRIED = 40
"""Requests among which a shorter chain is looked for."""

Place = tuple[str, datetime, int]
"""(request id, moment, contact id): what a request and its step have in common."""


class Teller:
    """Tells some of these requests, and knows whether they make the link."""

    def __init__(
        self,
        requests: Sequence[Request],
        settings: Settings,
        known: Known,
        is_linked: Callable[[Telling], bool],
    ) -> None:
        self.requests = requests
        self._settings = settings
        self._known = known
        self._is_linked = is_linked
        self._tried: dict[tuple[int, ...], bool] = {}
        self.left = MOST_TOLD

    def makes(self, chosen: Collection[int]) -> bool:
        """Whether the requests at these places, told alone in their order, make the link."""
        places = tuple(sorted(chosen))
        if places not in self._tried:
            telling = Telling(self._settings, self._known)
            for place in places:
                telling.hear(self.requests[place])
            self.left -= len(places) + 1
            self._tried[places] = self._is_linked(telling)
        return self._tried[places]


def shortest(
    teller: Teller, first: Sequence[int], pool: Sequence[int], needed: Collection[int] = ()
) -> list[int] | None:
    """Places of the fewest requests that make the link; None: not even all of them do.

    `first`: what the walk found. `pool`: among which shorter ones are looked for. `needed` is kept.
    """
    start = list(first)
    if not start or not teller.makes(start):
        start = list(range(len(teller.requests)))
        if len(start) > MOST_AT_ONCE or not teller.makes(start):
            return None
    found = _without_the_rest(teller, start, needed)
    others = [place for place in dict.fromkeys([*found, *pool]) if place not in needed]
    for size in range(max(1 - len(needed), 0), len(found) - len(needed)):
        for more in combinations(others[:MOST_TRIED], size):
            if teller.left <= 0:
                return found
            if teller.makes({*needed, *more}):
                return _without_the_rest(teller, [*needed, *more], needed)
    return found


def _without_the_rest(teller: Teller, chosen: Sequence[int], needed: Collection[int]) -> list[int]:
    """These without what is not needed: parts first, then one by one, the later ones first."""
    kept = sorted(chosen)
    size = max(len(kept) // 2, 1)
    while True:
        is_shorter = False
        start = len(kept)
        while start > 0:
            begin = max(start - size, 0)
            rest = kept[:begin] + [one for one in kept[begin:start] if one in needed] + kept[start:]
            if rest and len(rest) < len(kept) and teller.makes(rest):
                kept, is_shorter = rest, True
            start = begin
        if size == 1 and not is_shorter:
            return kept
        size = size if is_shorter and size == 1 else max(size // 2, 1)


class Link(msgspec.Struct, frozen=True):
    """What a chain has to make: this identifier, or what this request said, on the card of the anchor."""

    node: Node | None
    said: Step | None
    anchor: Node

    def is_made(self, telling: Telling) -> bool:
        """Whether it is so in that account."""
        theirs = _cards_with(telling, self.anchor)
        if self.said is None:
            return self.node is not None and not _cards_with(telling, self.node).isdisjoint(theirs)
        place = _place(self.said)
        return any(
            telling.ws.end_of(one.card) in theirs
            for one in telling.came
            if _place(one.request) == place
        )

    def brought_by(self, step: Step) -> bool:
        """Whether this request brought the value itself."""
        if self.said is not None:
            return _place(step) == _place(self.said)
        return self.node in step.nodes


def shortest_chain(
    rows: Sequence[Row], walked: Sequence[Step], link: Link, settings: Settings, known: Known
) -> list[Step] | None:
    """The fewest requests that make the link; None where telling them again does not make it: settings
    changed since, or something in between left no trace."""
    steps = {_place(step): step for step in [*steps_of(rows), *walked]}
    requests = [one for one in requests_of(rows) if _place(one) in steps]
    if link.said is not None and all(_place(one) != _place(link.said) for one in requests):
        requests.append(_as_request(link.said))
        requests.sort(key=lambda one: (one.origin.at, one.place))
    places = {_place(one): place for place, one in enumerate(requests)}
    first = [places[_place(step)] for step in walked if _place(step) in places]
    needed = [] if link.said is None else [places[_place(link.said)]]
    teller = Teller(requests, settings, known, link.is_made)
    found = shortest(teller, first, _different(requests, steps), needed)
    return None if found is None else [steps[_place(requests[one])] for one in found]


def _different(requests: Sequence[Request], steps: Mapping[Place, Step]) -> list[int]:
    """Requests that say different things: of several that name the same the first."""
    seen = set()
    found = []
    for place, one in enumerate(requests):
        step = steps[_place(one)]
        says = (one.origin.method, frozenset(step.nodes), frozenset(step.found))
        if says not in seen:
            seen.add(says)
            found.append(place)
    return found


def _as_request(said: Step) -> Request:
    """A request that changed nobody's identifiers and so has no row, but said a value."""
    by = [{"kind": kind, "value": value, "found": True} for kind, value in said.nodes]
    rule = "contact_id" if any(kind == "contact_id" for kind, _ in said.nodes) else "said"
    row = Row(
        said.order,
        said.at,
        "added",
        rule,
        said.contact_id,
        None,
        said.method,
        said.request_id,
        said.key_id,
        None,
        by,
        undone=False,
    )
    return Request(
        Origin(said.at, said.request_id, said.key_id, said.method), said.contact_id, [row]
    )


def _cards_with(telling: Telling, node: Node) -> set[int]:
    kind, value = node
    if kind == "contact_id":
        who = int(value)
        return {telling.ws.end_of(who)} if who in telling.ws.cards else set()
    held = telling.ws.holders(Identifier(BY_NAME[kind].code, value).key)
    return {one.contact_id for one in held}


def _place(one: Request | Step) -> Place:
    if isinstance(one, Request):
        return (one.origin.request_id, one.origin.at, one.contact_id)
    return (one.request_id, one.at, one.contact_id)
