"""An account in memory: feeds commands through `decide` exactly as `intake` does, without a database.

What a batch reads comes from the stored rows (`stored.py`), what it changes goes back as a difference
(`written.py`). A rule that asks for more after it has changed something fails here, because asking
again would do the change twice.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec

from kartoteka.activity.model import EventType
from kartoteka.contacts.model import Command, Outcome, RowRules
from kartoteka.errors import KartotekaError
from kartoteka.identity.history import rebuild
from kartoteka.identity.kinds import BY_CODE
from kartoteka.identity.model import Card, Consent, Held, Resolution, Status
from kartoteka.identity.working_set import Missing, WorkingSet
from kartoteka.intake.deciding import how_far
from kartoteka.writing import RULES
from tests.rules import stories
from tests.rules.stories import KIND
from tests.rules.written import Written


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


class World(Written):
    """One account: what is stored, and a clock that goes on a minute with every command."""

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

    def live(self) -> list[int]:
        return [who for who in self.cards if self.card(who).status == Status.LIVE]

    def status(self, contact_id: int) -> str:
        return Status(self.card(contact_id).status).name.lower()

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


def _fingerprint(ws: WorkingSet) -> str:
    return repr((ws.changed_cards(), ws.changed_rows(), ws.effects))
