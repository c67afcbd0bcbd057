"""The statement as CSV: readable by spreadsheets, and harmless in them."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator

import pytest

from kartoteka.identity.model import Notice
from kartoteka.imports.model import RowOutcome
from kartoteka.imports.statement_csv import COLUMNS, safe_cell, statement_csv


async def pages(*rows: list[RowOutcome]) -> AsyncIterator[list[RowOutcome]]:
    for page in rows:
        yield page


async def read(*rows: list[RowOutcome]) -> list[list[str]]:
    whole = b"".join([piece async for piece in statement_csv(pages(*rows))])
    assert whole.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(whole.decode("utf-8-sig"), newline="")))


async def test_an_empty_statement_has_its_header():
    assert await read() == [list(COLUMNS)]


async def test_every_row_is_a_line():
    found = await read(
        [RowOutcome(row=1, outcome="created", contact_id=7, value="Ім'я, з комою")],
        [
            RowOutcome(row=2, outcome="failed", code="no_email", reason='say "why"', field="email"),
            RowOutcome(
                row=3,
                outcome="merged",
                contact_id=8,
                merged_with=[4, 5],
                warnings=[Notice("invalid_name", "The name is too long.")],
            ),
        ],
    )
    assert found[1:] == [
        ["1", "created", "7", "Ім'я, з комою", "", "", "", "", ""],
        ["2", "failed", "", "", "", "no_email", 'say "why"', "email", ""],
        ["3", "merged", "8", "", "4 5", "", "", "", "invalid_name: The name is too long."],
    ]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
async def test_no_value_is_a_formula(sign: str):
    value = f"{sign}cmd|' /C calc'!A0"
    assert safe_cell(value) == f"'{value}"
    found = await read([RowOutcome(row=1, outcome="created", contact_id=1, value=value)])
    assert found[1][3] == f"'{value}"


@pytest.mark.parametrize("value", ["", "a=b", "380501112233", "'quoted"])
def test_other_values_stay(value: str):
    assert safe_cell(value) == value
