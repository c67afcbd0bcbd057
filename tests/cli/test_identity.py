"""`kartoteka identity`: what stands is what the history says, and what does not is named."""

from __future__ import annotations

import json

import psycopg
import pytest

from kartoteka.db.database import Database
from kartoteka.identity.verify import verify
from tests.faults.conftest import Shop, open_shop
from tests.rules.stories import add, erase, merge, remove, subscribe, undo


async def a_life(shop: Shop) -> dict[str, int]:
    """A bit of everything."""
    ann = await shop.id(add(x="A", email="ann@x.ua", token="T"))
    ben = await shop.id(add(email="ben@x.ua", phone="380501112233", token="U", device="D"))
    await shop.send(merge(ann, ben))
    [(merge_id,)] = shop.rows("select history_id from identity_history where action = 'absorbed'")
    await shop.send(undo(merge_id))
    visitor = await shop.id(add(token="V" * 3000))
    await shop.send(add(x="C"))
    await shop.send(add(x="C", token="V" * 3000))
    await shop.send(subscribe(email="ben@x.ua", groups=("News",)))
    gone = await shop.id(add(x="G", token="T"))
    await shop.send(erase(gone))
    away = await shop.id(add(x="R"))
    await shop.send(remove(away))
    return {"ann": ann, "ben": ben, "visitor": visitor, "away": away}


async def test_what_stands_is_what_the_history_says(database_url: str):
    async with open_shop(database_url) as shop:
        await a_life(shop)
    database = await Database.open(database_url)
    found = await verify(database)
    assert (found.differences, found.cards) == ([], 6)
    assert found.identifiers > 5
    assert (await verify(database, 1)).hash == found.hash
    await database.close()


OF_D = "where value_key = 'D'"
HARM = {
    "an identifier vanished": f"delete from identifier {OF_D}",
    "an identifier has another owner": f"update identifier set contact_id = %(away)s {OF_D}",
    "a card is live again": "update contact set status = 0 where contact_id = %(away)s",
    "a merge leads elsewhere": "update contact set merged_into = %(ann)s"
    " where contact_id = %(visitor)s",
    "a card lost its e-mail": "update contact set email = null where contact_id = %(ben)s",
    "a row of the history is missing": "delete from identity_history where action = 'removed'",
}


@pytest.mark.parametrize("harm", HARM)
async def test_every_harm_is_named(database_url: str, harm: str):
    async with open_shop(database_url) as shop:
        ids = await a_life(shop)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(HARM[harm], ids)
    database = await Database.open(database_url)
    found = await verify(database)
    await database.close()
    assert not found.is_well
    assert {one.contact_id for one in found.differences} & set(ids.values())
    assert "ben@x.ua" not in json.dumps([one.stored + one.what for one in found.differences])
