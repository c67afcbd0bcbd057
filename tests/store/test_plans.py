"""A plan that is made while a table is young is kept while it grows: it must look rows up even so."""

from __future__ import annotations

import re

import psycopg
import pytest

from kartoteka.contacts.values.custom_fields import FieldDefinition, FieldType
from kartoteka.db.database import SESSION_OPTIONS, WRITER_OPTIONS
from kartoteka.db.named import load_queries
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


def _generic_plan(connection: psycopg.Connection, sql: str) -> str:
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", sql)))
    numbered = re.sub(r"%\((\w+)\)s", lambda found: f"${names.index(found[1]) + 1}", sql)
    connection.execute(f"prepare asked as {numbered.replace('%%', '%')}")
    nulls = f"({', '.join(['null'] * len(names))})" if names else ""
    rows = connection.execute(f"explain (costs off) execute asked{nulls}").fetchall()
    connection.execute("deallocate asked")
    return "\n".join(row[0] for row in rows)
