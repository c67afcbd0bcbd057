"""The plan of a timeline touches index ranges only, however many events there are (part 3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from kartoteka.activity.partitions import make_months
from kartoteka.activity.timeline import QUERIES, Place, Timelines
from kartoteka.clock import Clock
from kartoteka.db.database import SESSION_OPTIONS, WRITER_OPTIONS, Database

MONTHS = [(2024 + month // 12, month % 12 + 1) for month in range(24)]
OWNERS = 300
ROWS = 20


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


@pytest.fixture
async def filled(database_url: str) -> str:
    """30,000 events of 300 contacts over two years, and orders."""
    database = await Database.open(database_url, max_size=1)
    await make_months(database, MONTHS)
    await database.close()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "insert into contact (account_id, contact_id, source, created_at, updated_at)"
            " select 1, n, 'API', now(), now() from generate_series(1, %s) n",
            [OWNERS],
        )
        connection.execute(
            "insert into event (account_id, owner_id, kind, type_key, occurred, received)"
            " select 1, n %% %s + 1, n / 300 %% 2, 'seen',"
            "        '2024-01-01Z'::timestamptz + n * interval '35 minutes', now()"
            " from generate_series(0, 29999) n",
            [OWNERS],
        )
        connection.execute(
            "insert into orders (account_id, order_id, external_order_id, owner_id, status, total_cost,"
            " currency, ordered_at, created_at, updated_at)"
            " select 1, n, n, n %% %s + 1, 2, 1, 'UAH', '2025-01-01Z', now(), now()"
            " from generate_series(1, 3000) n",
            [OWNERS],
        )
    return database_url


def explained(url: str, since: str, before: str) -> list[dict[str, Any]]:
    """What was carried out, node by node, as a connection of the server does it."""
    query = QUERIES["timeline"].sql
    types = {"kinds": "smallint[]", "rows": "bigint", "orders": "boolean", "contact_id": "bigint"}
    values = {
        "account_id": "1",
        "contact_id": "7",
        "kinds": "'{0,1}'",
        "orders": "true",
        "since": f"'{since}'",
        "before": f"'{before}'",
        "before_event": str(2**62),
        "before_order": str(2**62),
        "rows": str(ROWS),
    }
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", query)))
    sql = re.sub(r"%\((\w+)\)s", lambda match: f"${names.index(match[1]) + 1}", query)
    given = ", ".join(types.get(name, "unknown") for name in names)
    options = f"{SESSION_OPTIONS} {WRITER_OPTIONS}"
    with psycopg.connect(url, autocommit=True, options=options) as connection:
        connection.execute(f"prepare asked ({given}) as {sql}".encode())
        arguments = ", ".join(values[name] for name in names)
        row = connection.execute(
            f"explain (analyze, format json) execute asked({arguments})".encode()
        ).fetchone()
    assert row is not None
    return [one for one in nodes(row[0][0]["Plan"]) if one.get("Actual Loops")]


def test_a_page_reads_index_ranges_of_its_owner_only(filled: str):
    plan = explained(filled, "2025-06-01Z", "2025-09-01Z")
    tables = [one for one in plan if "Relation Name" in one]
    events = [one for one in tables if one["Relation Name"].startswith("event")]
    assert events
    for one in tables:
        assert one["Node Type"] in ("Index Scan", "Index Only Scan"), one
        assert one["Actual Rows"] * one["Actual Loops"] <= 2 * ROWS, one
        assert one.get("Rows Removed by Index Recheck", 0) == 0
        # The contact's own card, looked up to see whether it was merged, and it was not.
        own = one["Relation Name"] == "contact"
        assert one.get("Rows Removed by Filter", 0) <= own, one
    for one in events:
        assert "owner_id = " in one["Index Cond"]
        assert "kind = " in one["Index Cond"]
    # Three months of the window, and the default partition: the others are not even opened.
    assert len({one["Relation Name"] for one in events}) <= 5


def test_looking_back_to_the_beginning_is_still_index_ranges(filled: str):
    plan = explained(filled, "0001-01-01Z", "9999-01-01Z")
    tables = [one for one in plan if "Relation Name" in one]
    assert {one["Node Type"] for one in tables} <= {"Index Scan", "Index Only Scan"}
    visited = sum(one["Actual Rows"] * one["Actual Loops"] for one in tables)
    assert visited <= 100 + 4 * ROWS + len(MONTHS) * 2 * 2


async def test_months_and_windows_meet(filled: str):
    """Pages across windows have no hole: all events of one contact, page by page."""
    database = await Database.open(filled, options=WRITER_OPTIONS)
    timelines = Timelines(database, Clock())
    place = Place(datetime(9999, 12, 31, tzinfo=UTC), 2**63 - 1, 2**63 - 1)
    found = []
    while page := await timelines.page(1, 7, place, 9, frozenset(("event", "visit", "order"))):
        found += page
        last = page[-1]
        if last.rank:
            place = Place(last.occurred, last.id, 2**63 - 1)
        else:
            place = Place(last.occurred, 0, last.id)
    await database.close()
    assert len(found) == 100 + 10
    assert len({(one.rank, one.id) for one in found}) == 110
    moments = [one.occurred for one in found]
    assert moments == sorted(moments, reverse=True)
