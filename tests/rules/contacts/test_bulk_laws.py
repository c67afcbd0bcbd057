"""Laws of bulk rows: batches of any size come to the same, and the same file again changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kartoteka.contacts.model import Command, ImportRow, RowRules
from kartoteka.contacts.uniques import UNIQUES
from kartoteka.identity.model import Card, Status
from tests.rules import stories
from tests.rules.identity.test_laws import COMMAND, MAYBE, SETTINGS, _state, _told
from tests.rules.world import Answer, World

VALUES = {
    **MAYBE,
    "web": ["W"],
    "telegram": ["G"],
    "device": ["D"],
    "contact_key": ["k1", "k2"],
    "fields": [{"7": "v"}, {"7": "w"}, {"8": "v"}],
    "clear": ["", "", "sms", "email,firstName", "fields.8", "mobilepush"],
    "contact_id": [1, 2, 3, 4],
}
ROW = st.fixed_dictionaries({}, optional={name: st.sampled_from(of) for name, of in VALUES.items()})
RULES = st.builds(
    lambda unique, changes_id, restores, groups, exclude: stories.rules(
        unique,
        7 if unique == "fieldId" else None,
        changes_id=changes_id and unique != "externalCustomerId",
        restores=restores,
        groups=groups,
        exclude=exclude,
        event="welcome",
    ),
    st.sampled_from([*sorted(UNIQUES), "fieldId", "contactKey", "email", "email_or_sms"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([(), ("one",)]),
    st.sampled_from([(), ("two",)]),
)
UNIQUE_FIELDS = {"email": "email", "sms": "sms", "fieldId": "fields.7", "push": "mobilepush"}


def made(by: RowRules, said: Sequence[dict[str, Any]]) -> list[ImportRow]:
    """Rows as the readers make them: numbered, never clearing what finds the contact or what they
    give, and only those that have their unique value or an External ID (D16, D18)."""
    rows = []
    for number, one in enumerate(said, start=1):
        given = {name: value for name, value in one.items() if name != "clear"}
        cleared = set(one.get("clear", "").split(",")) - {"", UNIQUE_FIELDS.get(by.unique.name)}
        if by.unique.name == "email_or_sms":
            cleared -= {"email", "sms"}
        row = stories.row(by, number=number, **given)
        row.clear = frozenset(cleared - _given(row))
        if row.value is not None or row.contact.person.external_id is not None:
            rows.append(row)
    return rows


def _given(row: ImportRow) -> set[str]:
    person, profile = row.contact.person, row.contact.profile
    has = {
        "email": person.email,
        "sms": person.phone,
        "firstName": profile.first_name,
        "mobilepush": [one for one in person.changeable if one.kind == stories.KIND["token"].code],
    }
    return {name for name, value in has.items() if value} | {f"fields.{n}" for n in profile.fields}


def _of_a_person(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name not in ("clear", "contact_id")}


FILE = st.builds(made, RULES, st.lists(ROW, max_size=8))
ADDED = ROW.map(lambda said: stories.add(**_of_a_person(said)))
PAST = st.lists(st.one_of(COMMAND, ADDED, ADDED), max_size=8)
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
