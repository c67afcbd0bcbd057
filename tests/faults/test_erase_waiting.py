"""An erased person leaves imports that wait; the rows of others keep their numbers (decisions D29)."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from kartoteka.access.accounts import Accounts
from kartoteka.contacts.definitions import Definitions
from kartoteka.db.database import Database
from kartoteka.identity.store import digest_with
from kartoteka.imports.erased import Forgetting
from kartoteka.imports.store import Imports
from tests.faults.conftest import Shop, open_shop
from tests.faults.runners import Works, open_works
from tests.faults.search import bytes_of_files, bytes_of_tables, places_of
from tests.rules.stories import add, erase

ZARA = ("ZARA-1", "zara.secret@example.com", "Zarasecret")
HEADER = ("External ID", "Email", "First name")
ROWS = (("A-1", "anna@example.com", "Anna"), ZARA, ("B-1", "boris@example.com", "Boris"))


@pytest.fixture
async def works(database_url: str, tmp_path: Path) -> AsyncIterator[Works]:
    async with open_works(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture
async def shop(works: Works) -> AsyncIterator[Shop]:
    async with open_shop(works.url, works.account) as opened:
        yield opened


async def look_through(works: Works) -> None:
    """As the jobs process does it every minute."""
    database = await Database.open(works.url)
    try:
        await Forgetting(
            database,
            works.clock,
            digest_with("a secret of the tests"),
            imports=Imports(database, works.clock, works.imports.folder),
            accounts=Accounts(database, works.clock),
            definitions=Definitions(database),
        ).look_through()
    finally:
        await database.close()


def csv_of(rows: Any = (HEADER, *ROWS)) -> str:
    return "".join(";".join(cells) + "\n" for cells in rows)


def workbook() -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        for place, cells in enumerate((HEADER, *ROWS)):
            sheet.write_row(place, 0, cells)
    return content.getvalue()


def bulk() -> list[dict[str, Any]]:
    return [
        {
            "externalCustomerId": x,
            "firstName": first,
            "channels": [{"type": "email", "value": email}],
        }
        for x, email, first in ROWS
    ]


async def begin(works: Works, what: str) -> int:
    if what == "call":
        return await works.call(bulk(), "externalCustomerId")
    if what == "csv":
        return await works.file(csv_of())
    if what == "cp1251":
        return await works.file(csv_of().encode("cp1251"))
    return await works.file(workbook(), name="people.xlsx")


def damage(path: str) -> None:
    """A quotation mark that is never closed."""
    Path(path).write_text(csv_of() + '"' + ZARA[1])


def found(works: Works) -> dict[str, list[str]]:
    return places_of(ZARA, bytes_of_tables(works.url), bytes_of_files(works.imports.folder))


@pytest.mark.parametrize(
    ("what", "state"),
    [
        ("call", "queued"),
        ("call", "paused"),
        ("csv", "failed"),
        ("cp1251", "paused"),
        ("xlsx", "failed"),
    ],
)
async def test_nothing_of_an_erased_person_waits(
    works: Works, shop: Shop, what: str, state: str
) -> None:
    await shop.send(add(x=ZARA[0], email=ZARA[1], first=ZARA[2]))
    number = await begin(works, what)
    works.rows(f"update import set state = '{state}' where import_id = {number} returning 1")
    await shop.send(erase(x=ZARA[0]))
    # A workbook is packed: what is searched for is in it all the same.
    assert found(works) or what == "xlsx"

    await look_through(works)

    assert found(works) == {}
    one = await works.find(number)
    assert one.state == state
    works.rows(f"update import set state = 'queued' where import_id = {number} returning 1")
    async with works.running():
        await works.over(number)
    outcomes = works.rows("select row_number, outcome from import_row order by row_number")
    names = works.rows("select first_name from contact where status = 0 order by 1")
    assert [row for row, _ in outcomes] == [1, 2, 3]
    assert [(outcomes[0][1], outcomes[2][1]), outcomes[1][1] in (5, 6, 7)] == [(0, 0), True]
    assert names == [("Anna",), ("Boris",)]
    assert found(works) == {}


async def test_who_came_back_stays_in_the_file(works: Works, shop: Shop) -> None:
    """POST contact lifts the suppression: the person or their shop just named them (D29)."""
    await shop.send(add(x=ZARA[0], email=ZARA[1]))
    await shop.send(erase(x=ZARA[0]))
    await shop.send(add(x=ZARA[0], email=ZARA[1]))
    number = await begin(works, "csv")
    before = (await works.find(number)).file
    await look_through(works)
    assert (await works.find(number)).file == before


async def test_it_is_looked_through_once_after_each_erase(works: Works, shop: Shop) -> None:
    number = await begin(works, "csv")
    looked = "select looked_through_at from import where import_id = %s"
    await look_through(works)
    assert works.rows(looked, number) == [(None,)]
    for x in ("Y-1", "Y-2"):
        await shop.send(add(x=x))
        await shop.send(erase(x=x))
        before = works.rows(looked, number)
        await look_through(works)
        after = works.rows(looked, number)
        assert after != before
        await look_through(works)
        assert works.rows(looked, number) == after


async def test_a_file_that_nobody_can_read_goes(works: Works, shop: Shop) -> None:
    await shop.send(add(x=ZARA[0], email=ZARA[1]))
    number = await begin(works, "csv")
    [(path,)] = works.rows("select file ->> 'path' from import where import_id = %s", number)
    damage(path)
    works.rows("update import set state = 'failed' returning 1")
    await shop.send(erase(x=ZARA[0]))
    await look_through(works)
    assert found(works) == {}
