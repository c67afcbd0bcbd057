"""Statements are found by their names, with what they say of themselves."""

from __future__ import annotations

import pytest

from kartoteka.db.named import Query, parse_queries

FILE = """-- Statements of a capability.

-- name: load_cards
-- The cards of these ids,
-- by the primary key.
select 1
  -- inside
from card where id = any(%(ids)s);

-- name: forget
delete from card
"""


def test_each_has_its_name_its_comment_and_its_sql():
    assert parse_queries(FILE) == {
        "load_cards": Query(
            "load_cards",
            "select 1\n  -- inside\nfrom card where id = any(%(ids)s)",
            "The cards of these ids, by the primary key.",
        ),
        "forget": Query("forget", "delete from card", ""),
    }


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("-- name: a\nselect 1\n-- name: a\nselect 2", "twice"), ("-- name: a\n-- b\n", "no SQL")],
)
def test_a_name_that_comes_twice_or_has_no_sql_is_refused(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        parse_queries(text)
