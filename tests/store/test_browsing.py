"""Looking through contacts: pages lead through everybody once, both ways, whatever the filter."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from kartoteka.contacts import browsing
from kartoteka.contacts.browsing import Browsing, Filter
from kartoteka.db.database import Database
from kartoteka.identity.kinds import EMAIL, MOBILE_TOKEN, PHONE, Region
from tests.conftest import fresh_database

UA = Region("UA")
START = datetime(2026, 1, 1, tzinfo=UTC)
COUNT = 60


@pytest.fixture(scope="module")
def populated(postgres_url):
    """The URL of a database with sixty cards of account 1 and one of account 2, which nobody changes."""
    with fresh_database(postgres_url) as url:
        asyncio.run(populate(url))
        yield url


@pytest.fixture
async def people(populated):
    database = await Database.open(populated)
    yield Browsing(database, database)
    await database.close()


async def populate(url):
    """Every second has a phone, every third no External ID, every fifth a token, every seventh is
    removed, every tenth came by hand."""
    database = await Database.open(url)
    for number in range(1, COUNT + 1):
        has_id, has_phone, has_token = number % 3 != 0, number % 2 == 0, number % 5 == 0
        await database.execute(
            "insert into contact (account_id, contact_id, status, external_id, email, phone, "
            "first_name, last_name, source, created_at, updated_at) values (1, %(id)s, %(status)s, "
            "%(ext)s, %(email)s, %(phone)s, %(first)s, %(last)s, %(source)s, %(at)s, %(at)s)",
            id=number * 3,
            status=1 if number % 7 == 0 else 0,
            ext=f"crm-{number:03d}" if has_id else None,
            email=f"p{number:03d}@x.example",
            phone=f"38067{number:07d}" if has_phone else None,
            first="Anna" if number % 4 == 0 else "Борис",
            last=f"Koval{number:03d}",
            source="MANUAL" if number % 10 == 0 else "API",
            at=START + timedelta(days=number),
        )
        held = [(2, f"p{number:03d}@x.example")]
        held += [(1, f"crm-{number:03d}")] if has_id else []
        held += [(3, f"38067{number:07d}")] if has_phone else []
        held += [(4, f"token-{number}")] if has_token else []
        for kind, value in held:
            await database.execute(
                "insert into identifier (account_id, kind, value_key, contact_id, since, rule) "
                "values (1, %(kind)s, %(value)s, %(id)s, %(at)s, 'given')",
                kind=kind, value=value, id=number * 3, at=START,
            )  # fmt: skip
    await database.execute(
        "insert into contact (account_id, contact_id, first_name, email, source, created_at, updated_at) "
        "values (2, 1, 'Anna', 'p001@x.example', 'API', now(), now())"
    )
    await database.close()


def expected(asked: Filter) -> list[int]:
    """What the filter means, told a second time."""
    found = []
    for number in range(1, COUNT + 1):
        at = START + timedelta(days=number)
        held = {EMAIL.code}
        held |= {PHONE.code} if number % 2 == 0 else set()
        held |= {MOBILE_TOKEN.code} if number % 5 == 0 else set()
        passes = (
            (number % 7 == 0) is asked.removed
            and (not asked.without_external_id or number % 3 == 0)
            and (asked.channel is None or asked.channel in held)
            and (asked.source is None or asked.source == ("API" if number % 10 else "MANUAL"))
            and (asked.since is None or at >= asked.since)
            and (asked.until is None or at < asked.until)
        )
        if passes:
            found.append(number * 3)
    return found[::-1]


FILTERS = [
    Filter(),
    Filter(removed=True),
    Filter(without_external_id=True),
    Filter(channel=EMAIL.code),
    Filter(channel=PHONE.code),
    Filter(channel=MOBILE_TOKEN.code),
    Filter(source="MANUAL"),
    Filter(source="WEB"),
    Filter(without_external_id=True, channel=PHONE.code),
    Filter(since=START + timedelta(days=20), until=START + timedelta(days=40)),
]


@pytest.mark.parametrize("walked", [7, 100_000], ids=["short walks", "long walks"])
@pytest.mark.parametrize("asked", FILTERS, ids=str)
async def test_pages_lead_through_everybody_once_and_back(people, monkeypatch, asked, walked):
    monkeypatch.setattr(browsing, "MOST_WALKED", walked)
    monkeypatch.setattr(browsing, "MOST_WALKED_BY_TOKEN", walked)
    seen: list[int] = []
    before: int | None = None
    for _ in range(200):
        page = await people.page(1, asked, UA, before=before, rows=4)
        seen += [row.contact_id for row in page.rows]
        if page.older is None:
            break
        before = page.older
    assert seen == expected(asked)
    back: list[int] = []
    after: int | None = 0
    for _ in range(200):
        page = await people.page(1, asked, UA, after=after, rows=4)
        back = [row.contact_id for row in page.rows] + back
        if page.newer is None:
            break
        after = page.newer
    assert back == expected(asked)
    assert await people.count(1, asked) == len(expected(asked))


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (("anna",), [n for n in range(1, COUNT + 1) if n % 4 == 0]),
        (("борис", "koval00"), [n for n in range(1, 10) if n % 4]),
        (("crm-01",), [n for n in range(10, 20) if n % 3]),
        (("extid:crm-010",), [10]),
        (("id:30",), [10]),
        (("p02",), range(20, 30)),
        (("p020@x.example",), [20]),
        (("+38067 000 0010",), [10]),
        (("koval", "p010"), [10]),
        (("nobody",), []),
        (("%",), []),
        (("id:nonsense",), []),
    ],
    ids=str,
)
async def test_every_word_begins_something(people, words, numbers):
    ids, more = await people.search(1, Filter(words=words), UA)
    assert ids == [n * 3 for n in sorted(numbers, reverse=True) if n % 7]
    assert not more


async def test_removed_contacts_are_searched_too(people):
    ids, _ = await people.search(1, Filter(words=("crm-007",), removed=True), UA)
    assert ids == [21]


async def test_a_search_that_is_too_wide_says_so(people, monkeypatch):
    monkeypatch.setattr(browsing, "MOST_FOUND", 5)
    page = await people.page(1, Filter(words=("koval",)), UA)
    assert page.more


async def test_pages_of_a_search_follow_each_other(people):
    asked = Filter(words=("koval",))
    first = await people.page(1, asked, UA, rows=20)
    second = await people.page(1, asked, UA, before=first.older, rows=20)
    back = await people.page(1, asked, UA, after=second.newer, rows=20)
    assert [row.contact_id for row in back.rows] == [row.contact_id for row in first.rows]
    assert first.found == len(expected(Filter()))


async def test_accounts_are_apart(people):
    ids, _ = await people.search(2, Filter(words=("anna",)), UA)
    assert ids == [1]
    assert await people.count(2, Filter()) == 1
