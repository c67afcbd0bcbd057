"""Bulk calls of one account, one behind the other: the next begins while the last rows of the one before
are written, and yet whatever happens they come out in the order of the calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kartoteka.errors import DatabaseUnavailable
from kartoteka.intake.engine import Engine
from tests.faults.holding import waiting
from tests.faults.imports import assert_whole
from tests.faults.invariants import check
from tests.faults.runners import Works, open_works

BY_ID = {"externalCustomerId": "A"}
BY_EMAIL = {"channels": [{"type": "email", "value": "a@x.example"}]}


@pytest.fixture
async def works(database_url: str, tmp_path: Path) -> AsyncIterator[Works]:
    """An account with one contact, by External ID and e-mail; nobody carries out anything yet."""
    async with open_works(database_url, tmp_path) as opened:
        known = await opened.call([{**BY_ID, **BY_EMAIL}])
        async with opened.running():
            await opened.over(known)
        yield opened
        check(database_url)


async def two_calls(works: Works) -> tuple[int, int]:
    """Both come to the one contact and name nothing in common; the second one counts."""
    return (
        await works.call([{**BY_EMAIL, "firstName": "Ann", "lastName": "Koval"}]),
        await works.call([{**BY_ID, "firstName": "Bob"}], unique="externalCustomerId"),
    )


async def names(works: Works) -> list[tuple[Any, ...]]:
    return works.rows("select first_name, last_name from contact")


async def assert_in_order(works: Works, *calls: int) -> None:
    for number in calls:
        assert (await works.over(number)).counts["updated"] == 1
        assert_whole(works.url, works.account.account_id, number, 1)
    assert await names(works) == [("Bob", "Koval")]


async def test_the_next_call_is_under_way_while_the_one_before_is_written(works: Works):
    first, second = await two_calls(works)
    async with await psycopg.AsyncConnection.connect(works.url) as somebody:
        await somebody.execute("update contact set town = 'Lviv'")
        async with works.running():
            await waiting(works.url, 2)
            assert (await works.find(first)).done == (await works.find(second)).done == 0
            await somebody.commit()
            await assert_in_order(works, first, second)


async def test_behind_a_call_that_was_not_written_nothing_is(
    works: Works, monkeypatch: pytest.MonkeyPatch
):
    """The database is away for the first call just when the second one is decided."""
    break_first(monkeypatch, works, DatabaseUnavailable)
    calls = await two_calls(works)
    async with works.running():
        await assert_in_order(works, *calls)


async def test_a_call_that_fails_for_good_lets_the_next_one_go_on(
    works: Works, monkeypatch: pytest.MonkeyPatch
):
    break_first(monkeypatch, works, RuntimeError)
    first, second = await two_calls(works)
    async with works.running():
        assert (await works.over(first)).state == "failed"
        assert (await works.over(second)).state == "finished"
        assert await names(works) == [("Bob", None)]
        await works.imports.resume(works.account.account_id, first)
        await works.over(first, "finished")
    assert await names(works) == [("Ann", "Koval")], "it was carried out last"


def break_first(
    monkeypatch: pytest.MonkeyPatch, works: Works, error: Callable[[], Exception]
) -> None:
    """The rows that come first fail once, when those behind them are decided."""
    submit, closes = Engine.submit_rows, asyncio.Event()
    numbers: list[int] = []

    async def submit_rows(self: Engine, account: Any, rows: Any, closing: Any, *more: Any) -> Any:
        async def close(answers: Any) -> Any:
            closes.set()
            return await closing(answers)

        numbers.append(len(numbers))
        if numbers[-1] == 0:
            await closes.wait()
            raise error()
        return await submit(self, account, rows, close, *more)

    monkeypatch.setattr(Engine, "submit_rows", submit_rows)
