"""The first start makes one account, one login and one key, whoever starts and how often."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from kartoteka.access.accounts import Accounts
from kartoteka.access.bootstrap import FirstStart, check_secret, first_start
from kartoteka.access.keys import KeyRing
from kartoteka.access.model import Rights
from kartoteka.access.passwords import is_password
from kartoteka.clock import Clock
from kartoteka.db.database import Database
from kartoteka.errors import SettingsError

from .conftest import basic


class Given(msgspec.Struct, frozen=True):
    """What the environment gave."""

    api_key: str | None = None
    admin_password: str | None = None
    secret_key: str = "a secret of 32 characters or more"
    region: str = "UA"


async def login_hash(database: Database) -> str:
    ((login, role, stored),) = await database.fetch(
        "select login, role, password_hash from admin_user"
    )
    assert (login, role) == ("admin", "owner")
    return str(stored)


async def test_the_first_start_makes_a_key_and_a_password_that_work(database: Database) -> None:
    made = await first_start(database, Given())
    assert made is not None
    assert made.api_key is not None
    assert made.admin_password is not None
    caller = await KeyRing(database, Clock()).authenticate(basic(made.api_key))
    assert (caller.account.name, caller.rights) == ("main", Rights.FULL)
    assert is_password(made.admin_password, await login_hash(database))


async def test_what_was_given_is_used_and_not_repeated(database: Database) -> None:
    given = Given(api_key="operator's own key of some length", admin_password="s3cret")
    assert await first_start(database, given) == FirstStart("main", "admin", None, None)
    caller = await KeyRing(database, Clock()).authenticate(basic(given.api_key or ""))
    assert caller.account.name == "main"
    assert is_password("s3cret", await login_hash(database))


async def test_a_short_key_is_taken_with_a_warning_that_does_not_show_it(
    database: Database,
) -> None:
    made = await first_start(database, Given(api_key="qwerty"))
    assert made is not None
    assert made.warning is not None
    assert "qwerty" not in made.warning


async def test_a_later_start_makes_nothing(database: Database) -> None:
    await first_start(database, Given())
    assert await first_start(database, Given(api_key="another", admin_password="another")) is None
    assert await database.fetch_one("select count(*) from api_key") == (1,)


async def test_of_starts_at_once_one_is_the_first(database: Database) -> None:
    made = await asyncio.gather(*(first_start(database, Given()) for _ in range(4)))
    assert sum(one is not None for one in made) == 1
    counts = "select (select count(*) from account), (select count(*) from api_key)"
    assert await database.fetch_one(counts) == (1, 1)


async def test_another_secret_key_stops_the_start_and_says_what_to_do(database: Database) -> None:
    await first_start(database, Given())
    other = Given(secret_key="another secret of the same length")
    for attempt in (first_start(database, other), check_secret(database, other.secret_key)):
        with pytest.raises(SettingsError, match="KARTOTEKA_SECRET_KEY") as stopped:
            await attempt
        assert other.secret_key not in stopped.value.message


async def test_the_secret_itself_is_not_in_the_database(database: Database) -> None:
    await first_start(database, Given())
    assert Given().secret_key not in str(await database.fetch("select * from installation"))


async def test_an_account_made_before_the_first_start_is_taken(database: Database) -> None:
    main = await Accounts(database, Clock()).create("main")
    made = await first_start(database, Given())
    assert made is not None
    caller = await KeyRing(database, Clock()).authenticate(basic(made.api_key or ""))
    assert caller.account == main


@pytest.mark.parametrize("key", ["ключ", "two\nlines", "x" * 201])
async def test_a_key_that_no_header_can_carry_stops_the_start(database: Database, key: str) -> None:
    with pytest.raises(SettingsError, match="KARTOTEKA_API_KEY"):
        await first_start(database, Given(api_key=key))
    assert await database.fetch_one("select count(*) from account") == (0,)
