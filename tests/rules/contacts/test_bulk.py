"""What a row comes to: moving, absorbing, replacing, clearing, suppression, lists and the event."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from kartoteka.contacts.model import RowRules
from kartoteka.contacts.uniques import UNIQUES
from kartoteka.identity.model import Notice, Settings
from tests.rules import stories
from tests.rules.stories import START, rules
from tests.rules.world import Answer, World

BY_EMAIL, BY_X = rules("email"), rules("externalCustomerId")
TOKENS = ("push", "webpush", "telegram", "deviceId", "webId")
CHANGEABLE = ("token", "web", "telegram", "device", "cookie")
SAID = {
    "push": "token",
    "webpush": "web",
    "telegram": "telegram",
    "deviceId": "device",
    "webId": "cookie",
}


# D12: tokens.


@pytest.mark.parametrize("name", CHANGEABLE)
def test_a_row_takes_tokens_from_contacts_without_external_id(world: World, name: str) -> None:
    """Here the contact has an e-mail of its own, or it would be absorbed."""
    holder = world.post(email="b@x.ua", **{name: "T"}).id
    mine = world.post(x="A").id
    row = world.row(BY_EMAIL, x="A", email="a@x.ua", **{name: "T"})
    assert [one[1:] for one in row.moved] == [("T", holder)]
    assert world.owners(name, "T") == [mine]


@pytest.mark.parametrize("name", CHANGEABLE)
@pytest.mark.parametrize("word", sorted(UNIQUES.keys() - set(TOKENS)))
def test_but_not_from_contacts_with_one(world: World, name: str, word: str) -> None:
    holder = world.post(x="B", **{name: "T"}).id
    world.post(x="A")
    by = rules(word, 7 if word == "fieldId" else None)
    row = world.row(by, x="A", **{name: "T"})
    assert (row.moved, row.warnings) == ([], ["identifier_stays"])
    assert world.owners(name, "T") == [holder]
    new = world.row(by, x="C", email="c@x.ua", **{name: "T"})
    assert (new.came_to, new.moved) == ("created", [])


def test_a_former_external_id_counts_here_too(world: World) -> None:
    """D11: *has an External ID* includes former ones."""
    holder = world.post(x="A", token="T").id
    world.put(holder, x="B")
    world.put(holder, clear="externalCustomerId")
    assert world.row(BY_X, x="C", token="T").warnings == ["identifier_stays"]


@pytest.mark.parametrize("word", TOKENS)
@pytest.mark.parametrize("known", [True, False], ids=["known", "new"])
def test_rows_by_token_take_it_from_anybody(world: World, word: str, known: bool) -> None:
    """D12, for every kind that is exclusive: else each import would make its contact anew."""
    holder = world.post(x="A", **{SAID[word]: "T"}).id
    if known:
        world.post(x="B")
    row = world.row(rules(word), x="B", email="b@x.ua", **{SAID[word]: "T"})
    assert [one[2] for one in row.moved] == [holder]
    assert world.owners(SAID[word], "T") == [row.id]


@pytest.mark.parametrize(("minutes", "moves"), [(-1, False), (0, True), (1, True)])
def test_what_others_got_since_the_rows_came_stays_with_them(
    world: World, minutes: int, moves: bool
) -> None:
    """D12: rows wait for their turn; the moment when they came counts."""
    came = START + timedelta(hours=1)
    holder = world.send(stories.add(x="B", token="T"), at=came - timedelta(minutes=minutes)).id
    row = stories.row(rules("push"), x="A", email="a@x.ua", token="T")
    row.occurred = came
    answer = world.send(row, at=came + timedelta(hours=1))
    assert answer.warnings == ([] if moves else ["identifier_is_newer_elsewhere"])
    assert world.owners("token", "T") == [answer.id if moves else holder]


@pytest.mark.parametrize("occurred", [None, START], ids=["now", "when they came"])
def test_of_two_rows_that_came_together_the_last_one_wins(world: World, occurred: Any) -> None:
    rows = [
        stories.row(BY_EMAIL, number=number, email=f"{number}@x.ua", token="T") for number in (1, 2)
    ]
    for row in rows:
        row.occurred = occurred
    first, second = world.batch(rows, at=START)
    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert second.moved == [("mobile_token", "T", first.id)]
    assert world.owners("token", "T") == [second.id]


# D13: absorbing.


def test_a_row_absorbs_and_says_whom(world: World) -> None:
    token = world.post(token="T").id
    phone = world.post(phone="380501").id
    card = world.post(x="A").id
    row = world.row(BY_X, x="A", phone="380501", token="T")
    assert (row.id, row.absorbed) == (card, [token, phone])
    assert {world.status(token), world.status(phone)} == {"merged"}
    assert world.has(card) == {"A", "380501", "T"}


def test_a_new_contact_absorbs_too(world: World) -> None:
    loose = world.post(token="T").id
    row = world.row(BY_EMAIL, x="A", email="a@x.ua", token="T")
    assert (row.came_to, row.outcome.new, row.absorbed) == ("created", True, [loose])


@pytest.mark.parametrize(
    ("other", "settings"),
    [
        ({"email": "b@x.ua", "token": "T"}, Settings()),
        ({"token": "T", "first": "Bob"}, Settings()),
        ({"token": "T"}, Settings(absorb="never")),
    ],
    ids=["has another e-mail", "has another name", "setting"],
)
def test_who_says_something_else_is_not_absorbed(other: dict[str, str], settings: Settings) -> None:
    world = World(settings)
    loose = world.post(**other).id
    row = world.row(BY_X, x="A", email="a@x.ua", token="T", first="Ann")
    assert (row.absorbed, world.status(loose)) == ([], "live")


def test_a_restored_contact_absorbs_with_its_own_identifiers(world: World) -> None:
    """D13: for restore."""
    gone = world.post(x="A", email="a@x.ua").id
    world.remove(gone)
    loose = world.post(email="a@x.ua").id
    row = world.row(rules("externalCustomerId", restores=True), x="A")
    assert (row.id, row.came_to, row.absorbed) == (gone, "restored", [loose])


# D17: what is replaced.


def test_the_matched_field_stays_and_the_others_are_replaced(world: World) -> None:
    card = world.post(email="a@x.ua", phone="380501", first="Ann", fields={"7": "v"}).id
    row = world.row(
        BY_EMAIL, email="a@x.ua", phone="380502", first="Bob", town="Lviv", fields={"8": "w"}
    )
    stored = world.card(card)
    assert (row.id, stored.email, stored.phone) == (card, "a@x.ua", "380502")
    assert (stored.first_name, stored.town, stored.fields) == ("Bob", "Lviv", {"7": "v", "8": "w"})
    assert world.owners("phone", "380501") == []


def test_matched_by_external_id_the_unique_field_is_replaced_too(world: World) -> None:
    """D17: only a row matched *by* the dedupe field leaves it alone."""
    card = world.post(x="A", email="a@x.ua", fields={"7": "v"}).id
    world.row(BY_EMAIL, x="A", email="b@x.ua")
    world.row(rules("fieldId", 7), x="A", fields={"7": "w"})
    assert (world.card(card).email, world.card(card).fields) == ("b@x.ua", {"7": "w"})


def test_tokens_are_added(world: World) -> None:
    card = world.post(x="A", token="T").id
    world.row(rules("push"), token=("T", "U"))
    assert world.has(card) == {"A", "T", "U"}


def test_absent_leaves_what_is_there(world: World) -> None:
    """D16, and a second time is `unchanged`."""
    card = world.post(x="A", email="a@x.ua", first="Ann", fields={"7": "v"}).id
    before = world.card(card)
    row = world.row(BY_X, x="A")
    assert (row.came_to, world.card(card), world.written) == ("unchanged", before, set())


ONLY_FINDS = [
    ("email", {"email": "a@x.ua"}, "email"),
    ("sms", {"phone": "380501"}, "phone"),
    ("push", {"token": "T"}, "token"),
]


@pytest.mark.parametrize(("word", "said", "name"), ONLY_FINDS, ids=[one[0] for one in ONLY_FINDS])
def test_a_unique_field_that_only_finds_is_written_on_new_contacts_only(
    world: World, word: str, said: dict[str, str], name: str
) -> None:
    """Wire 3.9: the call lists other fields."""
    by = rules(word, only_find=(name,))
    known = world.post(x="A").id
    row = world.row(by, x="A", first="Ann", **said)
    assert (row.id, row.came_to, world.has(known)) == (known, "updated", {"A"})
    new = world.row(by, x="B", **said)
    assert world.has(new.id) == {"B", *said.values()}
    assert world.row(by, first="Bob", **said).id == new.id


# D16: clearing.

FULL = {"email": "a@x.ua", "phone": "380501", "first": "Ann", "town": "Lviv", "fields": {"7": "v"}}


def test_a_phone_is_cleaned_up(world: World) -> None:
    """Wire 3.9: dedupeOn email, contactFields ["sms"], a contact with only an e-mail."""
    card = world.post(x="A", **FULL).id
    row = world.row(rules("email", only_find=("email",)), email="a@x.ua", clear="sms")
    stored = world.card(card)
    assert (row.id, row.came_to, row.warnings) == (card, "updated", [])
    assert (stored.phone, stored.email, stored.first_name) == (None, "a@x.ua", "Ann")
    assert world.owners("phone", "380501") == []
    assert (world.history[-1].action, world.history[-1].rule) == ("dropped", "cleared")
    again = world.row(rules("email", only_find=("email",)), email="a@x.ua", clear="sms")
    assert again.came_to == "unchanged"


@pytest.mark.parametrize(
    ("names", "left"),
    [
        ("firstName,town", {"first_name": None, "town": None, "phone": "380501"}),
        ("fields.7", {"fields": {}, "first_name": "Ann"}),
        ("email", {"email": None, "phone": "380501"}),
        ("lastName,fields.9", {"first_name": "Ann", "fields": {"7": "v"}}),
    ],
)
def test_what_is_listed_without_data_is_emptied(
    world: World, names: str, left: dict[str, Any]
) -> None:
    card = world.post(x="A", **FULL).id
    row = world.row(BY_X, x="A", clear=names)
    stored = msgspec.structs.asdict(world.card(card))
    assert {name: stored[name] for name in left} == left
    assert row.came_to == ("unchanged" if names.startswith("last") else "updated")
    assert stored["external_id"] == "A"


def test_tokens_are_emptied_by_kind(world: World) -> None:
    card = world.post(x="A", token=("T", "U"), web="W").id
    world.row(BY_X, x="A", clear="mobilepush")
    assert world.has(card) == {"A", "W"}


def test_clearing_the_last_identifier_is_allowed_and_said(world: World) -> None:
    card = world.post(email="a@x.ua").id
    row = world.row(rules("id"), contact_id=card, clear="email")
    assert (row.id, row.came_to, row.warnings) == (card, "updated", ["no_identifier_left"])
    assert world.has(card) == set()
    other = world.post(x="A", email="a@x.ua").id
    assert world.row(rules("id"), contact_id=other, clear="email").warnings == []


def test_a_restored_contact_loses_it_too(world: World) -> None:
    card = world.post(x="A", **FULL).id
    world.remove(card)
    row = world.row(rules("externalCustomerId", restores=True), x="A", clear="sms,town")
    assert row.came_to == "restored"
    assert (world.card(card).phone, world.card(card).town) == (None, None)


def test_a_skipped_row_clears_nothing(world: World) -> None:
    card = world.post(x="A", **FULL).id
    world.remove(card)
    world.row(BY_X, x="A", clear="sms,town")
    assert (world.card(card).phone, world.card(card).town) == ("380501", "Lviv")


def test_what_a_new_contact_inherits_is_listed_as_well(world: World) -> None:
    """Else the next import of the same row would clear it."""
    world.post(token="T", town="Lviv", fields={"7": "v"})
    row = world.row(BY_EMAIL, x="A", email="a@x.ua", token="T", clear="town,fields.7")
    assert (row.came_to, len(row.absorbed)) == ("created", 1)
    assert (world.card(row.id).town, world.card(row.id).fields) == (None, {})


# D29: erased people.


def erased(world: World, **said: Any) -> int:
    card = world.post(**said).id
    world.erase(card)
    return card


@pytest.mark.parametrize(
    ("by", "said"),
    [
        (BY_X, {"x": "A"}),
        (BY_EMAIL, {"x": "A", "email": "new@x.ua"}),
        (BY_EMAIL, {"email": "a@x.ua"}),
        (rules("sms"), {"phone": "380501"}),
        (rules("sms"), {"phone": "380509", "email": "a@x.ua"}),
        (rules("push"), {"token": "new", "email": "a@x.ua"}),
        (rules("fieldId", 7), {"fields": {"7": "new"}, "phone": "380501"}),
    ],
    ids=lambda one: "" if isinstance(one, RowRules) else " ".join(sorted(one)),
)
@pytest.mark.parametrize("restores", [True, False])
def test_a_row_about_an_erased_person_is_suppressed(
    world: World, by: RowRules, said: dict[str, Any], restores: bool
) -> None:
    erased(world, x="A", email="a@x.ua", phone="380501")
    before = (dict(world.cards), dict(world.rows), list(world.history), dict(world.suppressions))
    row = world.row(msgspec.structs.replace(by, restores=restores, groups=("News",)), **said)
    assert (row.came_to, row.resolution.contact_id) == ("suppressed", None)
    assert (world.cards, world.rows, world.history, world.suppressions) == before
    assert world.lists.get("News", set()) == set()


def test_a_live_contact_with_the_address_is_somebody_else(world: World) -> None:
    """D29: without External ID, if no live contact holds it."""
    erased(world, x="A", email="a@x.ua")
    other = world.row(BY_X, x="B", email="a@x.ua").id  # which lifts nothing
    assert world.row(BY_EMAIL, email="a@x.ua", first="Bob").id == other
    world.remove(other)
    world.erase(other)
    assert world.row(BY_EMAIL, email="a@x.ua").came_to == "suppressed"


def test_a_removed_contact_with_the_address_does_not_count(world: World) -> None:
    erased(world, x="A", email="a@x.ua")
    row = world.row(BY_X, x="B", email="a@x.ua")
    world.remove(row.id)
    assert world.row(rules("email", restores=True), email="a@x.ua").came_to == "suppressed"


def test_another_external_id_is_another_person(world: World) -> None:
    """D29: the External ID decides; but what the address refused, it still refuses (D10)."""
    world.unsubscribe("a@x.ua")
    erased(world, x="A", email="a@x.ua")
    row = world.row(BY_EMAIL, x="B", email="a@x.ua")
    assert (row.came_to, world.consent(row.id)) == ("created", {"email": "unsubscribed"})


def test_a_row_never_lifts(world: World) -> None:
    """D29: POST contact and subscribe lift; a row does not, even where it is carried out."""
    erased(world, x="A", email="a@x.ua")
    row = world.row(BY_EMAIL, x="B", email="a@x.ua")
    world.erase(row.id)
    assert world.row(BY_EMAIL, email="a@x.ua").came_to == "suppressed"
    assert world.row(BY_X, x="A").came_to == "suppressed"
    again = world.post(x="A", email="a@x.ua").id
    assert world.row(BY_X, x="A", first="Ann").id == again


# Lists and the event.


@pytest.mark.parametrize("new", [True, False], ids=["new", "known"])
def test_contacts_join_and_leave_lists(world: World, new: bool) -> None:
    if not new:
        world.subscribe(x="A", groups=("Trial", "Kept"))
    row = world.row(rules("externalCustomerId", groups=("News",), exclude=("Trial",)), x="A")
    assert world.lists_of(row.id) == ({"News"} if new else {"News", "Kept"})
    assert row.id in world.written  # who waits for the card's lock must see that it changed


def test_skipped_contacts_join_nothing(world: World) -> None:
    card = world.subscribe(x="A", groups=("Trial",)).id
    world.remove(card)
    world.row(rules("externalCustomerId", groups=("News",), exclude=("Trial",)), x="A")
    assert world.lists_of(card) == {"Trial"}


WELCOME = rules("email", event="welcome")


@pytest.mark.parametrize(
    ("said", "key_value", "params"),
    [
        (
            {"email": "a@x.ua", "phone": "380501"},
            "a@x.ua",
            {"EmailAddress": "a@x.ua", "SMS": "380501"},
        ),
        ({"x": "A", "phone": "380501"}, "380501", {"EmailAddress": "", "SMS": "380501"}),
        ({"x": "A"}, "", {"EmailAddress": "", "SMS": ""}),
    ],
    ids=["email", "phone", "neither"],
)
def test_a_new_contact_gets_its_event(
    world: World, said: dict[str, str], key_value: str, params: dict[str, str]
) -> None:
    """Wire 3.9: key is the e-mail, otherwise the phone; empty strings for what is not there."""
    row = world.row(WELCOME, **said)
    assert world.events == [(row.id, "welcome", {"contactId": row.id, **params})]
    assert world.event_keys == [key_value]


def test_whoever_absorbs_others_is_new_all_the_same(world: World) -> None:
    """The contact is; the statement calls the row `merged`."""
    world.post(token="T")
    row = world.row(WELCOME, x="C", email="b@x.ua", token="T")
    assert len(row.absorbed) == 1
    assert [one[:2] for one in world.events] == [(row.id, "welcome")]


def test_no_event_for_known_restored_skipped_and_suppressed(world: World) -> None:
    world.post(x="A", email="a@x.ua")
    world.row(WELCOME, email="a@x.ua", first="Ann")
    gone = world.post(x="B").id
    world.remove(gone)
    world.row(WELCOME, x="B")
    assert world.row(msgspec.structs.replace(WELCOME, restores=True), x="B").came_to == "restored"
    erased(world, x="C")
    world.row(WELCOME, x="C")
    assert world.events == []


def test_without_its_key_there_is_no_event(world: World) -> None:
    world.row(BY_EMAIL, email="a@x.ua")
    assert world.events == []


# The card.


def test_a_new_contact_says_where_it_is_from(world: World) -> None:
    """D20, wire 3.1: a new e-mail is confirmed."""
    row = world.row(BY_EMAIL, email="a@x.ua")
    card = world.card(row.id)
    assert (card.source, world.consent(row.id)) == ("IMPORT", {"email": "subscribed"})
    assert world.history[-1].method == "addContacts"


def test_an_address_keeps_its_own_refusals(world: World) -> None:
    """D10: a new contact with it inherits them."""
    world.unsubscribe("a@x.ua")
    row = world.row(BY_EMAIL, email="a@x.ua")
    assert world.consent(row.id) == {"email": "unsubscribed"}


def test_notices_of_the_reader_are_told(world: World) -> None:
    row = stories.row(BY_EMAIL, email="a@x.ua")
    notice = Notice("invalid_phone", "is no phone", "sms")
    row.contact = msgspec.structs.replace(row.contact, warnings=(notice,))
    assert world.send(row).warnings == ["invalid_phone"]
