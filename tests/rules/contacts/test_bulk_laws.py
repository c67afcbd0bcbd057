"""Laws of bulk rows: batches of any size come to the same, and the same file again changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings

from kartoteka.contacts.model import Command, ImportRow
from kartoteka.identity.model import Card, Status
from tests.rules.contacts.random_rows import FILE, PAST
from tests.rules.identity.test_laws import SETTINGS, _state, _told
from tests.rules.world import Answer, World

many = settings(max_examples=100, deadline=None)


def world_after(past: Sequence[Command], chosen: Any) -> World:
    world = World(chosen)
    for command in past:
        world.batch([command])
    return world


def run(world: World, rows: Sequence[ImportRow], size: int) -> list[Any]:
    answers: list[Any] = []
    for start in range(0, len(rows), size):
        answers += world.batch(rows[start : start + size])
    return [_told(one) for one in answers]


@many
@given(PAST, FILE, SETTINGS)
def test_batches_of_any_size_come_to_the_same(
    past: list[Command], rows: list[ImportRow], chosen: Any
) -> None:
    worlds = [world_after(past, chosen) for _ in range(3)]
    told = [run(world, rows, size) for world, size in zip(worlds, (1, 3, 100), strict=True)]
    assert told[0] == told[1] == told[2]
    assert _state(worlds[0]) == _state(worlds[1]) == _state(worlds[2])


@many
@given(PAST, FILE, SETTINGS)
def test_a_card_has_what_its_row_said(
    past: list[Command], rows: list[ImportRow], chosen: Any
) -> None:
    """An outcome other than skipped, suppressed and failed means that the last word is on the card."""
    world = world_after(past, chosen)
    for row in rows:
        (answer,) = world.batch([row])
        if not isinstance(answer, Answer) or answer.came_to in ("skipped", "suppressed"):
            continue
        card, person = world.card(answer.id), row.contact.person
        assert card.status == Status.LIVE
        if person.external_id is not None:
            assert person.external_id.value in world.has(answer.id)
        assert person.email is None or card.email == person.email.value
        assert person.phone is None or card.phone == person.phone.value
        assert row.contact.profile.fields.items() <= card.fields.items()
        if not answer.outcome.new or answer.absorbed:
            assert not row.clear & _said_by(card)


def _said_by(card: Card) -> set[str]:
    has = {"email": card.email, "sms": card.phone, "firstName": card.first_name}
    return {name for name, value in has.items() if value} | {f"fields.{n}" for n in card.fields}


@many
@given(PAST, FILE, SETTINGS)
def test_the_same_row_again_changes_nothing(
    past: list[Command], rows: list[ImportRow], chosen: Any
) -> None:
    """The same file again comes out `unchanged`: so does each row at once, for no other row was in
    between. Except where a name stood between two cards (D13) that the row itself cleared."""
    world = world_after(past, chosen)
    for row in rows:
        (first,) = world.batch([row])
        if isinstance(first, Answer) and "possible_duplicate" in first.warnings:
            continue
        before = _state(world)
        (again,) = world.batch([row])
        if isinstance(first, Answer) and first.came_to not in ("skipped", "suppressed"):
            assert isinstance(again, Answer)
            assert (again.came_to, again.id) == ("unchanged", first.id)
        assert _state(world) == before


@many
@given(PAST, FILE, SETTINGS)
def test_a_row_takes_no_external_id_away(
    past: list[Command], rows: list[ImportRow], chosen: Any
) -> None:
    """D9, D11, D16: every External ID stays where it was, primary unless the row may replace it."""
    world = world_after(past, chosen)
    for row in rows:
        before = {who: world.card(who) for who in world.live()}
        owners = {key: held[3] for key, held in world.rows.items() if key[0] == 1}
        world.batch([row])
        now = {key: held[3] for key, held in world.rows.items() if key[0] == 1}
        if not row.rules.updates_external_id:
            assert owners.items() <= now.items()
            assert all(
                world.card(who).external_id == card.external_id
                for who, card in before.items()
                if card.external_id
            )
        elif chosen.keep_former_ids:
            assert owners.items() <= now.items()
