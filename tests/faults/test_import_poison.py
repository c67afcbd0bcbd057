"""Rows that cannot succeed, whatever the reason, fail alone; a dry run says the same of them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
import psycopg
import pytest

from kartoteka.contacts.model import ImportRow
from kartoteka.identity.kinds import EXTERNAL_ID
from kartoteka.imports.model import RowFailed
from kartoteka.imports.statement import Item
from kartoteka.intake.engine import Engine
from tests.faults.conftest import Shop
from tests.faults.importing import carry_out
from tests.faults.test_poison import HUGE, NUL, SURROGATE
from tests.rules import stories
from tests.rules.stories import add

BY_X, BY_ID, BY_FIELD = (
    stories.rules("externalCustomerId"),
    stories.rules("id"),
    stories.rules("fieldId", 7),
)


POISON: dict[str, Callable[[int], ImportRow]] = {
    "a text that PostgreSQL cannot hold": lambda n: row(n, x="bad", first=NUL),
    "an identifier that PostgreSQL cannot hold": lambda n: row(n, x=f"bad{NUL}"),
    "a text that is no UTF-8": lambda n: row(n, x="bad", first=SURROGATE),
    "an identifier that is no UTF-8": lambda n: row(n, x=f"bad{SURROGATE}"),
    "a custom field that jsonb cannot hold": lambda n: row(n, x="bad", fields={"1": NUL}),
    "a field to look up that jsonb cannot hold": lambda n: row(n, by=BY_FIELD, fields={"7": NUL}),
    "an id beyond bigint": lambda n: row(n, by=BY_ID, contact_id=2**70),
    "a row that a constraint refuses": lambda n: row(n, x="bad", first=HUGE),
}


def row(number: int, *, by: Any = BY_X, **said: Any) -> ImportRow:
    return stories.row(by, number=number, **said)


@pytest.mark.parametrize("size", [1, 5, 100], ids=["one by one", "in fives", "together"])
@pytest.mark.parametrize("name", POISON)
async def test_a_poisoned_row_fails_alone(shop: Shop, name: str, size: int):
    with psycopg.connect(shop.url, autocommit=True) as connection:
        connection.execute("alter table contact add check (first_name <> 'poison')")
    await shop.send(add(x="X3", first="Old"))
    items: list[Item] = [row(n, x=f"X{n}", token=f"T{n}", first="New") for n in range(1, 13)]
    items[6] = POISON[name](7)
    items[9] = RowFailed(10, "no_externalCustomerId", "The row has no External ID.")
    import_id, lines = await carry_out(shop, items, size)
    assert [one.row for one in lines] == list(range(1, 13))
    assert [one.outcome for one in lines] == [
        "failed" if n in (7, 10) else "updated" if n == 3 else "created" for n in range(1, 13)
    ]
    failed = lines[6]
    assert (failed.code, failed.value, failed.contact_id) == ("not_storable", None, None)
    assert shop.rows("select first_name, count(*) from contact group by 1") == [("New", 10)]
    assert shop.holders(EXTERNAL_ID.code, "bad") == []
    assert_whole(shop, import_id, 12)


def assert_whole(shop: Shop, import_id: int, last: int) -> None:
    """The ranges that are done follow on each other, and their counts are those of the lines."""
    ranges = shop.rows(
        "select first_row, last_row from import_batch where import_id = %(id)s order by 1",
        id=import_id,
    )
    assert ranges[0][0] == 1
    assert ranges[-1][1] == last
    assert all(after[0] == before[1] + 1 for before, after in pairwise(ranges))
    counted = shop.rows(
        "select o - 1, sum(n) from import_batch, unnest(counts) with ordinality as c (n, o)"
        " where import_id = %(id)s group by 1 having sum(n) > 0 order by 1",
        id=import_id,
    )
    assert counted == shop.rows(
        "select outcome::bigint, count(*) from import_row where import_id = %(id)s group by 1 order by 1",
        id=import_id,
    )


async def test_a_file_of_poison_only(shop: Shop):
    items = [row(n, x=f"X{n}", first=NUL) for n in range(1, 10)]
    import_id, lines = await carry_out(shop, items, 4)
    assert {one.code for one in lines} == {"not_storable"}
    assert shop.rows("select contact_id from contact") == []
    assert_whole(shop, import_id, 9)


@pytest.mark.parametrize("name", [name for name in POISON if "constraint" not in name])
async def test_a_dry_run_fails_the_same_rows(shop: Shop, name: str):
    """But for what only a constraint of the tables refuses: there is none of our own."""
    items: list[Item] = [row(n, x=f"X{n}", first="New") for n in range(1, 8)]
    items[3] = POISON[name](4)
    _, dry = await carry_out(shop, items, 3, dry_run=True)
    _, real = await carry_out(shop, items, 3)
    assert dry == [msgspec.structs.replace(one, contact_id=None) for one in real]
    assert [one.outcome for one in dry].count("failed") == 1


@pytest.mark.parametrize("dry_run", [True, False], ids=["dry run", "import"])
async def test_a_rule_that_fails_fails_its_row(shop: Shop, dry_run: bool):
    """A fault of ours costs one row, and the statement tells nothing of the person."""

    def decide(ws: Any, command: Any) -> Any:
        if command.number == 3:
            raise KeyError(command.contact.person.email.value)
        return shop.engine.rules.decide(ws, command)

    broken = msgspec.structs.replace(shop.engine.rules, decide=decide)
    items: list[Item] = [row(n, x=f"X{n}", email=f"{n}@x.example") for n in range(1, 6)]
    _, lines = await with_rules(shop, broken, items, dry_run)
    assert [one.outcome for one in lines] == [
        "failed" if n == 3 else "created" for n in range(1, 6)
    ]
    assert (lines[2].code, lines[2].value) == ("not_storable", None)
    assert "@x.example" not in str(lines[2])


async def with_rules(shop: Shop, rules: Any, items: list[Item], dry_run: bool) -> Any:
    """The import on an engine that decides by these rules."""
    engine = Engine(shop.engine.database, shop.clock, shop.engine.digest, rules)
    return await carry_out(Shop(shop.url, engine, shop.account), items, 2, dry_run=dry_run)
