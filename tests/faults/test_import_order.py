"""Rows in their order, whatever others write meanwhile: of two for one contact the last wins."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import psycopg
import pytest

from kartoteka.intake import engine
from tests.faults.conftest import Shop
from tests.faults.holding import waiting
from tests.faults.importing import carry_out
from tests.rules import stories
from tests.rules.stories import add

BY_EMAIL = stories.rules("email")


async def test_the_last_row_of_a_contact_wins(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    """Two batches are under way, which name one contact by different identifiers. Somebody changes
    it meanwhile, so that both have to begin again, and the second one is the quicker."""
    pauses = iter([100.0])  # the first to fail pauses for a fifth of a second
    monkeypatch.setattr(engine, "random", SimpleNamespace(random=lambda: next(pauses, 0.0)))
    card = await shop.id(add(x="A", email="a@x.example"))
    rows = [
        stories.row(BY_EMAIL, number=1, x="A", first="Ann", town="Lviv"),
        stories.row(BY_EMAIL, number=2, email="a@x.example", first="Bob"),
    ]
    async with await psycopg.AsyncConnection.connect(shop.url) as somebody:
        await somebody.execute("update contact set last_name = 'Koval'")
        task = asyncio.create_task(carry_out(shop, rows, 1))
        await waiting(shop.url, 2)
        await somebody.commit()
    _, lines = await task
    assert [(one.row, one.outcome, one.contact_id) for one in lines] == [
        (1, "updated", card),
        (2, "updated", card),
    ]
    assert shop.rows("select first_name, last_name, town from contact") == [
        ("Bob", "Koval", "Lviv")
    ]
