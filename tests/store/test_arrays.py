"""Arrays reach PostgreSQL as they are."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kartoteka.db.arrays import PgArray, has_foreign_escape, pg_array

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
tricky = st.sampled_from(
    ["", "NULL", "null", '"', "\\", "\\n", "\n", "\t", "{}", "a,b", " ", "عربي", "Ї", '\\"', "\x07"]
)


@pytest.fixture(scope="module")
def connection(postgres_url: str):
    with psycopg.connect(postgres_url, autocommit=True) as opened:
        yield opened


def echo(connection: psycopg.Connection[Any], array: PgArray, element_type: str) -> list[Any]:
    row = connection.execute(f"select %(a)s::{element_type}[]", {"a": array}).fetchone()
    assert row is not None
    return row[0]


quick = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@quick
@given(st.lists(st.none() | tricky | texts | st.lists(tricky).map("".join)))
def test_texts_come_back_as_they_went(connection, values):
    assert echo(connection, pg_array(values), "text") == values


@quick
@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)))
def test_whole_numbers_come_back_as_they_went(connection, values):
    assert echo(connection, pg_array(values), "bigint") == values


@quick
@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False)))
def test_floats_come_back_as_they_went(connection, values):
    assert echo(connection, pg_array(values), "double precision") == values


@quick
@given(st.lists(st.none() | st.booleans()))
def test_booleans_come_back_as_they_went(connection, values):
    assert echo(connection, pg_array(values), "boolean") == values


@pytest.mark.parametrize(
    ("text", "foreign"),
    [(rb'["\""]', False), (rb'["\\"]', False), (rb'["\\n"]', False), (rb'["\n"]', True),
     (rb'["\\\n"]', True), (rb'["\\\\u0007"]', False), (rb'["\u0007"]', True)],
)  # fmt: skip
def test_only_escapes_that_postgres_reads_otherwise_take_the_slow_path(text, foreign):
    assert has_foreign_escape(text) is foreign
