"""The same request again: stored answers under an Idempotency-Key, and the vendor's refusal (D22)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from kartoteka.clock import Clock
from kartoteka.contacts.model import Command, Outcome
from kartoteka.db.arrays import pg_array
from kartoteka.db.database import Database
from kartoteka.db.named import load_queries
from kartoteka.db.transaction import Call
from kartoteka.errors import DuplicatedRequest, IdempotencyMismatch
from kartoteka.identity.store import columns, hex_bytes

QUERIES = load_queries(__package__)
KEPT = timedelta(hours=24)


async def forget_old(database: Database, clock: Clock, accounts: Sequence[int]) -> None:
    """Drop stored answers that can no longer be asked for."""
    since = clock.now() - KEPT
    for account_id in accounts:
        await database.execute(QUERIES["forget_old"], account_id=account_id, since=since)


class Repeats:
    """What one batch knows of earlier requests, its own among them."""

    def __init__(self, account_id: int, commands: Sequence[Command]) -> None:
        self.account_id = account_id
        self._keyed = [one for one in commands if one.repeat and one.repeat.idempotency_key]
        self._refused = [one for one in commands if one.repeat and one.repeat.refuse_within_s]
        self._answers: dict[tuple[int, str], tuple[bytes, Outcome]] = {}
        self._recent: dict[bytes, datetime] = {}
        self._new: list[tuple[Any, ...]] = []
        self._seen: list[tuple[str, datetime]] = []

    def calls(self) -> list[Call]:
        """Statements to read with the first round trip; none for a batch without such commands."""
        calls: list[Call] = []
        if self._keyed:
            since = min(one.origin.at for one in self._keyed) - KEPT
            calls.append(
                self._call(
                    "find_replays",
                    key_ids=pg_array([one.origin.key_id for one in self._keyed]),
                    names=pg_array([one.repeat.idempotency_key for one in self._keyed]),  # type: ignore[union-attr]
                    since=since,
                )
            )
        if self._refused:
            digests = [hex_bytes(one.repeat.digest) for one in self._refused]  # type: ignore[union-attr]
            calls.append(self._call("find_recent", digests=pg_array(digests)))
        return calls

    def load(self, rows: list[list[tuple[Any, ...]]]) -> None:
        """Take the rows of `calls`."""
        answers = iter(rows)
        if self._keyed:
            for key_id, name, digest, answer in next(answers):
                stored = msgspec.convert(answer, Outcome, strict=False)
                self._answers[(key_id, name)] = (bytes(digest), stored)
        if self._refused:
            self._recent.update((bytes(digest), at) for digest, at in next(answers))

    def earlier(self, command: Command) -> Outcome | None:
        """The stored answer to this request, or None where it is new.

        Raises IdempotencyMismatch (same key, another body) and DuplicatedRequest.
        """
        repeat = command.repeat
        if repeat is None:
            return None
        if repeat.idempotency_key:
            known = self._answers.get((command.origin.key_id, repeat.idempotency_key))
            if known is not None:
                if known[0] != repeat.digest:
                    raise IdempotencyMismatch
                return known[1]
        if repeat.refuse_within_s:
            last = self._recent.get(repeat.digest)
            window = timedelta(seconds=repeat.refuse_within_s)
            if last is not None and command.origin.at - last < window:
                raise DuplicatedRequest
        return None

    def remember(self, command: Command, outcome: Outcome) -> None:
        """This request was carried out."""
        repeat = command.repeat
        if repeat is None:
            return
        origin = command.origin
        if repeat.idempotency_key:
            self._answers[(origin.key_id, repeat.idempotency_key)] = (repeat.digest, outcome)
            self._new.append(
                (
                    origin.key_id,
                    repeat.idempotency_key,
                    hex_bytes(repeat.digest),
                    outcome.resolution.contact_id,
                    msgspec.json.encode(outcome).decode(),
                    origin.at,
                )
            )
        if repeat.refuse_within_s:
            self._recent[repeat.digest] = origin.at
            self._seen.append((hex_bytes(repeat.digest), origin.at))

    def changes(self) -> list[Call]:
        """Statements that store what `remember` was told."""
        calls: list[Call] = []
        names = ("key_id", "name", "digest", "contact_id", "answer", "at")
        if self._new:
            calls.append(self._call("store_replays", **columns(names, self._new)))
        if self._seen:
            calls.append(self._call("store_recent", **columns(("digest", "at"), self._seen)))
        return calls

    def _call(self, query: str, /, **params: Any) -> Call:
        return QUERIES[query], {"account_id": self.account_id, **params}
