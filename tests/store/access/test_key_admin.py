"""Making and changing keys: only those of the own account."""

from __future__ import annotations

import pytest

from kartoteka.access.model import KeyKind, Rights
from kartoteka.errors import InvalidRequest, NotFound

from .conftest import House, basic


async def test_bob_neither_sees_nor_changes_the_keys_of_alice(house: House) -> None:
    alices = await house.keys(house.alice).create(KeyKind.SERVER, Rights.EVENTS, "till")
    bobs = house.keys(house.bob)
    number = alices.key.key_id
    assert await bobs.all() == []
    for attempt in (bobs.get, bobs.disable, bobs.enable, bobs.delete):
        with pytest.raises(NotFound):
            await attempt(number)
    assert await house.keys(house.alice).all() == [alices.key]
    assert (await house.ring.authenticate(basic(alices.text))).account == house.alice


async def test_a_server_key_has_full_rights_unless_told_otherwise(house: House) -> None:
    assert (await house.keys(house.alice).create(KeyKind.SERVER)).key.rights is Rights.FULL


@pytest.mark.parametrize(
    ("kind", "rights"),
    [
        (KeyKind.BROWSER, Rights.FULL),
        (KeyKind.APP, Rights.EVENTS),
        (KeyKind.SERVER, Rights.NONE),
        (KeyKind.SERVER, Rights.EVENT_TOKEN),
    ],
)
async def test_rights_that_such_a_key_cannot_have_are_refused(
    house: House, kind: KeyKind, rights: Rights
) -> None:
    with pytest.raises(InvalidRequest):
        await house.keys(house.alice).create(kind, rights)
    assert await house.keys(house.alice).all() == []


@pytest.mark.parametrize("description", ["x" * 201, "two\nlines", "nul\x00"])
async def test_a_description_is_one_short_line(house: House, description: str) -> None:
    with pytest.raises(InvalidRequest):
        await house.keys(house.alice).create(KeyKind.SERVER, description=description)
