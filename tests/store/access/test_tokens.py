"""Bearer tokens may send events, no longer than their key; contact tokens name one card."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kartoteka.access.keys import require
from kartoteka.access.model import ContactToken, KeyKind, Rights
from kartoteka.errors import Forbidden, Unauthorised

from .conftest import House, basic


async def issue(house: House) -> tuple[str, int]:
    key = await house.keys(house.alice).create(KeyKind.SERVER)
    caller = await house.ring.authenticate(basic(key.text))
    return f"Bearer {await house.tokens.issue_event_token(caller)}", key.key.key_id


async def test_a_token_may_send_events_of_its_own_account_and_nothing_else(house: House) -> None:
    header, key_id = await issue(house)
    caller = await house.ring.authenticate(header)
    assert (caller.account, caller.key_id) == (house.alice, key_id)
    require(caller, Rights.EVENT_TOKEN)
    with pytest.raises(Forbidden):
        require(caller, Rights.EVENTS)


async def test_a_token_cannot_be_renewed_by_itself(house: House) -> None:
    caller = await house.ring.authenticate((await issue(house))[0])
    with pytest.raises(Forbidden):
        await house.tokens.issue_event_token(caller)


async def test_a_token_ends_after_a_day(house: House) -> None:
    header, _ = await issue(house)
    house.clock.advance(timedelta(hours=23, minutes=59))
    await house.ring.authenticate(header)
    house.clock.advance(timedelta(minutes=2))
    house.timer.now_s += 1.001
    with pytest.raises(Unauthorised):
        await house.ring.authenticate(header)


@pytest.mark.parametrize("end", ["disable", "delete"])
async def test_a_token_ends_with_its_key(house: House, end: str) -> None:
    header, key_id = await issue(house)
    await getattr(house.keys(house.alice), end)(key_id)
    with pytest.raises(Unauthorised):
        await house.ring.authenticate(header)


async def test_a_token_is_no_password_and_a_key_is_no_token(house: House) -> None:
    key = await house.keys(house.alice).create(KeyKind.SERVER)
    header, _ = await issue(house)
    for wrong in (basic(header.removeprefix("Bearer ")), f"Bearer {key.text}"):
        with pytest.raises(Unauthorised):
            await house.ring.authenticate(wrong)


async def test_a_contact_token_names_its_account_and_contact_for_a_day(house: House) -> None:
    token = await house.tokens.issue_contact_token(house.bob.account_id, 17)
    assert await house.tokens.find_contact(token) == ContactToken(house.bob.account_id, 17)
    with pytest.raises(Unauthorised):
        await house.ring.authenticate(f"Bearer {token}")
    house.clock.advance(timedelta(days=1))
    assert await house.tokens.find_contact(token) is None
    assert await house.tokens.find_contact("") is None


async def test_tokens_that_have_run_out_are_swept_and_others_kept(house: House) -> None:
    await house.tokens.issue_contact_token(house.alice.account_id, 1)
    await house.tokens.issue_contact_token(house.bob.account_id, 2)
    house.clock.advance(timedelta(hours=25))
    await house.tokens.issue_contact_token(house.alice.account_id, 3)
    rows = await house.database.fetch("select contact_id from access_token order by contact_id")
    assert rows == [(2,), (3,)]
