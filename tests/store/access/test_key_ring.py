"""Whose key a request carries: Alice's key is never taken for Bob's."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import Any

import pytest

from kartoteka.access.keys import KeyRing
from kartoteka.access.model import KeyKind, Rights
from kartoteka.db.database import Database, Row
from kartoteka.db.named import Query
from kartoteka.errors import Forbidden, Unauthorised

from .conftest import House, basic


async def test_each_key_yields_its_own_account_and_rights(house: House) -> None:
    alices = await house.keys(house.alice).create(KeyKind.SERVER, Rights.CONTACTS)
    bobs = await house.keys(house.bob).create(KeyKind.SERVER)
    for _ in range(2):  # the second time from memory
        alice = await house.ring.authenticate(basic(alices.text))
        bob = await house.ring.authenticate(basic(bobs.text))
        assert (alice.account, alice.key_id, alice.rights) == (
            house.alice,
            alices.key.key_id,
            Rights.CONTACTS,
        )
        assert (bob.account, bob.key_id, bob.rights) == (
            house.bob,
            bobs.key.key_id,
            Rights.FULL,
        )


@pytest.mark.parametrize("user", ["", "user", "anyvalue", "username", "bob", "Аліса"])
@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
async def test_the_user_name_and_the_case_of_the_scheme_are_ignored(
    house: House, user: str, scheme: str
) -> None:
    key = await house.keys(house.alice).create(KeyKind.SERVER)
    header = basic(key.text, user).replace("Basic", scheme)
    assert (await house.ring.authenticate(header)).account == house.alice


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic ",
        "Basic %%%",
        "Bearer",
        "Bearer x",
        "Bearer \udcff",
        "Digest username=alice",
        basic("kk_never-made"),
        basic(""),
        "Basic " + "A" * 100_000,
    ],
)
async def test_a_header_without_a_known_key_is_refused(house: House, header: str | None) -> None:
    with pytest.raises(Unauthorised):
        await house.ring.authenticate(header)


async def test_a_key_is_stored_as_its_hash_only(house: House) -> None:
    key = await house.keys(house.alice).create(KeyKind.SERVER)
    rows = await house.database.fetch("select * from api_key")
    assert key.text not in str(rows)
    assert key.key.prefix == key.text[:6]


async def test_a_disabled_key_stops_within_a_second_and_works_again_when_enabled(
    house: House,
) -> None:
    keys = house.keys(house.alice)
    key = await keys.create(KeyKind.SERVER)
    header = basic(key.text)
    await house.ring.authenticate(header)
    assert not (await keys.disable(key.key.key_id)).enabled
    house.timer.now_s += 1.001
    with pytest.raises(Unauthorised):
        await house.ring.authenticate(header)
    assert (await keys.enable(key.key.key_id)).enabled
    assert (await house.ring.authenticate(header)).account == house.alice


async def test_a_deleted_key_stops_at_once_where_the_ring_is_told(house: House) -> None:
    keys = house.keys(house.alice)
    key = await keys.create(KeyKind.SERVER)
    await house.ring.authenticate(basic(key.text))
    await keys.delete(key.key.key_id)
    house.ring.forget()
    with pytest.raises(Unauthorised):
        await house.ring.authenticate(basic(key.text))
    assert await keys.all() == []


async def test_only_a_server_key_is_taken_unless_other_kinds_are_asked_for(house: House) -> None:
    for kind in (KeyKind.WRITE, KeyKind.BROWSER, KeyKind.APP):
        key = await house.keys(house.alice).create(kind)
        for _ in range(2):
            with pytest.raises(Forbidden):
                await house.ring.authenticate(basic(key.text))
        caller = await house.ring.authenticate(basic(key.text), frozenset({kind}))
        assert (caller.kind, caller.rights) == (kind, Rights.NONE)
        assert await house.ring.identify(key.text, frozenset({kind})) == caller
        with pytest.raises(Forbidden):
            await house.ring.identify(key.text, frozenset({KeyKind.SERVER}))


async def test_the_last_use_is_noted_and_at_most_once_a_minute(house: House) -> None:
    keys = house.keys(house.alice)
    key = await keys.create(KeyKind.SERVER)

    async def use() -> Any:
        house.timer.now_s += 2
        await house.ring.authenticate(basic(key.text))
        await house.ring.close()
        return (await keys.get(key.key.key_id)).last_used_at

    assert key.key.last_used_at is None
    first = await use()
    assert first is not None
    house.clock.advance(timedelta(seconds=58))
    assert await use() == first
    house.clock.advance(timedelta(seconds=2))
    assert await use() > first


async def test_an_unused_key_is_disabled_only_where_the_account_wants_it(house: House) -> None:
    keys = house.keys(house.alice)
    key = await keys.create(KeyKind.SERVER)
    house.clock.advance(timedelta(days=91))
    await house.ring.authenticate(basic(key.text))
    await house.ring.close()
    await house.accounts.change_settings(house.alice.account_id, {"disable_unused_keys": True})

    house.clock.advance(timedelta(days=91))
    house.timer.now_s += 2
    with pytest.raises(Unauthorised):
        await house.ring.authenticate(basic(key.text))
    assert not (await keys.get(key.key.key_id)).enabled
    await keys.enable(key.key.key_id)
    assert (await house.ring.authenticate(basic(key.text))).account.settings.disable_unused_keys


async def test_many_requests_at_once_ask_the_database_once(house: House) -> None:
    key = await house.keys(house.alice).create(KeyKind.SERVER)
    counting = _Counting(house.database.url, max_size=4, wait_s=10)
    ring = KeyRing(counting, house.clock)
    callers = await asyncio.gather(*(ring.authenticate(basic(key.text)) for _ in range(50)))
    await ring.close()
    assert {caller.key_id for caller in callers} == {key.key.key_id}
    await counting.close()
    assert counting.reads == 1


async def test_a_known_key_costs_next_to_nothing(house: House) -> None:
    """Floor for the hot path (design/engine.md: 0.2 µs): it waits for nothing, and looks at the clock."""
    header = basic((await house.keys(house.alice).create(KeyKind.SERVER)).text)
    await house.ring.authenticate(header)
    known, called, is_done = house.ring.authenticate(header), [], False
    sys.setprofile(lambda frame, event, _: called.append((event, frame.f_code.co_name)))
    try:
        known.send(None)
    except StopIteration:
        is_done = True
    finally:
        sys.setprofile(None)
    assert is_done
    assert [name for event, name in called if event == "call"] == ["authenticate", "__call__"]


class _Counting(Database):
    """A real database that counts what is read from it."""

    reads = 0

    async def fetch_one(self, query: Query | str, **parameters: Any) -> Row | None:
        self.reads += 1
        return await super().fetch_one(query, **parameters)
