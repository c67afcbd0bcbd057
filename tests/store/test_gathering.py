"""Questions of many callers are answered together, each with its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from kartoteka.db.gathering import MOST_AT_ONCE, Gathering


class Source:
    """Answers with tens, slowly enough that others gather meanwhile."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[int]]] = []
        self.broken = False

    async def answer(self, place: str, questions: list[int]) -> Mapping[int, int]:
        self.asked.append((place, questions))
        await asyncio.sleep(0.01)
        if self.broken:
            raise RuntimeError("gone")
        return {one: one * 10 for one in questions if one >= 0}


async def test_those_who_come_meanwhile_are_answered_together():
    source = Source()
    gathering = Gathering(source.answer)
    answers = await asyncio.gather(*(gathering.ask("a", n) for n in range(500)))
    assert answers == [n * 10 for n in range(500)]
    assert [len(questions) for _, questions in source.asked] == [MOST_AT_ONCE, MOST_AT_ONCE, 100]
    assert await gathering.ask("a", 7) == 70


async def test_one_question_of_several_is_asked_once_and_nothing_found_is_none():
    source = Source()
    gathering = Gathering(source.answer)
    assert await asyncio.gather(*(gathering.ask("a", -1) for _ in range(5))) == [None] * 5
    assert source.asked == [("a", [-1])]


async def test_places_are_never_mixed():
    source = Source()
    gathering = Gathering(source.answer)
    await asyncio.gather(*(gathering.ask(place, n) for place in "ab" for n in range(3)))
    assert sorted(source.asked) == [("a", [0, 1, 2]), ("b", [0, 1, 2])]


async def test_who_hangs_up_takes_nobody_along():
    source = Source()
    gathering = Gathering(source.answer)

    async def ask() -> int | None:
        return await gathering.ask("a", 1)

    leaving, staying = asyncio.create_task(ask()), asyncio.create_task(ask())
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 10
    assert leaving.cancelled()


async def test_an_error_reaches_everybody_and_the_next_try_works():
    source = Source()
    gathering = Gathering(source.answer)
    source.broken = True
    answers = await asyncio.gather(
        *(gathering.ask("a", n) for n in range(3)), return_exceptions=True
    )
    assert [type(one) for one in answers] == [RuntimeError] * 3
    source.broken = False
    assert await gathering.ask("a", 1) == 10
    source.broken = True
    with pytest.raises(RuntimeError):
        await gathering.ask("a", 1)
