"""What the effects of a batch do to an account in memory: as `identity.store` and the writers of every
capability do it to the database, checked as it checks (one row per key)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from kartoteka.activity.model import EventType, Span, SpanState
from kartoteka.activity.orders.model import Order
from kartoteka.activity.orders.rules import FACT
from kartoteka.activity.store import WAITS_FOR
from kartoteka.activity.visitors.model import Waiting
from kartoteka.identity.kinds import BY_CODE, EMAIL
from kartoteka.identity.model import QUARANTINED, Consent, Held, Key, Status
from kartoteka.identity.working_set import WorkingSet
from tests.rules.stored import Line, Stored
from tests.rules.stories import KIND, START

astuple = msgspec.structs.astuple


def says(content: Any, value: str) -> bool:
    """Whether this text stands somewhere in it."""
    if isinstance(content, dict):
        content = [*content, *content.values()]
    if isinstance(content, list | tuple):
        return any(says(one, value) for one in content)
    return bool(content == value)


class Written(Stored):
    """Tables that take what a batch changed, statement by statement in their order."""

    def _write(self, ws: WorkingSet) -> None:
        new, changed = ws.changed_cards()
        self.written = {card.contact_id for card in (*new, *changed)}
        assert not {card.contact_id for card in new} & self.cards.keys()
        for card in (*new, *changed):
            self.cards[card.contact_id] = astuple(card)
        deleted, inserted, updated = ws.changed_rows()
        for row_key in deleted:
            del self.rows[row_key]
        for held in inserted:
            assert held.row_key not in self.rows, "two rows of one key: 23505"
            self.rows[held.row_key] = astuple(held)
        for held in updated:
            self.rows[held.row_key] = astuple(held)
        self.history += [Line(*row) for row in ws.effects.pop("history", [])]
        came = [row for row in ws.effects.get("came", ()) if row[0] == KIND["cookie"].code]
        for name, write in self._writers().items():
            for row in ws.effects.pop(name, []):
                write(*row)
        for row in came:
            self._give_tokens(*row[:4])
        assert not ws.effects, f"nobody writes {sorted(ws.effects)}"

    def _writers(self) -> dict[str, Callable[..., None]]:
        return {
            "touch_span": lambda _owner: None,
            "turn": self._turn,
            "span": self._span,
            "came": self._came,
            "linked": self._linked,
            "counted": self._count,
            "event_type": lambda key: self.event_types.setdefault(key, EventType(key)),
            "message": self.messages.add,
            "happened": self.happened.append,
            "mark": lambda _owner: None,
            "unclaim": lambda kind, text, _who: self.claims.pop((kind, text), None),
            "claim": self._claim,
            **dict.fromkeys(("known", "keyed"), lambda _contact: None),
            FACT: self._order,
            "event": self._event,
            "list": self._join,
            "attach": lambda number, who, at: self._join(list(self.lists)[number], who, at),
            "absorbed": self._inherit_lists,
            "apart": lambda one, other, *_: self.apart.add((one, other)),
            "join": lambda one, other: self.apart.discard((one, other)),
            "parted": self._part,
            "leave_list": lambda name, who: self._leave(self.lists.get(name, set()), who),
            "detach": lambda number, who: self._leave(self._list(number), who),
            "empty_list": lambda number, first, last: self._list(number).difference_update(
                range(first, last + 1)
            ),
            "category": self.categories.add,
            "lift": lambda key, who: self.suppressions.get(key, {}).pop(who, None),
            "suppress": self._suppress,
            "forget_refusal": self._forget_refusal,
            "refuse": self._refuse,
            "forgive": self._forgive,
            "forget_value": self._forget_value,
            "erase_value": self._erase_value,
            "erase": self._erase,
        }

    def _turn(self, owner: int, state: int, contact: int | None) -> None:
        for spans in self.spans.values():
            for place, span in enumerate(spans):
                if span.owner_id == owner:
                    spans[place] = msgspec.structs.replace(span, state=state, contact_id=contact)

    def _claim(self, kind: int, text: str, *waiting: Any) -> None:
        """That contacts take up what nobody has is shown on the database: it is one statement there."""
        self.claims[(kind, text)] = Waiting(*waiting[:5])

    def _span(
        self,
        kind: int,
        text: str,
        since: datetime | None,
        owner: int,
        contact: int | None,
        state: int,
        at: datetime,
    ) -> None:
        self._add_span((kind, text), Span(since, owner, contact, state, at))

    def _add_span(self, key: Key, span: Span) -> None:
        spans = self.spans.setdefault(key, [])
        assert span.since not in [one.since for one in spans], "two spans of one key: 23505"
        spans.append(span)
        spans.sort(key=lambda one: (one.since is not None, one.since or START))

    def _follow(self, key: Key, contact: int | None, since: datetime) -> None:
        last = self.spans[key][-1].since
        if last is not None and since <= last:
            since = last + timedelta(microseconds=1)
        state = SpanState.OPEN if contact is None else SpanState.LINKED
        if contact == QUARANTINED:
            contact, state = None, SpanState.NOBODYS
        self._add_span(key, Span(since, next(self._span_ids), contact, state, self.at))

    def _came(self, kind: int, text: str, contact: int, since: datetime, _rule: str) -> None:
        spans = self.spans.get((kind, text))
        if spans is None:  # it waited with another: a token with its visitor
            return
        for place, span in enumerate(spans):
            if span.contact_id is not None or span.state != SpanState.OPEN:
                continue
            if kind == KIND["cookie"].code or span.created_at >= self.at - WAITS_FOR:
                linked = {"contact_id": contact, "state": SpanState.LINKED}
                spans[place] = msgspec.structs.replace(span, **linked)
            else:
                spans[place] = msgspec.structs.replace(span, state=SpanState.NOBODYS)
                self.happened = [
                    msgspec.structs.replace(one, owner_id=contact)
                    if one.owner_id == span.owner_id and one.received >= self.at - WAITS_FOR
                    else one
                    for one in self.happened
                ]
        if spans[-1].contact_id != contact:
            self._follow((kind, text), contact, since)

    def _give_tokens(self, kind: int, text: str, side: int, since: datetime) -> None:
        """Statement `give_tokens`: web push tokens go along with their visitor."""
        holder = next(row[3] for row in self.rows.values() if row[:2] == (kind, text))
        known = {span.owner_id for span in self.spans[(kind, text)] if span.contact_id == side}
        for row_key, row in self.rows.items():
            if -row[3] in known and row[0] == KIND["web"].code:
                held = Held(*row)
                held.contact_id, held.since, held.rule = holder, since, "with_visitor"
                held.home = None if side == holder else side
                self.rows[row_key] = astuple(held)
                given = [{"kind": "web_token", "value": held.value}]
                line = Line(
                    self.at, "added", "with_visitor", holder, None, "visited", "", 0, given, None
                )
                self.history.append(line)

    def _linked(
        self, kind: int, text: str, former: int, contact: int | None, since: datetime, _rule: str
    ) -> None:
        if (kind, text) not in self.spans:
            self._add_span(
                (kind, text), Span(None, next(self._span_ids), former, SpanState.LINKED, self.at)
            )
        self._follow((kind, text), contact, since)

    def _count(self, kind: int, text: str, owner: int) -> None:
        for place, span in enumerate(self.spans[(kind, text)]):
            if span.owner_id == owner:
                counted = msgspec.structs.replace(span, events=span.events + 1)
                self.spans[(kind, text)][place] = counted

    def _order(
        self, before: Order | None, after: Order | None, items: Any, _carrier: Key | None
    ) -> None:
        known = (before or after).external_order_id  # type: ignore[union-attr]
        assert self.orders.get(known) == before, "the order was another one"
        if after is None:
            del self.orders[known]
        else:
            self.orders[known] = after
            if items is not None:
                self.items[after.order_id] = items

    def _event(self, who: int, key: str, value: str, at: datetime, params: dict[str, Any]) -> None:
        self.owned.append((who, key, params))
        self.event_keys.append(value)
        self.event_times.append(at)

    def _list(self, number: int) -> set[int]:
        """A list by the id that `_load` tells the rules."""
        return list(self.lists.values())[number]

    def _leave(self, members: set[int], who: int) -> None:
        """With every card of the person: those that were merged into theirs."""
        while (survivor := self.card(who).merged_into) is not None:
            who = survivor
        members -= self._person(who)

    def _join(self, name: str, who: int, at: datetime) -> None:
        members = self.lists.setdefault(name, set())
        if who not in members:
            members.add(who)
            self.joined_at[(name, who)] = at
            self.vias.pop((name, who), None)

    def _inherit_lists(self, absorbed: int, survivor: int) -> None:
        for name, members in self.lists.items():
            if absorbed in members and survivor not in members:
                members.add(survivor)
                self.vias[(name, survivor)] = absorbed
                self.joined_at[(name, survivor)] = self.history[-1].at

    def _part(
        self,
        merge_id: int,
        survivor: int,
        absorbed: list[int],
        own: list[tuple[int | str, datetime]],
        back: list[tuple[int | str, datetime]],
    ) -> None:
        names = list(self.lists)
        for name, members in self.lists.items():
            known = {name, names.index(name)}
            if survivor not in members:
                continue
            since = self.joined_at[(name, survivor)]
            theirs = [at for which, at in back if which in known and at >= since]
            ours = [at for which, at in own if which in known and at >= since]
            if theirs:
                self._join(name, absorbed[0], min(theirs))
            came = self.vias.get((name, survivor)) in absorbed or since in theirs[:1]
            if came and ours:
                self.vias.pop((name, survivor), None)
                self.joined_at[(name, survivor)] = min(ours)
            elif came:
                members.discard(survivor)
        self.history = [
            msgspec.structs.replace(line, contact_id=absorbed[0])
            if place > merge_id
            and line.action == "said"
            and line.contact_id == survivor
            and line.snapshot is not None
            and line.snapshot["side"] in absorbed
            else line
            for place, line in enumerate(self.history, 1)
        ]
        merged = self.history[merge_id - 1]
        self.history[merge_id - 1] = msgspec.structs.replace(merged, snapshot=None)

    def _refuse(self, kind: int, text: str, state: int) -> None:
        self.refusals[(kind, text)] = max(state, self.refusals.get((kind, text), 0))

    def _forgive(self, text: str) -> None:
        if self.refusals.get((EMAIL.code, text)) == Consent.UNSUBSCRIBED:
            del self.refusals[(EMAIL.code, text)]

    def _suppress(self, key: Key, who: int, refusal: int | None, at: datetime) -> None:
        self.erased_at[(key, who)] = at
        self.suppressions.setdefault(key, {}).setdefault(who, refusal)

    def _forget_refusal(self, kind: int, text: str) -> None:
        self.refusals.pop((kind, text), None)

    def _forget_value(self, who: int, kind: int, value: str) -> None:
        for span in self.spans.pop((kind, value), []):
            self.spans[(0, str(span.owner_id))] = [span]
        gone = {"kind": BY_CODE[kind].name, "value": value}
        self.history = [
            msgspec.structs.replace(
                line,
                identifiers=[one for one in line.identifiers or () if one != gone],
                by=[one for one in line.by or () if not gone.items() <= one.items()],
                snapshot=None,
            )
            if line.contact_id == who
            else line
            for line in self.history
        ]

    def _erase_value(self, kind: int, name: str, value: str, text: str) -> None:
        """It leaves the history of whoever held it before, unless they hold it now."""
        if not any(key[:2] == (kind, text) and row[3] > 0 for key, row in self.rows.items()):
            spans = self.spans.get((kind, text), [])
            nobodys = {span.owner_id for span in spans if span.contact_id is None}
            self.happened = [one for one in self.happened if one.owner_id not in nobodys]
            if spans and len(nobodys) == len(spans):
                del self.spans[(kind, text)]
        gone = {"kind": name, "value": value}
        for number, line in enumerate(self.history):
            if gone in (line.identifiers or ()) and value not in self.has(line.contact_id):
                kept = [one for one in line.identifiers or () if one != gone]
                self.history[number] = msgspec.structs.replace(
                    line, identifiers=kept, snapshot=None
                )
            if says(line.by, value) and value not in self.has(line.contact_id):
                kept = [one for one in line.by or () if not gone.items() <= one.items()]
                self.history[number] = msgspec.structs.replace(self.history[number], by=kept)
            if says(line.snapshot, value) and value not in self.has(line.contact_id):
                self.history[number] = msgspec.structs.replace(self.history[number], snapshot=None)

    def _erase(self, who: int) -> None:
        """The retired cards of the person, and history, events and lists of all of them."""
        person = self._person(who)
        for one in person:
            card = self.card(one)
            card.status = Status.ERASED
            self.cards[one] = astuple(card)
        self.history = [
            msgspec.structs.replace(line, identifiers=None, snapshot=None, by=None)
            if line.contact_id in person
            else line
            for line in self.history
        ]
        kept = [place for place, event in enumerate(self.owned) if event[0] not in person]
        self.owned = [self.owned[place] for place in kept]
        self.event_keys = [self.event_keys[place] for place in kept]
        self.event_times = [self.event_times[place] for place in kept]
        self._erase_activity(person)
        for members in self.lists.values():
            members.difference_update(person)

    def _erase_activity(self, person: set[int]) -> None:
        gone = set(person)
        for key, spans in list(self.spans.items()):
            theirs = {span.owner_id for span in spans if span.contact_id in person}
            if not theirs:
                continue
            gone |= theirs
            if any(row_key[:2] == key and row[3] > 0 for row_key, row in self.rows.items()):
                nobodys = {"contact_id": None, "state": SpanState.NOBODYS}
                self.spans[key] = [
                    msgspec.structs.replace(span, **nobodys) if span.owner_id in theirs else span
                    for span in spans
                ]
                continue
            gone |= {span.owner_id for span in spans if span.contact_id is None}
            for span in spans:
                if span.owner_id not in gone:
                    self.spans[(0, str(span.owner_id))] = [span]
            del self.spans[key]
            self.rows = {row_key: row for row_key, row in self.rows.items() if -row[3] not in gone}
        self.happened = [one for one in self.happened if one.owner_id not in gone]
        self.orders = {key: one for key, one in self.orders.items() if one.owner_id not in gone}
