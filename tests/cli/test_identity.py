"""`kartoteka identity`: what stands is what the history says, and what does not is named."""

from __future__ import annotations

import json

from kartoteka.db.database import Database
from kartoteka.identity.verify import STEPS, verify, verify_here
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
    away = await shop.id(add(x="R", device="E"))
    await shop.send(remove(away))
    return {"ann": ann, "ben": ben, "visitor": visitor, "away": away}


async def test_what_stands_is_what_the_history_says(database_url: str):
    async with open_shop(database_url) as shop:
        await a_life(shop)
    database = await Database.open(database_url)
    told: list[int] = []
    found = await verify(database, progress=lambda _, number: told.append(number))
    assert told == list(range(1, STEPS + 1))
    assert (found.differences, found.cards) == ([], 6)
    assert found.identifiers > 5
    assert (await verify(database, 1)).hash == found.hash
    await database.close()


OF_D = "where value_key = 'D'"
IDENTITY = "identity_history where action"
HARM = {
    "an identifier vanished": f"delete from identifier {OF_D}",
    "an identifier has another owner": f"update identifier set contact_id = %(away)s {OF_D}",
    "an identifier is another": f"update identifier set value_key = 'F' {OF_D}",
    "an address stands on two": "insert into identifier (account_id, kind, value_key, ordinal,"
    " contact_id, since, rule) select 1, kind, value_key, 9, %(away)s, since, rule from identifier"
    " where value_key = 'ben@x.ua'",
    "an identifier came from nowhere": "insert into identifier (account_id, kind, value_key, ordinal,"
    " contact_id, since, rule) values (1, 4, 'X', 0, %(ben)s, now(), 'given')",
    "an identifier goes back to somebody else": f"update identifier set home = %(away)s {OF_D}",
    "a card is live again": "update contact set status = 0 where contact_id = %(away)s",
    "a card is removed": "update contact set status = 1 where contact_id = %(ben)s",
    "a card is gone": "delete from contact where contact_id = %(away)s",
    "a merge leads elsewhere": "update contact set merged_into = %(ann)s"
    " where contact_id = %(visitor)s",
    "a merged card is its own again": "update contact set merged_into = null, status = 0"
    " where contact_id = %(visitor)s",
    "a card holds more than it holds": "update contact set merges = 5 where contact_id = %(ben)s",
    "a card lost its e-mail": "update contact set email = null where contact_id = %(ben)s",
    "a card has another phone": "update contact set phone = '1' where contact_id = %(ben)s",
    "a card has another External ID": "update contact set external_id = 'Z'"
    " where contact_id = %(ann)s",
    "an External ID is a former one": "update identifier set former = true where value_key = 'A'",
    "there is a former External ID too many": "update contact set former_ids = 1"
    " where contact_id = %(ann)s",
    "no row of the creation": f"delete from {IDENTITY} = 'created' and contact_id = %(ann)s",
    "no row of the removal": f"delete from {IDENTITY} = 'removed'",
    "no row of a merge": f"delete from {IDENTITY} = 'absorbed' and other_contact_id = %(visitor)s",
    "no row of the undo": f"delete from {IDENTITY} = 'undone'",
    "no row of an identifier": f"delete from {IDENTITY} = 'added' and contact_id = %(away)s",
}


async def test_every_harm_is_named(database_url: str):
    async with open_shop(database_url) as shop:
        ids = await a_life(shop)
    database = await Database.open(database_url)
    for harm, statement in HARM.items():
        async with database.connection() as connection:
            await connection.execute("begin")
            done = await connection.execute(statement, ids)
            assert done.rowcount > 0, harm
            found = await verify_here(connection)
            await connection.execute("rollback")
        assert not found.is_well, harm
        assert {one.contact_id for one in found.differences} & set(ids.values()), harm
        shown = json.dumps([one.told + one.stored + one.what for one in found.differences])
        assert "ben@x.ua" not in shown
    assert (await verify(database)).is_well
    await database.close()
