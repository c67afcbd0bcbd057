"""A plan that is made while a table is young is kept while it grows: it must look rows up even so."""

from __future__ import annotations

import re
from importlib import resources
from itertools import pairwise

import psycopg
import pytest

from kartoteka.contacts.values.custom_fields import FieldDefinition, FieldType
from kartoteka.db.database import SESSION_OPTIONS, WRITER_OPTIONS
from kartoteka.db.named import Query, load_queries, parse_queries
from kartoteka.segments.conditions import CONDITIONS
from kartoteka.segments.conditions.base import Context
from kartoteka.segments.conditions.tree import read_condition
from kartoteka.segments.evaluating import version_of
from kartoteka.segments.model import State
from tests.conftest import fresh_database

_OTHERWISE = ("find_by_field", "any_refusal")
"""One is allowed another index while it runs, the other asks for any row at all."""
STATEMENTS = {
    **{
        name: query
        for name, query in load_queries("kartoteka.identity").items()
        if name not in _OTHERWISE
    },
    **load_queries("kartoteka.identity", "merges.sql"),
    **{
        name: query
        for name, query in load_queries("kartoteka.activity").items()
        if name
        in (
            "find_spans",
            "find_event_types",
            "find_messages",
            "link_open_spans",
            "count_events",
            "lock_known",
        )
    },
    **{
        name: query
        for name, query in load_queries("kartoteka.activity.orders").items()
        if name
        in ("find_orders", "update_orders", "delete_orders", "delete_items", "look_up_dates")
    },
}
"""What the engine runs for every batch."""
ERASING = {
    **load_queries("kartoteka.contacts", "erasing.sql"),
    **load_queries("kartoteka.activity", "erasing.sql"),
}
_OF_ERASES = re.compile(
    r"Index(?: Only)? Scan(?: using \w+)? on erasing(?: \w+)?\n.*Index Cond.*\n?"
)
"""The queue of owners is read whole: it has only those of this erase."""

SEGMENTS = load_queries("kartoteka.segments", "watch.sql")
STATEMENTS |= {
    name: SEGMENTS[name]
    for name in (
        "flip_segments",
        "mark_segments",
        "members_in_range",
        "touch_emptied",
        "contacts_of_owners",
        "touch_active",
    )
}
"""The others read the row of the account, and its definitions when they are others than before."""
BIRTHDAY = FieldDefinition(1, "PERSONAL", "Personal", "BIRTHDAY", "Birthday", FieldType.DATE)
CONTEXT = Context({"1": BIRTHDAY}, {7: ("News", None)})
"""What the examples of the conditions name."""

_WHOLE_SEGMENT = "using segment_match_by_time"
"""By version and time: to find one contact in it is to read all of the segment."""
_WHOLE_ACCOUNT = re.compile(r"Index Cond: \(account_id = \$\d+\)$", re.MULTILINE)


@pytest.fixture(scope="module")
def connection(postgres_url: str):
    with (
        fresh_database(postgres_url) as url,
        psycopg.connect(
            url,
            autocommit=True,
            options=f"{SESSION_OPTIONS} {WRITER_OPTIONS}",
            cursor_factory=psycopg.RawCursor,
        ) as connection,
    ):
        yield connection


@pytest.mark.parametrize("name", STATEMENTS)
def test_in_an_empty_table_no_statement_of_a_batch_reads_the_whole_account(connection, name: str):
    _looks_up(_generic_plan(connection, STATEMENTS[name].sql))


@pytest.mark.parametrize("state", [State.FILLING, State.SERVING])
@pytest.mark.parametrize(
    "example", [one.example for one in CONDITIONS], ids=lambda one: one["field"]
)
def test_in_an_empty_table_settling_a_segment_looks_its_contacts_up(connection, example, state):
    """Whatever a segment asks, a batch reads only of the contacts that it changed."""
    resolved = read_condition(example, CONTEXT).to_json(resolved=True)
    version = version_of(1, 1, 1, state, resolved)
    _looks_up(_generic_plan(connection, version.settle().sql))


def _looks_up(plan: str) -> None:
    assert "Seq Scan" not in plan
    assert _WHOLE_ACCOUNT.search(plan) is None, plan
    assert _WHOLE_SEGMENT not in plan, plan


@pytest.mark.parametrize("name", [one for one in ERASING if "account" not in one])
def test_in_an_empty_table_no_erase_reads_the_whole_account(connection, name: str):
    plan = _OF_ERASES.sub("", _generic_plan(connection, ERASING[name].sql))
    assert "Seq Scan" not in plan
    assert _WHOLE_ACCOUNT.search(plan) is None, plan


GROWING = {
    "address_refusal", "apart", "change", "claim", "contact", "duplicate", "event", "event_other",
    "happening", "identifier", "identity_history", "import_batch", "import_row", "message_seen",
    "order_item", "order_totals", "orders", "recent_request", "replay", "segment_match",
    "segment_member", "segment_moment", "suppression", "visitor_span", "webhook_delivery",
}  # fmt: skip
"""Tables that have a row for every contact, or several."""
LOOKED_UP = {
    "activity/erasing.sql", "activity/orders/queries.sql", "activity/orders/read_queries.sql",
    "activity/queries.sql", "activity/timeline.sql", "contacts/browsing.sql",
    "contacts/duplicates.sql", "contacts/erasing.sql", "contacts/queries.sql",
    "contacts/identity_reads.sql", "contacts/read_queries.sql", "contacts/why.sql",
    "identity/merges.sql", "identity/queries.sql", "intake/queries.sql", "segments/watch.sql",
}  # fmt: skip
"""Run on connections that never scan (`WRITER_OPTIONS`), but for counts and the search for duplicates;
the others may scan, where it is sensible."""
PLANNED_LATER = (
    "contacts/what_if.sql", "db/restored.sql", "exports/changes.sql", "exports/datasets.sql",
    "identity/verify.sql", "intake/rehearsal.sql",
)  # fmt: skip
"""They read whole accounts, or fill temporary tables and plan when those are full."""
WHOLE_ACCOUNT = {
    "activity/retention.sql": {
        "delete_old_of_nobody": "every night: spans that are nobody's",
        "old_spans": "every night: spans that are nobody's",
    },
    "activity/visitors/queries.sql": {
        "expire_claims": "every hour: claims that wait, of 30 days at most",
    },
    "contacts/browsing.sql": {
        "browse_count": "counts, behind the page that asks for it",
        "count_all_live": "counts in indexes alone",
        "count_nameless": "counts in an index of nothing else",
        "count_removed": "counts in an index of nothing else",
        "created_by_day": "counts all contacts, for the first page",
        "feed": "walks backwards and stops",
        "history_exceeds": "walks so many rows and stops",
    },
    "contacts/duplicates.sql": {
        "count_records": "counts, before a search",
        "count_shared_addresses": "counts in an index of nothing else",
        "count_told_apart": "people do this one by one, so there are few",
        "is_small": "counts so many and stops",
        "forget_older": "every night: the pairs of the search before",
        "shared_addresses": "walks an index of nothing else and stops",
        "told_apart": "people do this one by one, so there are few",
        "written_since": "every night: whether anything changed at all",
    },
    "contacts/identity_reads.sql": {
        "category_counts": "counts all contacts",
        "count_merges": "counts in an index of nothing else",
        "merges": "walks an index of nothing else backwards",
    },
    "contacts/read_queries.sql": {
        "count_live": "counts all contacts (decision listing-without-an-index)",
        "list_by_id": "walks to its page (decision listing-without-an-index)",
        "list_by_update": "sorts all contacts (decision listing-without-an-index)",
    },
    "exports/queries.sql": {
        "accounts_with_changes": "every hour: whether there is one at all",
        "drop_old_changes": "every hour: of a day at most",
    },
    "identity/queries.sql": {
        "any_refusal": "whether there is one at all",
        "find_by_field": "runs with another index allowed, and the others not",
    },
    "imports/queries.sql": {
        "imports_to_look_through": "whether there is one at all",
    },
    "segments/defining.sql": {
        "count_contacts": "counts, before a segment is filled",
    },
    "segments/queries.sql": {
        "count_members": "walks an index of those who are not live",
        "members_by_time": "walks an index of those who are not live",
        "members_by_time_descending": "walks an index of those who are not live",
    },
    "segments/waking.sql": {
        "accounts_with_moments": "whether there is one at all",
        "next_moment": "the first of an index",
    },
    "webhooks/queries.sql": {
        "forget_deliveries": "every hour: delivered long ago",
        "forget_happenings": "every hour: the oldest",
    },
}
"""Who may read a whole account, and why: nobody else does."""


def _files() -> list[str]:
    """Every file of statements, as `contacts/queries.sql`."""
    with resources.as_file(resources.files("kartoteka")) as root:
        names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.sql"))
    return [one for one in names if "migrations" not in one and one not in PLANNED_LATER]


def _statements(file: str) -> dict[str, Query]:
    return parse_queries(resources.files("kartoteka").joinpath(file).read_text("utf-8"))


@pytest.fixture(scope="module")
def scanner(postgres_url: str):
    """A connection as reads and jobs have it that may scan a table."""
    with (
        fresh_database(postgres_url) as url,
        psycopg.connect(
            url, autocommit=True, options=SESSION_OPTIONS, cursor_factory=psycopg.RawCursor
        ) as connection,
    ):
        yield connection


@pytest.mark.parametrize("file", _files())
def test_in_an_empty_table_only_those_named_read_a_whole_account(connection, scanner, file: str):
    """A plan is made once and kept: what it does in a table without statistics it does as well when a
    first import has put a million contacts into it."""
    asked = connection if file in LOOKED_UP else scanner
    plans = {
        name: _generic_plan(asked, query.sql)
        for name, query in _statements(file).items()
        if not query.sql.startswith("notify")
    }
    reading = {name for name, plan in plans.items() if _reads_all(plan)}
    assert reading == set(WHOLE_ACCOUNT.get(file, ())), [plans[one] for one in reading]


_SCAN = re.compile(r"Scan(?: Backward)?(?: using \w+)? on (\w+)")


def _reads_all(plan: str) -> bool:
    """Whether some node reads a table that grows, or all that an account has in one."""
    table = ""
    for line, below in pairwise([*plan.splitlines(), ""]):
        scan = _SCAN.search(line)
        if scan is not None and "Bitmap Index" not in line:
            table = scan[1]
        if scan is None or table not in GROWING or "Bitmap Heap" in line:
            continue
        if "Seq Scan" in line or _WHOLE_ACCOUNT.search(below):
            return True
        if "Index" in line and not below.strip().startswith("Index Cond"):
            return True
    return False


def _generic_plan(connection: psycopg.Connection, sql: str) -> str:
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", sql)))
    numbered = re.sub(r"%\((\w+)\)s", lambda found: f"${names.index(found[1]) + 1}", sql)
    connection.execute(f"prepare asked as {numbered.replace('%%', '%')}")
    nulls = f"({', '.join(['null'] * len(names))})" if names else ""
    rows = connection.execute(f"explain (costs off) execute asked{nulls}").fetchall()
    connection.execute("deallocate asked")
    return "\n".join(row[0] for row in rows)
