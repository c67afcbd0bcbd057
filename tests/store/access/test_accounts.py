"""Accounts and their settings: apart from each other, and none is lost when two change at once."""

from __future__ import annotations

import asyncio

import pytest

from kartoteka.access.account_settings import AccountSettings
from kartoteka.access.accounts import AccountNameTaken, Accounts
from kartoteka.errors import InvalidRequest, NotFound
from kartoteka.identity.account_check import check_settings

from .conftest import House


async def test_accounts_have_numbers_of_their_own_and_are_listed_by_age(house: House) -> None:
    assert await house.accounts.all() == [house.alice, house.bob]
    assert house.alice.org_id != house.bob.org_id
    assert 0 < house.alice.org_id < 2**31
    assert await house.accounts.find("alice") == house.alice


async def test_a_name_is_given_once(house: House) -> None:
    with pytest.raises(AccountNameTaken):
        await house.accounts.create("alice")
    assert len(await house.accounts.all()) == 2


@pytest.mark.parametrize("name", ["", " ", " alice", "alice ", "a\nb", "a\x00", "x" * 101])
async def test_a_name_is_one_clean_line(house: House, name: str) -> None:
    with pytest.raises(InvalidRequest):
        await house.accounts.create(name)


async def test_an_unknown_account_is_named_with_those_there_are(house: House) -> None:
    with pytest.raises(NotFound, match="There are: alice, bob"):
        await house.accounts.find("charlie")


async def test_a_setting_changes_one_account_and_its_version(house: House) -> None:
    changed = await house.accounts.change_settings(
        house.alice.account_id, {"absorb": "never", "never_identifiers": ("guest@shop.example",)}
    )
    assert changed.settings == AccountSettings(
        absorb="never", never_identifiers=("guest@shop.example",)
    )
    assert changed.version != house.alice.version
    assert await house.accounts.read(house.alice.account_id) == changed
    assert await house.accounts.read(house.bob.account_id) == house.bob


async def test_none_brings_the_default_back(house: House) -> None:
    await house.accounts.change_settings(house.alice.account_id, {"absorb": "never"})
    again = await house.accounts.change_settings(house.alice.account_id, {"absorb": None})
    assert again == house.alice


async def test_settings_changed_at_once_all_survive(house: House) -> None:
    names = ["rate_limits", "refuse_repeats", "signed_claims", "phone_is_personal"]
    await asyncio.gather(
        *(house.accounts.change_settings(house.alice.account_id, {name: True}) for name in names)
    )
    settings = (await house.accounts.read(house.alice.account_id)).settings
    assert [getattr(settings, name) for name in names] == [True] * 4


@pytest.mark.parametrize("changes", [{"region": "ZZ"}, {"never_identifiers": ("not an address",)}])
async def test_what_the_kinds_refuse_is_not_stored(house: House, changes: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        await house.accounts.change_settings(
            house.alice.account_id, {"currency": "EUR", **changes}, check_settings
        )
    assert await house.accounts.read(house.alice.account_id) == house.alice


async def test_the_region_of_the_installation_holds_until_one_is_chosen(house: House) -> None:
    polish = Accounts(house.database, house.clock, "PL", house.timer)
    assert (await polish.read(house.alice.account_id)).settings.region == "PL"
    await polish.change_settings(house.alice.account_id, {"region": "UA"})
    assert (await polish.read(house.alice.account_id)).settings.region == "UA"


async def test_a_context_is_a_second_old_at_most(house: House) -> None:
    other_process = Accounts(house.database, house.clock, "UA", house.timer)
    number = house.alice.account_id
    await house.accounts.context(number)
    await other_process.change_settings(number, {"absorb": "never"})
    assert (await house.accounts.context(number)).settings.absorb == "contained"
    house.timer.now_s += 1.001
    assert (await house.accounts.context(number)).settings.absorb == "never"


async def test_an_account_that_is_not_there_has_no_settings(house: House) -> None:
    with pytest.raises(NotFound):
        await house.accounts.change_settings(9_999, {"absorb": "never"})
    with pytest.raises(NotFound):
        await house.accounts.context(9_999)
