"""An account in memory: feeds commands through `decide` exactly as `intake` does, without a database.

What a batch reads comes from the stored rows, lazily, key by key; what it changes goes back as a
difference, checked like the database checks it (one row per key). A rule that asks for more after
it has changed something fails here, because asking again would do the change twice.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec

from kartoteka.activity.model import EventType, Happened, Span, SpanState
from kartoteka.activity.orders.model import Order, OrderItem
from kartoteka.activity.orders.rules import FACT, ORDERS_OF
from kartoteka.activity.spans import SPANS
from kartoteka.activity.store import WAITS_FOR
from kartoteka.activity.visitors.due import CLAIMS_ABOUT
from kartoteka.activity.visitors.model import Waiting
from kartoteka.activity.visitors.waiting import WAITING
from kartoteka.contacts.model import Command, Outcome, RowRules
from kartoteka.errors import KartotekaError
from kartoteka.identity.history import rebuild
from kartoteka.identity.kinds import BY_CODE, EMAIL
from kartoteka.identity.model import (
    QUARANTINED,
    Card,
    Consent,
    Held,
    Key,
    Merge,
    Resolution,
    Settings,
    Status,
)
from kartoteka.identity.working_set import Missing, WorkingSet
from kartoteka.intake.deciding import how_far
from kartoteka.writing import RULES
from tests.rules import stories
from tests.rules.stories import KIND, START

astuple = msgspec.structs.astuple


class Line(msgspec.Struct, frozen=True):
    """A row of the identity history, in the order of the effect."""

    at: datetime
    action: str
    rule: str
    contact_id: int
    other: int | None
    method: str
    request_id: str
    key_id: int
    identifiers: list[dict[str, Any]] | None
    snapshot: dict[str, Any] | None
    undoes: int | None = None
    by: list[dict[str, Any]] | None = None


class Answer(msgspec.Struct, frozen=True):
    """What a command came to, in few words."""

    outcome: Outcome

    @property
    def resolution(self) -> Resolution:
        return self.outcome.resolution

    @property
    def id(self) -> int:
        assert self.resolution.contact_id is not None
        return self.resolution.contact_id

    @property
    def came_to(self) -> str:
        return self.resolution.outcome

    @property
    def rule(self) -> str | None:
        return self.resolution.rule

    @property
    def absorbed(self) -> list[int]:
        return self.resolution.absorbed

    @property
    def warnings(self) -> list[str]:
        return [notice.code for notice in self.resolution.warnings]

    @property
    def moved(self) -> list[tuple[str, str, int]]:
        return [(one.kind, one.value, one.from_contact_id) for one in self.resolution.moved]


def through_text(content: Any) -> Any:
    """As jsonb keeps it."""
    return msgspec.json.decode(msgspec.json.encode(content))


def says(content: Any, value: str) -> bool:
    """Whether this text stands somewhere in it."""
    if isinstance(content, dict):
        content = [*content, *content.values()]
    if isinstance(content, list | tuple):
        return any(says(one, value) for one in content)
    return bool(content == value)


class World:
    """One account: what is stored, and a clock that goes on a minute with every command."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.now = START
        self.at = START
        self.cards: dict[int, tuple[Any, ...]] = {}
        self.rows: dict[tuple[int, str, int], tuple[Any, ...]] = {}
        self.lists: dict[str, set[int]] = {}
        self.refusals: dict[Key, int] = {}
        self.suppressions: dict[Key, dict[int, int | None]] = {}
        self.erased_at: dict[tuple[Key, int], datetime] = {}
        self.categories: set[str] = set()
        self.history: list[Line] = []
        self.owned: list[tuple[int, str, dict[str, Any]]] = []
        self.vias: dict[tuple[str, int], int] = {}
        self.joined_at: dict[tuple[str, int], datetime] = {}
        self.apart: set[tuple[int, int]] = set()
        self.event_keys: list[str] = []
        self.event_times: list[datetime] = []
        self.spans: dict[Key, list[Span]] = {}
        self.happened: list[Happened] = []
        self.event_types: dict[str, EventType] = {}
        self.orders: dict[str, Order] = {}
        self.items: dict[int, Sequence[OrderItem]] = {}
        self.messages: set[bytes] = set()
        self.claims: dict[Key, Waiting] = {}
        self.written: set[int] = set()
        """Whose rows the last batch wrote."""
        self._ids = itertools.count(1)
        self._span_ids = itertools.count(1_000_000)

    def number_from(self, first: int) -> None:
        """What is made from now on has these ids."""
        self._ids = itertools.count(first)
        self._span_ids = itertools.count(1_000_000 + first)

    def next_id(self) -> int:
        return next(copy.copy(self._ids))

    def copy(self) -> World:
        """Another world in which everything is as it is here."""
        other = World(self.settings)
        for name, value in vars(self).items():
            setattr(other, name, copy.copy(value))
        other.lists = {name: set(members) for name, members in self.lists.items()}
        other.spans = {key: list(spans) for key, spans in self.spans.items()}
        other.suppressions = {key: dict(of) for key, of in self.suppressions.items()}
        return other

    # What a story says.

    def post(self, **said: Any) -> Answer:
        return self.send(stories.add(**said))

    def put(self, contact_id: int, **said: Any) -> Answer:
        return self.send(stories.put(contact_id, **said))

    def subscribe(self, **said: Any) -> Answer:
        return self.send(stories.subscribe(**said))

    def remove(self, contact_id: int | None = None, *, x: str | None = None) -> Answer:
        return self.send(stories.remove(contact_id, x=x))

    def erase(self, contact_id: int | None = None, *, x: str | None = None) -> Answer:
        return self.send(stories.erase(contact_id, x=x))

    def app_token(self, token: str, **said: Any) -> Answer:
        return self.send(stories.app_token(token, **said))

    def unsubscribe(self, *emails: str) -> Answer:
        return self.send(stories.unsubscribe(*emails))

    def forgive(self, *emails: str) -> Answer:
        return self.send(stories.forgive(*emails))

    def merge(self, keep: int, absorb: int) -> Answer:
        return self.send(stories.merge(keep, absorb))

    def undo(self, merge_id: int | None = None) -> Answer:
        """That merge, or the last one."""
        return self.send(stories.undo(self.last_merge() if merge_id is None else merge_id))

    def not_the_same(self, one: int, other: int) -> Answer:
        return self.send(stories.not_the_same(one, other))

    def attach(self, name: str, *contact_ids: int, x: tuple[str, ...] = ()) -> Answer:
        return self.send(stories.attach(self.list_id(name), *contact_ids, x=x))

    def detach(self, name: str, *contact_ids: int, x: tuple[str, ...] = ()) -> Answer:
        return self.send(stories.detach(self.list_id(name), *contact_ids, x=x))

    def row(self, by: RowRules, **said: Any) -> Answer:
        return self.send(stories.row(by, **said))

    def event(self, key: str = "seen", **said: Any) -> Answer:
        return self.send(stories.event(key, **said))

    def segmented(self, *keys: str) -> None:
        """Let events of these types create contacts."""
        self.event_types |= {key: EventType(key, segmentation=True) for key in keys}

    def set_subscriptions(self, contact_id: int, *keys: str) -> Answer:
        return self.send(stories.set_subscriptions(contact_id, *keys))

    def send(self, command: Command, *, at: datetime | None = None) -> Answer:
        """One command in a transaction of its own; its error, if it has one, is raised."""
        (answer,) = self.batch([command], at=at)
        if isinstance(answer, KartotekaError):
            raise answer
        return answer

    def batch(
        self, commands: Sequence[Command], *, at: datetime | None = None
    ) -> list[Answer | KartotekaError]:
        """These commands, one after the other, in one transaction."""
        arrived = []
        for command in commands:
            self.now += timedelta(minutes=1)
            arrived.append(stories.arriving(command, at or self.now))
        ws = WorkingSet(1, self.settings, lambda: next(self._ids))
        answers = [self._decide(ws, command) for command in arrived]
        self.at = at or self.now
        self._write(ws)
        return answers

    # What a story asks.

    @property
    def events(self) -> list[tuple[int, str, dict[str, Any]]]:
        """(whose it is now, type, parameters): what a merged card owns is its survivor's."""
        return [(self.survivor(who), key, params) for who, key, params in self.owned]

    def survivor(self, who: int) -> int:
        while (into := self.card(who).merged_into) is not None:
            who = into
        return who

    def merges(self) -> list[int]:
        """Ids of the merges that stand, in order: places in the history, from 1."""
        undone = {line.undoes for line in self.history}
        return [
            place
            for place, line in enumerate(self.history, 1)
            if line.action == "absorbed" and place not in undone
        ]

    def last_merge(self) -> int:
        return self.merges()[-1]

    def card(self, contact_id: int) -> Card:
        return Card(*self.cards[contact_id])

    def live(self) -> list[int]:
        return [who for who in self.cards if self.card(who).status == Status.LIVE]

    def status(self, contact_id: int) -> str:
        return Status(self.card(contact_id).status).name.lower()

    def held(self, contact_id: int) -> list[Held]:
        return [
            Held(*self.rows[key]) for key in sorted(self.rows) if self.rows[key][3] == contact_id
        ]

    def has(self, contact_id: int) -> set[str]:
        """Values of every identifier on the card."""
        return {one.value for one in self.held(contact_id)}

    def owners(self, name: str, value: str) -> list[int]:
        """Who holds this; `name` as in stories."""
        key = stories.Identifier(KIND[name].code, value).key
        return [row[3] for row_key, row in sorted(self.rows.items()) if row_key[:2] == key]

    def actions(self, contact_id: int) -> list[str]:
        return [line.action for line in self.history if line.contact_id == contact_id]

    def replayed(self) -> set[tuple[int, str, str]]:
        """(contact, kind, value) of all that stands as the history tells it (`identity verify`)."""
        last: dict[tuple[int, str, str], bool] = {}
        for line in self.history:
            if line.action in ("said", "refused"):
                continue
            for one in line.identifiers or ():
                for who, gets in ((line.contact_id, True), (line.other, False)):
                    stands = gets and line.action not in ("dropped", "quarantined")
                    if who is not None:
                        last[(who, one["kind"], one["value"])] = stands
        return {key for key, stands in last.items() if stands}

    def standing(self) -> set[tuple[int, str, str]]:
        """The same of what is stored."""
        return {
            (row[3], BY_CODE[row[0]].name, row[4] or row[1])
            for row in self.rows.values()
            if row[3] > 0
        }

    def lists_of(self, contact_id: int) -> set[str]:
        return {name for name, members in self.lists.items() if contact_id in members}

    def list_id(self, name: str) -> int:
        """The list's id; it is made when nobody has named it yet."""
        self.lists.setdefault(name, set())
        return list(self.lists).index(name)

    def consent(self, contact_id: int) -> dict[str, str]:
        states = self.card(contact_id).consent
        return {name: Consent(state).name.lower() for name, state in states.items()}

    def snapshot(self, contact_id: int) -> tuple[Card, list[Held], set[int]]:
        """What the history would bring back of an absorbed card."""
        (line,) = [
            one for one in self.history if one.action == "absorbed" and one.other == contact_id
        ]
        assert line.snapshot is not None
        # As jsonb keeps it: through text.
        return rebuild(msgspec.json.decode(msgspec.json.encode(line.snapshot)))

    # Deciding, as intake does.

    def _decide(self, ws: WorkingSet, command: Command) -> Answer | KartotekaError:
        keys, ids = RULES.named_by(command)
        self._load(ws, Missing(keys=keys, cards=ids, facts=RULES.facts(command)))
        before = how_far(ws)
        try:
            outcome = self._with_all(ws, lambda: RULES.decide(ws, command))
            for follow in RULES.follows:
                self._with_all(ws, partial(follow, ws, command, before))
        except KartotekaError as error:
            return error
        return Answer(outcome)

    def _with_all(self, ws: WorkingSet, ask: Callable[[], Any]) -> Any:
        for _ in range(50):
            before = _fingerprint(ws)
            try:
                return ask()
            except Missing as missing:
                assert _fingerprint(ws) == before, "a rule changed something, then asked for more"
                self._load(ws, missing)
        raise AssertionError("a rule never has enough loaded")

    def _load(self, ws: WorkingSet, missing: Missing) -> None:
        rows = [self.rows[row_key] for row_key in sorted(self.rows)]
        fields = {key for key in missing.keys if key[0] <= 0}
        ws.load_found(fields, [found for key in fields for found in self._with_value(key)])
        new = [key for key in missing.keys - fields if not ws.is_known(key)]
        ws.load_keys(new, [row for row in rows if (row[0], row[1]) in new])
        cards = [who for who in missing.cards if who not in ws.cards]
        ws.load_cards(cards, [self.cards[who] for who in cards if who in self.cards])
        ws.load_whole(
            missing.whole,
            [row for row in rows if row[3] in missing.whole],
            [
                (who, number)
                for who in missing.whole
                for number, name in enumerate(self.lists)
                if who in self.lists[name]
            ],
            [
                (*pair, *map(self.survivor, pair))
                for pair in self.apart
                if missing.whole.intersection(map(self.survivor, pair))
            ],
        )
        for merge_id in missing.merges:
            ws.load_merge(merge_id, self._merge(merge_id))
        ws.load_addresses(
            missing.addresses,
            [(*key, state) for key, state in self.refusals.items() if key in missing.addresses],
            [
                (key, who, refusal, self.erased_at[(key, who)])
                for key in missing.addresses
                for who, refusal in self.suppressions.get(key, {}).items()
            ],
        )
        for name, key in missing.facts:
            facts: dict[str, Callable[[Any], Any]] = {
                SPANS: lambda key: tuple(self.spans.get(key, ())),
                "event_type": self.event_types.get,
                "message": lambda digest: digest in self.messages or None,
                FACT: lambda order_id: copy.copy(self.orders.get(order_id)),
                ORDERS_OF: self.orders_of,
                WAITING: self.claims.get,
                CLAIMS_ABOUT: self._claims_about,
            }
            ws.load_facts(name, [key], {key: facts[name](key)})

    def _merge(self, merge_id: int) -> Merge | None:
        """What `merge` and its neighbours in identity/merges.sql say, through jsonb."""
        if not 0 < merge_id <= len(self.history):
            return None
        line = self.history[merge_id - 1]
        if line.action != "absorbed" or line.other is None:
            return None
        undone = {one.undoes for one in self.history}
        since = list(enumerate(self.history, 1))[merge_id:]
        absorbed = [line.other]
        for who in absorbed:
            absorbed += [one for one in self.cards if self.card(one).merged_into == who]
        return Merge(
            merge_id,
            line.contact_id,
            line.other,
            through_text(line.snapshot),
            merge_id in undone,
            [
                place
                for place, one in since
                if one.action == "absorbed"
                and line.contact_id in (one.contact_id, one.other)
                and place not in undone
            ],
            absorbed,
            [
                (place, one.at, one.request_id, one.key_id, one.method, through_text(one.snapshot))
                for place, one in since
                if one.action == "said"
                and (
                    one.contact_id == line.contact_id
                    or (
                        one.snapshot
                        and one.snapshot["side"] == 0
                        and self._was(line.contact_id, one.contact_id, place)
                    )
                )
            ],
            [
                (place, one.at, one.rule, one.identifiers or [])
                for place, one in since
                if (
                    one.action in ("moved", "claimed")
                    and self._was(line.contact_id, one.other, place)
                )
                or (
                    (one.action == "quarantined" or one.rule in ("logout", "claim"))
                    and one.action in ("quarantined", "dropped")
                    and self._was(line.contact_id, one.contact_id, place)
                )
            ],
        )

    def _was(self, who: int, whole: int | None, place: int) -> bool:
        """Whether the card was that one then, or part of it by a merge that was undone since."""
        return who == whole or any(
            line.action == "undone"
            and (line.contact_id, line.other) == (who, whole)
            and (line.undoes or 0) < place < number
            for number, line in enumerate(self.history, 1)
        )

    def _with_value(self, key: Key) -> list[tuple[int, str, int]]:
        """Who has this contact key or custom field, as `load_found` takes it."""
        field, value = -key[0], key[1]
        return [
            (field, value, card.contact_id)
            for card in map(self.card, self.cards)
            if card.status in (Status.LIVE, Status.REMOVED)
            and (card.fields.get(str(field)) if field else card.contact_key) == value
        ]

    # Writing, as identity.store and contacts.store do: in their order.

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

    def _claims_about(self, key: Key) -> list[Key]:
        kind, text = key
        return [
            visitor
            for visitor, one in self.claims.items()
            if text == (str(one.contact_id), one.external_key, one.email, one.phone)[kind]
            and any(row[:2] == visitor and row[3] > 0 for row in self.rows.values())
        ]

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

    def orders_of(self, contact_id: int) -> list[str]:
        """Ids of a card's orders, with those of the cards that were merged into it."""
        person = self._person(contact_id)
        return [key for key, one in self.orders.items() if one.owner_id in person]

    def history_of(self, contact_id: int) -> list[str]:
        """Types of what belongs to a card, in the order of its own time (docs/decisions/0014)."""
        person = self._person(contact_id)
        owners = person | {
            span.owner_id
            for spans in self.spans.values()
            for span in spans
            if span.contact_id in person
        }
        theirs = [one for one in self.happened if one.owner_id in owners]
        return [one.type_key for one in sorted(theirs, key=lambda one: one.occurred)]

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

    def _person(self, who: int) -> set[int]:
        """A card and all that were merged into it."""
        person = {who}
        while more := {one for one in self.cards if self.card(one).merged_into in person} - person:
            person |= more
        return person


def _fingerprint(ws: WorkingSet) -> str:
    return repr((ws.changed_cards(), ws.changed_rows(), ws.effects))
