"""The rules on one command: what they miss is loaded and they are asked again.

Each capability that writes has a `Part`: its commands and what it makes of the effects of a batch.
`compose` makes of them the `Rules` that the engine is handed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeAlias, TypeVar

import msgspec

from kartoteka.contacts.model import Command, Outcome
from kartoteka.contacts.sayings import hear
from kartoteka.db.database import Database, Row
from kartoteka.db.transaction import Call, Transaction
from kartoteka.errors import KartotekaError
from kartoteka.identity.loading import Loader, Reader
from kartoteka.identity.store import Digest
from kartoteka.identity.working_set import Missing, WorkingSet

MOST_LOADS = 1000
"""A rule that follows a chain of merges loads once for each; more is a rule that never ends."""

_T = TypeVar("_T")
Answer: TypeAlias = "Outcome | Exception"
Named: TypeAlias = tuple[Sequence[Any], Sequence[int]]
"""(identifier keys, contact ids) that a command speaks of."""
Fact: TypeAlias = tuple[str, Any]
"""(name of a reader, key): what a command will ask `WorkingSet.fact` for."""
After: TypeAlias = Callable[[WorkingSet, Digest, Any], list[Call]]
Prepare: TypeAlias = Callable[[Database, Sequence[Command]], Awaitable[None]]


def _no_facts(_: Any) -> Sequence[Fact]:
    return ()


def _not_enough(_: Any) -> Fact | None:
    return None


def _nothing(_ws: WorkingSet, _digest: Digest, _at: Any) -> list[Call]:
    return []


def _once(digest: Digest) -> Digest:
    """The digest, worked out once for each key of a batch: an order and its event have the same."""
    known: dict[tuple[int, Any], bytes] = {}

    def digest_once(account_id: int, key: Any) -> bytes:
        found = known.get((account_id, key))
        if found is None:
            found = known[account_id, key] = digest(account_id, key)
        return found

    return digest_once


class Before(msgspec.Struct, frozen=True):
    """How far a batch was before a command: how many rows of these effects there were."""

    came: int
    history: int
    keyed: int


Follow: TypeAlias = Callable[[WorkingSet, Command, Before], None]


class Action(msgspec.Struct, frozen=True):
    """One command: what it names, what it asks for, what it comes to."""

    decide: Callable[[WorkingSet, Any], Outcome]
    named_by: Callable[[Any], Named]
    facts: Callable[[Any], Sequence[Fact]] = _no_facts
    enough: Callable[[Any], Fact | None] = _not_enough
    """The fact that decides the command without the cards and identifiers that it names; found to be
    None, they are needed after all. A batch of nothing but such commands loads no more."""


class Part(msgspec.Struct, frozen=True):
    """What one capability hands the engine."""

    actions: Mapping[type[Command], Action]
    after: After = _nothing
    """Statements for the effects of a batch, behind the difference of cards and identifiers."""
    erase: After = _nothing
    """Statements that destroy; they run behind `after` of all parts."""
    readers: Mapping[str, Reader] = {}
    prepare: Prepare | None = None
    """What a batch needs in the database and may wait for: runs before its transaction."""
    follow: Follow | None = None
    """What it makes of what any command came to, behind each. It may ask for more like any rule."""


class Watch(Protocol):
    """Keeps what follows from cards in step with them, in the same transaction."""

    def reads(self, account_id: int) -> Sequence[Call]:
        """Statements that travel with the first look-ups of a batch."""
        ...

    async def changes(
        self, tx: Transaction, ws: WorkingSet, rows: Sequence[list[Row]], at: datetime
    ) -> list[Call]:
        """Statements behind all others of a batch that writes; `rows`: what `reads` answered."""
        ...


class Rules(msgspec.Struct, frozen=True):
    """What the engine is handed; `compose` makes it."""

    named_by: Callable[[Command], Named]
    decide: Callable[[WorkingSet, Command], Outcome]
    after: After
    facts: Callable[[Command], Sequence[Fact]] = _no_facts
    enough: Callable[[Command], Fact | None] = _not_enough
    readers: Mapping[str, Reader] = {}
    prepares: Sequence[Prepare] = ()
    follows: Sequence[Follow] = ()
    watch: Callable[[], Watch] | None = None
    """Makes the watch of an engine: what it remembers is of one database."""


def compose(*parts: Part, watch: Callable[[], Watch] | None = None) -> Rules:
    """The rules of all these capabilities, in the order in which they write; `watch` comes last."""
    actions: dict[type[Command], Action] = {}
    readers: dict[str, Reader] = {}
    for part in parts:
        actions.update(part.actions)
        readers.update(part.readers)

    def after(ws: WorkingSet, digest: Digest, at: Any) -> list[Call]:
        digest = _once(digest)
        calls = [call for part in parts for call in part.after(ws, digest, at)]
        return calls + [call for part in parts for call in part.erase(ws, digest, at)]

    return Rules(
        named_by=lambda command: actions[type(command)].named_by(command),
        decide=lambda ws, command: hear(ws, command, actions[type(command)].decide),
        after=after,
        facts=lambda command: actions[type(command)].facts(command),
        enough=lambda command: actions[type(command)].enough(command),
        readers=readers,
        prepares=tuple(part.prepare for part in parts if part.prepare is not None),
        follows=tuple(part.follow for part in parts if part.follow is not None),
        watch=watch,
    )


async def decide_one(rules: Rules, loader: Loader, command: Command) -> Answer:
    """What the command comes to, or the error of the rules that refuses it."""
    ws = loader.ws
    before = how_far(ws)
    try:
        outcome = await _with_all(loader, rules.decide, ws, command)
        for follow in rules.follows:
            await _with_all(loader, follow, ws, command, before)
    except KartotekaError as error:
        return error
    return outcome


def how_far(ws: WorkingSet) -> Before:
    """How far the batch is, for those who follow a command."""
    effects = ws.effects
    return Before(
        len(effects.get("came", ())), len(effects.get("history", ())), len(effects.get("keyed", ()))
    )


async def _with_all(loader: Loader, ask: Callable[..., _T], *of: Any) -> _T:
    """What a rule says once everything that it asks for is loaded."""
    for _ in range(MOST_LOADS):
        try:
            return ask(*of)
        except Missing as missing:
            await loader.load(missing)
    raise AssertionError("a rule never has enough loaded")
