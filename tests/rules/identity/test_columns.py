"""Rows as the arrays of a set-based statement: what needs no saying is not sent."""

from __future__ import annotations

import msgspec

from kartoteka.db.arrays import PgArray
from kartoteka.identity.store import CARD_COLUMNS, EMPTY, changed_columns, columns

AN_ID, A_TOWN = CARD_COLUMNS.index("contact_id"), CARD_COLUMNS.index("town")


def test_a_column_of_nulls_is_sent_empty_and_one_with_a_value_whole():
    params = columns(("a", "b"), [(None, None), (None, 1)])
    assert params["a"] is EMPTY
    assert params["b"].text == b"{null,1}"


def test_a_column_of_its_usual_value_is_sent_empty_where_the_statement_says_it():
    rows = [(0, {}, True), (0, {}, True)]
    names, usual = ("status", "fields", "keyed"), {"status": 0, "fields": {}, "keyed": True}
    assert set(columns(names, rows, usual=usual).values()) == {EMPTY}
    assert columns(names, rows)["status"].text == b"{0,0}"
    assert columns(names, [*rows, (1, {}, True)], usual=usual)["status"].text == b"{0,0,1}"


def test_of_changed_cards_only_columns_that_changed_are_sent():
    before = [_card(1, "Lviv"), _card(2, None)]
    after = [_card(1, "Kyiv"), _card(2, None)]
    sent = {name: value for name, value in changed_columns(before, after).items() if value}
    assert {name: value.text for name, value in sent.items()} == {
        "contact_id": b"{1,2}",
        "town": b'{"Kyiv",null}',
    }


def test_a_value_that_is_emptied_is_a_change():
    params = changed_columns([_card(1, "Lviv")], [_card(1, None)])
    assert isinstance(params["town"], PgArray)
    assert params["town"].text == b"{null}"


def _card(contact_id: int, town: str | None) -> tuple[object, ...]:
    row: list[object] = [None] * len(CARD_COLUMNS)
    row[AN_ID], row[A_TOWN] = contact_id, town
    return tuple(row)


def test_json_of_a_column_is_split_where_a_row_ends_and_nowhere_else():
    """Unicode has more line ends than JSON escapes."""
    said = [{"kind": "external_id", "value": f"a{end}b"} for end in "\n\r\v\f\x1c\x85\u2028\u2029"]
    for column in (said, [*said, None]):
        sent = columns(("by",), [(one,) for one in column])["by"].text.decode()
        texts = msgspec.json.decode(f"[{sent[1:-1]}]")
        assert [text and msgspec.json.decode(text) for text in texts] == column
