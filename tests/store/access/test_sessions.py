"""Signing in: limits by login and by address, how long a session lasts, what ends it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from kartoteka.access import passwords, users
from kartoteka.access.sessions import (
    FAILURES_BY_ADDRESS,
    FAILURES_BY_LOGIN,
    IDLE,
    LONGEST,
    WINDOW,
    Sessions,
    WrongPassword,
)
from kartoteka.access.users import LastOwner, LoginTaken, Role, Users, WeakPassword
from kartoteka.errors import InvalidRequest, RateLimited

PASSWORD = "correct horse"
HERE = "192.0.2.1"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Hashes that cost a little: their strength is tested where passwords are."""
    monkeypatch.setattr(passwords, "_N", 2)


@pytest.fixture
def people(house):
    return Users(house.database, house.clock)


@pytest.fixture
def sessions(house):
    return Sessions(house.database, house.clock, "UA")


@pytest.fixture
async def ann(house, people):
    """(account, user) of an owner."""
    account_id = house.alice.account_id
    return account_id, await people.create(account_id, "ann", PASSWORD, Role.OWNER)


async def failures(sessions, login, address, most):
    """How many attempts were looked at before they were refused."""
    for number in range(most + 50):
        try:
            await sessions.sign_in(login(number), "wrong password", address(number))
        except WrongPassword:
            continue
        except RateLimited as error:
            return number, error
    raise AssertionError("it is never refused")


async def test_a_login_is_refused_after_ten_failures_wherever_they_come_from(sessions, ann, house):
    tried, error = await failures(
        sessions, lambda _: "ann", lambda n: f"192.0.2.{n}", FAILURES_BY_LOGIN
    )
    assert tried == FAILURES_BY_LOGIN
    assert 0 < error.retry_after_s <= WINDOW.total_seconds()
    with pytest.raises(RateLimited):
        await sessions.sign_in("ann", PASSWORD, "198.51.100.1")
    house.clock.advance(WINDOW + timedelta(seconds=1))
    assert await sessions.sign_in("ann", PASSWORD, HERE)


async def test_an_address_is_refused_after_thirty_failures_whatever_the_login(sessions, ann):
    tried, _ = await failures(sessions, lambda n: f"login{n}", lambda _: HERE, FAILURES_BY_ADDRESS)
    assert tried == FAILURES_BY_ADDRESS
    with pytest.raises(RateLimited):
        await sessions.sign_in("ann", PASSWORD, HERE)
    assert await sessions.sign_in("ann", PASSWORD, "198.51.100.1")


async def test_attempts_at_the_same_time_are_counted_too(sessions, ann):
    attempts = [sessions.sign_in("ann", "wrong password", HERE) for _ in range(25)]
    came = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(one, WrongPassword) for one in came) == FAILURES_BY_LOGIN


async def test_who_signs_in_begins_anew(sessions, ann):
    for _ in range(3):
        for _ in range(FAILURES_BY_LOGIN - 1):
            with pytest.raises(WrongPassword):
                await sessions.sign_in("ann", "wrong password", HERE)
        # Nine failures and a success, three times: the login is never refused, the address neither.
        assert await sessions.sign_in("ann", PASSWORD, HERE)


async def test_a_session_ends_when_nobody_uses_it(sessions, ann, house):
    text = await sessions.sign_in("ann", PASSWORD, HERE)
    house.clock.advance(IDLE - timedelta(hours=1))
    assert (await sessions.find(text)).grants[0].login == "ann"
    house.clock.advance(IDLE - timedelta(hours=1))
    assert await sessions.find(text) is not None
    house.clock.advance(IDLE + timedelta(seconds=1))
    assert await sessions.find(text) is None


async def test_no_session_lasts_for_ever(sessions, ann, house):
    text = await sessions.sign_in("ann", PASSWORD, HERE)
    for _ in range(20):
        house.clock.advance(timedelta(days=2))
        last = await sessions.find(text)
    assert last is None
    assert house.clock.now() is not None
    assert timedelta(days=40) > LONGEST


async def test_another_password_ends_all_sessions_but_the_one_that_set_it(sessions, people, ann):
    here = await sessions.sign_in("ann", PASSWORD, HERE)
    there = await sessions.sign_in("ann", PASSWORD, HERE)
    mine = await sessions.find(here)
    await people.set_password(*ann, "another password", but=mine.hash)
    assert await sessions.find(here) is not None
    assert await sessions.find(there) is None
    with pytest.raises(WrongPassword):
        await sessions.sign_in("ann", PASSWORD, HERE)


async def test_who_is_deleted_is_out_at_once(sessions, people, ann, house):
    bob = await people.create(ann[0], "bob", PASSWORD, Role.READER)
    text = await sessions.sign_in("bob", PASSWORD, HERE)
    await people.delete(ann[0], bob)
    assert await sessions.find(text) is None


async def test_a_session_reaches_the_accounts_of_the_same_login_and_password(
    sessions, people, ann, house
):
    other = house.bob.account_id
    await people.share(*ann, other, Role.READER)
    text = await sessions.sign_in("ann", PASSWORD, HERE)
    found = await sessions.find(text)
    assert [(one.account.name, one.role) for one in found.grants] == [
        ("alice", "owner"),
        ("bob", "reader"),
    ]


async def test_another_password_in_another_account_reaches_only_that(sessions, people, ann, house):
    """Whoever owns an account cannot make their way into another one with a login of the same name."""
    await people.create(house.bob.account_id, "ann", "bobs own password", Role.OWNER)
    found = await sessions.find(await sessions.sign_in("ann", "bobs own password", HERE))
    assert [one.account.name for one in found.grants] == ["bob"]


async def test_the_last_owner_stays_also_when_two_leave_at_once(people, ann):
    account_id, first = ann
    second = await people.create(account_id, "second", PASSWORD, Role.OWNER)
    came = await asyncio.gather(
        people.delete(account_id, first),
        people.change_role(account_id, second, Role.READER),
        return_exceptions=True,
    )
    assert [type(one) for one in came].count(LastOwner) == 1
    assert any(user.role is Role.OWNER for user in await people.all(account_id))


async def test_users_of_one_account_are_not_there_for_another(people, ann, house):
    with pytest.raises(users.NotFound):
        await people.get(house.bob.account_id, ann[1])
    with pytest.raises(users.NotFound):
        await people.set_password(house.bob.account_id, ann[1], "another password")


@pytest.mark.parametrize("login", ["", "with blank", "x" * 101, "new\nline"])
async def test_a_login_is_a_word(people, ann, login):
    with pytest.raises(InvalidRequest):
        await people.create(ann[0], login, PASSWORD, Role.READER)


async def test_weak_passwords_and_taken_logins_are_refused(people, ann):
    with pytest.raises(WeakPassword):
        await people.create(ann[0], "bob", "short", Role.READER)
    with pytest.raises(LoginTaken):
        await people.create(ann[0], "ann", PASSWORD, Role.READER)


async def test_the_database_has_neither_passwords_nor_cookies(sessions, ann, house):
    text = await sessions.sign_in("ann", PASSWORD, HERE)
    rows = await house.database.fetch(
        "select s::text from admin_session s union select u::text from admin_user u"
    )
    assert not [row for row in rows if text in row[0] or PASSWORD in row[0]]


async def test_what_has_run_out_is_taken_away(sessions, ann, house):
    await sessions.sign_in("ann", PASSWORD, HERE)
    with pytest.raises(WrongPassword):
        await sessions.sign_in("ann", "wrong password", HERE)
    house.clock.advance(IDLE + WINDOW)
    await sessions.forget_old([house.alice.account_id])
    for table in ("admin_session", "admin_attempt"):
        ((left,),) = await house.database.fetch(f"select count(*) from {table}")
        assert left == 0
