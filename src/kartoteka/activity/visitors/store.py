"""Reads claims that wait, and writes what visitors, their claims and their tokens come to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from kartoteka.activity.visitors.due import CLAIMS_ABOUT
from kartoteka.activity.visitors.model import CLAIM, Waiting
from kartoteka.activity.visitors.waiting import WAITING
from kartoteka.contacts.store import Batch, Rows, Statement, Writers, write_effects
from kartoteka.db.arrays import pg_array
from kartoteka.db.database import Database
from kartoteka.db.named import Query, load_queries
from kartoteka.db.transaction import Call
from kartoteka.identity.kinds import KINDS, WEB_COOKIE
from kartoteka.identity.loading import Reader
from kartoteka.identity.model import Key
from kartoteka.identity.sides import card_of_side
from kartoteka.identity.store import Digest, columns
from kartoteka.identity.working_set import WorkingSet

QUERIES = load_queries(__package__)
_MOST_ROUNDS = 1_000


def _ask(keys: list[Any], _: bool) -> tuple[Query, dict[str, Any]]:
    kinds, texts = [kind for kind, _ in keys], [text for _, text in keys]
    return QUERIES["find_claims"], {"kinds": pg_array(kinds), "keys": pg_array(texts)}


def _take(rows: list[tuple[Any, ...]]) -> dict[Any, Waiting]:
    return {(kind, key): Waiting(*rest) for kind, key, *rest in rows}


def _ask_about(keys: list[Any], _: bool) -> tuple[Query, dict[str, Any]]:
    kinds, texts = [kind for kind, _ in keys], [text for _, text in keys]
    return QUERIES["find_claims_about"], {"kinds": pg_array(kinds), "keys": pg_array(texts)}


def _take_about(rows: list[tuple[Any, ...]]) -> dict[Any, list[Key]]:
    about: dict[Any, list[Key]] = {}
    for named_kind, named_key, kind, value_key in rows:
        about.setdefault((named_kind, named_key), []).append((kind, value_key))
    return about


READERS = {WAITING: Reader(_ask, _take), CLAIMS_ABOUT: Reader(_ask_about, _take_about)}


def _turned(batch: Batch, rows: Rows) -> list[Statement]:
    """The last word about each span counts."""
    last = list({row[0]: row for row in rows}.values())
    return [("turn_spans", {**columns(("owner_id", "state", "contact_id"), last), "at": batch.at})]


def _touched(_: Batch, rows: Rows) -> list[Statement]:
    return [("touch_visitors", {"owner_id": pg_array([owner for (owner,) in rows])})]


def _marked(_: Batch, rows: Rows) -> list[Statement]:
    """Spans that this batch began for a claim say so: the timeline marks them."""
    return [("mark_claimed", {"owner_id": pg_array([owner for (owner,) in rows])})]


def _claims(_: Batch, rows: Rows) -> list[Statement]:
    last = list({row[:2]: row for row in rows}.values())
    names = (
        "kind",
        "value_key",
        "external_key",
        "email",
        "phone",
        "contact_id",
        "expires_at",
        "at",
    )
    return [("keep_claims", columns(names, last))]


def _unclaimed(batch: Batch, rows: Rows) -> list[Statement]:
    """Not those that this batch made anew: `keep_claims` ran before."""
    kept = {row[:2] for row in batch.ws.effects.get("claim", ())}
    gone = sorted({row[:2] for row in rows} - kept)
    return [("drop_claims", columns(("kind", "value_key"), gone))] if gone else []


_BEFORE: Writers = {"touch_span": _touched, "turn": _turned}
_BEHIND: Writers = {"mark": _marked, "claim": _claims, "unclaim": _unclaimed}


def before(ws: WorkingSet, digest: Digest, at: datetime) -> list[Call]:
    """Statements that run before those of `activity`: which spans are open to whom."""
    return write_effects(ws, digest, at, _BEFORE, QUERIES)


def behind(ws: WorkingSet, digest: Digest, at: datetime) -> list[Call]:
    """Statements that run behind those of `activity`."""
    calls = write_effects(ws, digest, at, _BEHIND, QUERIES)
    account = {"account_id": ws.account_id}
    if people := _known(ws):
        names = {
            "codes": pg_array([kind.code for kind in KINDS]),
            "names": pg_array([kind.name for kind in KINDS]),
        }
        ids = {
            "ids": pg_array(sorted(people)),
            "at": at,
            "phone_is_personal": ws.settings.phone_is_personal,
        }
        calls.append((QUERIES["take_up_claims"], {**account, **ids, **names}))
    if known := _known_visitors(ws):
        params = columns(("kind", "value_key", "contact_id", "since", "card_id"), known)
        calls.append((QUERIES["give_tokens"], {**account, **params, "at": at}))
    return calls


def _known(ws: WorkingSet) -> set[int]:
    """Contacts that claims may have waited for: `due.py` says which."""
    survivors: dict[int, int] = dict(ws.effects.get("absorbed", ()))
    return {_survivor(survivors, contact_id) for (contact_id,) in ws.effects.get("known", ())}


def _known_visitors(ws: WorkingSet) -> list[tuple[Any, ...]]:
    """Cookies that contacts got in this batch: the side that has each, and the card."""
    return [
        (*row[:4], card_of_side(ws, row[:2], row[2]))
        for row in ws.effects.get("came", ())
        if row[0] == WEB_COOKIE.code
    ]


def _survivor(survivors: dict[int, int], contact_id: int) -> int:
    while contact_id in survivors:
        contact_id = survivors[contact_id]
    return contact_id


async def forget_old(database: Database, at: datetime, account_ids: Iterable[int]) -> None:
    """Claims that nobody came for, and what waited for them."""
    for account_id in account_ids:
        account = {"account_id": account_id}
        for name, params in (
            ("expire_claims", {"at": at}),
            ("forget_stubs", {}),
        ):
            for _ in range(_MOST_ROUNDS):
                if not await database.fetch(QUERIES[name], **account, **params):
                    break


__all__ = ["CLAIM", "READERS", "before", "behind", "forget_old"]
