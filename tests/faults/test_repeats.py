"""How long an earlier request is remembered (decisions D22, check 13 of wire 14)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kartoteka.contacts.model import Command, Repeat
from kartoteka.errors import DuplicatedRequest
from tests.faults.conftest import Shop
from tests.rules.stories import add


def again(repeat: Repeat) -> Command:
    command = add(x="X", token="T")
    command.repeat = repeat
    return command


async def test_a_repeat_is_refused_for_a_minute_and_taken_afterwards(shop: Shop):
    start = shop.clock.now()
    repeat = Repeat(b"the same request", refuse_within_s=60)
    await shop.send(again(repeat), start)
    for seconds in (0, 30, 59.9):
        with pytest.raises(DuplicatedRequest):
            await shop.send(again(repeat), start + timedelta(seconds=seconds))
    await shop.send(again(Repeat(b"another request", refuse_within_s=60)), start)
    taken = await shop.send(again(repeat), start + timedelta(seconds=60))
    assert taken.resolution.outcome == "unchanged"
    with pytest.raises(DuplicatedRequest):
        await shop.send(again(repeat), start + timedelta(seconds=119))


async def test_an_answer_is_kept_for_a_day(shop: Shop):
    start = shop.clock.now()
    repeat = Repeat(b"the same request", idempotency_key="key")
    assert (await shop.send(again(repeat), start)).new
    assert (await shop.send(again(repeat), start + timedelta(hours=23.9))).new
    assert not (await shop.send(again(repeat), start + timedelta(hours=24.1))).new
