"""The rules on one command: what they miss is loaded and they are asked again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeAlias

import msgspec

from kartoteka.contacts.model import Command, Outcome
from kartoteka.db.database import Row
from kartoteka.db.transaction import Call, Transaction
from kartoteka.errors import KartotekaError
from kartoteka.identity.store import Digest, Loader
from kartoteka.identity.working_set import Missing, WorkingSet

MOST_LOADS = 1000
"""A rule that follows a chain of merges loads once for each; more is a rule that never ends."""

Answer: TypeAlias = "Outcome | Exception"
Named: TypeAlias = tuple[Sequence[Any], Sequence[int]]
"""(identifier keys, contact ids) that a command speaks of."""


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
    """What the engine is handed; `contacts` is where these come from."""

    named_by: Callable[[Command], Named]
    decide: Callable[[WorkingSet, Command], Outcome]
    after: Callable[[WorkingSet, Digest, Any], list[Call]]
    watch: Watch | None = None


async def decide_one(rules: Rules, loader: Loader, command: Command) -> Answer:
    """What the command comes to, or the error of the rules that refuses it."""
    try:
        for _ in range(MOST_LOADS):
            try:
                return rules.decide(loader.ws, command)
            except Missing as missing:
                await loader.load(missing)
    except KartotekaError as error:
        return error
    raise AssertionError(f"{type(command).__name__} never has enough loaded")
