"""Whose card a row is about: wire 3.9's decision list, D7–D10a and G13 for every unique field."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kartoteka.errors import NoIdentifier
from kartoteka.identity.kinds import Region
from kartoteka.identity.model import Settings
from kartoteka.identity.never import parse_never_identifiers
from tests.rules import stories
from tests.rules.stories import rules
from tests.rules.world import Answer, World

BY_EMAIL, BY_PHONE = rules("email"), rules("sms")
BY_EITHER, BY_ID, BY_FIELD = rules("email_or_sms"), rules("id"), rules("fieldId", 7)
BY_X = rules("externalCustomerId")
SHARED = [("email", {"email": "a@x.ua"}, BY_EMAIL), ("phone", {"phone": "380501"}, BY_PHONE)]
shared = pytest.mark.parametrize(("kind", "value", "by"), SHARED, ids=["email", "phone"])


# Wire 3.9, the decision list.


@shared
def test_1_an_unknown_external_id_joins_who_has_the_value(
    world: World, kind: str, value: dict[str, str], by: Any
) -> None:
    card = world.post(**value).id
    row = world.row(by, x="A", first="Ann", **value)
    assert (row.id, row.came_to, row.rule) == (card, "updated", "external_id_joins_" + kind)
    assert row.resolution.matched_by == kind
    assert (world.card(card).external_id, world.card(card).first_name) == ("A", "Ann")


@shared
@pytest.mark.parametrize("newest", [0, 1, 2])
def test_2_of_several_the_most_recently_updated(
    world: World, kind: str, value: dict[str, str], by: Any, newest: int
) -> None:
    """D10: among those without an External ID; contacts with one come first, as here all have."""
    cards = [world.post(x=x, **value).id for x in "ABC"]
    world.put(cards[newest], town="Lviv")
    row = world.row(by, last="Koval", **value)
    assert (row.id, row.rule) == (cards[newest], "found_by_" + kind)


def test_2_external_id_first_then_recent_then_the_smaller_id(world: World) -> None:
    """D10's order. Their names keep the contacts apart (D13)."""
    known = world.post(x="A", email="a@x.ua", first="Ann").id
    loose = [world.post(x=x, email="a@x.ua", first=x * 3).id for x in "BC"]
    for card in loose:
        world.put(card, clear="externalCustomerId")
    assert world.row(BY_EMAIL, email="a@x.ua").id == known
    world.remove(known)
    assert world.row(BY_EMAIL, email="a@x.ua").id == loose[1]
    for card in loose:
        stored = world.card(card)
        stored.updated_at = world.now
        world.cards[card] = msgspec.structs.astuple(stored)
    assert world.row(BY_EMAIL, email="a@x.ua").id == loose[0]


@shared
def test_3_of_two_the_one_without_an_external_id_gets_it(
    world: World, kind: str, value: dict[str, str], by: Any
) -> None:
    world.post(x="A", **value)
    loose = world.post(x="B", **value).id
    world.put(loose, clear="externalCustomerId")
    row = world.row(by, x="C", **value)
    assert (row.id, world.card(loose).external_id) == (loose, "C")


@shared
@pytest.mark.parametrize("holders", ["A", "AB"], ids=["one", "two"])
def test_4_another_external_id_is_never_taken_over(
    world: World, kind: str, value: dict[str, str], by: Any, holders: str
) -> None:
    cards = [world.post(x=x, **value).id for x in holders]
    row = world.row(by, x="C", **value)
    assert (row.came_to, row.rule, row.outcome.new) == ("created", "new_external_id", True)
    (said,) = value.values()
    assert world.owners(kind, said) == [*cards, row.id]
    assert [world.card(card).external_id for card in cards] == list(holders)


@pytest.mark.parametrize(
    ("by", "said"),
    [
        (BY_EMAIL, {"x": "A", "email": "other@x.ua"}),
        (BY_X, {"x": "A"}),
        (rules("email", changes_id=True), {"x": "A", "email": "a@x.ua"}),
    ],
    ids=["email", "external id", "though it may change external ids"],
)
def test_5_a_removed_contact_stays_removed_unless_asked_for(
    world: World, by: Any, said: dict[str, str]
) -> None:
    card = world.post(x="A", email="a@x.ua").id
    world.remove(card)
    before = (dict(world.cards), dict(world.rows), list(world.history))
    row = world.row(by, first="Ann", **said)
    assert (row.id, row.came_to, row.rule) == (card, "skipped", "removed_stays_removed")
    assert (world.cards, world.rows, world.history) == before
    row = world.row(msgspec.structs.replace(by, restores=True), first="Ann", **said)
    assert (row.id, row.came_to, row.rule) == (card, "restored", "restored_by_external_id")
    assert (world.status(card), world.card(card).first_name) == ("live", "Ann")


# Restoring without External ID: D10.


@pytest.mark.parametrize(
    ("by", "said", "rule"),
    [
        (BY_EMAIL, {"email": "a@x.ua"}, "restored_by_email"),
        (BY_PHONE, {"phone": "380501", "email": "a@x.ua"}, "restored_by_phone"),
        (rules("push"), {"token": "T"}, "restored_by_mobile_token"),
        (BY_FIELD, {"fields": {"7": "v"}}, "restored_by_custom_field"),
        (rules("contactKey"), {"contact_key": "k"}, "restored_by_contact_key"),
        (BY_ID, {"contact_id": 1}, "restored_by_contact_id"),
    ],
    ids=["email", "phone", "token", "field", "contact key", "id"],
)
def test_a_removed_contact_found_otherwise_follows_restore_deleted(
    world: World, by: Any, said: dict[str, Any], rule: str
) -> None:
    card = world.post(
        email="a@x.ua", phone="380501", token="T", fields={"7": "v"}, contact_key="k"
    ).id
    world.remove(card)
    row = world.row(by, **said)
    assert (row.id, row.came_to) == (card, "skipped")
    assert world.status(card) == "removed"
    row = world.row(msgspec.structs.replace(by, restores=True), **said)
    assert (row.id, row.came_to, row.rule) == (card, "restored", rule)


@pytest.mark.parametrize(
    ("by", "said"),
    [
        (BY_EMAIL, {"email": "a@x.ua"}),
        (BY_FIELD, {"fields": {"7": "v"}, "email": "b@x.ua"}),
        (rules("contactKey"), {"contact_key": "k", "email": "b@x.ua"}),
    ],
    ids=["email", "field", "contact key"],
)
@pytest.mark.parametrize("restores", [True, False])
def test_a_removed_contact_with_an_external_id_comes_back_by_it_only(
    world: World, by: Any, said: dict[str, Any], restores: bool
) -> None:
    """D10: a removed one *without* External ID."""
    gone = world.post(x="A", email="a@x.ua", fields={"7": "v"}, contact_key="k").id
    world.remove(gone)
    row = world.row(msgspec.structs.replace(by, restores=restores), **said)
    assert (row.came_to, row.rule) == ("created", "new_contact")
    assert world.status(gone) == "removed"


def test_an_unknown_external_id_does_not_wake_the_removed(world: World) -> None:
    """D9: among *live* contacts."""
    gone = world.post(email="a@x.ua").id
    world.remove(gone)
    row = world.row(rules("email", restores=True), x="A", email="a@x.ua")
    assert (row.came_to, world.status(gone)) == ("created", "removed")


# G13: any field is the unique one.

KNOWN = {
    "email": "a@x.ua",
    "phone": "380501",
    "token": "T",
    "web": "W",
    "telegram": "G",
    "device": "D",
    "cookie": "C",
}
UNIQUE = [
    ("email", {"email": "a@x.ua"}, "email"),
    ("sms", {"phone": "380501", "email": "a@x.ua"}, "phone"),
    ("email_or_sms", {"phone": "380501", "email": "a@x.ua"}, "phone"),
    ("email_or_sms", {"email": "a@x.ua"}, "email"),
    ("push", {"token": "T"}, "mobile_token"),
    ("webpush", {"web": "W"}, "web_token"),
    ("telegram", {"telegram": "G"}, "telegram_token"),
    ("deviceId", {"device": "D"}, "device"),
    ("webId", {"cookie": "C"}, "web_cookie"),
    ("id", {"contact_id": 1}, "contact_id"),
    ("contactKey", {"contact_key": "k"}, "contact_key"),
    ("fieldId", {"fields": {"7": "v"}}, "custom_field"),
]
unique = pytest.mark.parametrize(
    ("word", "said", "matched_by"), UNIQUE, ids=[f"{one[0]} by {one[2]}" for one in UNIQUE]
)


def by(word: str, **more: Any) -> Any:
    return rules(word, 7 if word == "fieldId" else None, **more)


def somebody(world: World, **more: Any) -> int:
    return world.post(contact_key="k", fields={"7": "v"}, **KNOWN, **more).id


@unique
def test_the_unique_field_finds(
    world: World, word: str, said: dict[str, Any], matched_by: str
) -> None:
    card = somebody(world)
    row = world.row(by(word), first="Ann", **said)
    assert (row.id, row.came_to, row.resolution.matched_by) == (card, "updated", matched_by)
    assert world.card(card).first_name == "Ann"
    assert world.live() == [card]


@unique
def test_and_an_unknown_external_id_joins_it(
    world: World, word: str, said: dict[str, Any], matched_by: str
) -> None:
    card = somebody(world)
    row = world.row(by(word), x="A", **said)
    assert (row.id, row.resolution.matched_by) == (card, matched_by)
    assert world.card(card).external_id == "A"
    assert ("external_id_set", row.rule) in [(one.action, one.rule) for one in world.history]


@unique
def test_but_not_one_with_another_external_id(
    world: World, word: str, said: dict[str, Any], matched_by: str
) -> None:
    """D9: not even where the id or a field names it."""
    card = somebody(world, x="A")
    row = world.row(by(word), x="B", **said)
    assert (row.came_to, row.rule) == ("created", "new_external_id")
    assert (world.card(card).external_id, world.card(row.id).external_id) == ("A", "B")


@unique
def test_the_external_id_goes_before_the_unique_field(
    world: World, word: str, said: dict[str, Any], matched_by: str
) -> None:
    """D8: an External ID decides, always."""
    somebody(world)
    owner = world.post(x="A").id
    row = world.row(by(word), x="A", **said)
    assert (row.id, row.rule, row.resolution.matched_by) == (owner, "external_id", "external_id")


@unique
def test_a_row_without_the_value_is_found_by_its_external_id(
    world: World, word: str, said: dict[str, Any], matched_by: str
) -> None:
    owner = world.post(x="A").id
    assert world.row(by(word), x="A", first="Ann").id == owner
    assert world.row(by(word), x="B").came_to == "created"


@unique
def test_no_value_and_no_external_id_names_nobody(
    world: World, word: str, said: dict[str, Any], matched_by: str
) -> None:
    """D18: whatever else the row has is not what it is found by."""
    somebody(world)
    more = {"phone": "380501"} if word in ("email", "id") else {"email": "a@x.ua"}
    if word == "email_or_sms":
        more = {"token": "T"}
    before = dict(world.cards)
    with pytest.raises(NoIdentifier):
        world.row(by(word), first="Ann", **more)
    assert world.cards == before


@unique
def test_the_same_row_twice_is_unchanged(
    world: World, word: str, said: dict[str, Any], matched_by: str
) -> None:
    more = {"email": "a@x.ua"} if word != "id" else {}
    if word == "id":
        somebody(world)
    first = world.row(by(word, event="welcome"), first="Ann", **{**more, **said})
    history, cards, events = list(world.history), dict(world.cards), list(world.events)
    again = world.row(by(word, event="welcome"), first="Ann", **{**more, **said})
    assert (again.id, again.came_to) == (first.id, "unchanged")
    assert (world.history, world.cards, world.events) == (history, cards, events)


def test_the_external_id_as_unique_field_goes_on_as_post_contact_does(world: World) -> None:
    """D7: with an unknown ID."""
    card = world.post(token="T").id
    row = world.row(BY_X, x="A", token="T", email="a@x.ua")
    assert (row.id, row.rule) == (card, "external_id_joins_mobile_token")


def test_only_the_unique_field_is_searched(world: World) -> None:
    """D7: External ID, then the dedupeOn field; the phone's contact is another for this call."""
    by_phone = world.post(phone="380501", first="Ann").id
    row = world.row(BY_EMAIL, email="a@x.ua", phone="380501", first="Bob")
    assert (row.came_to, world.card(by_phone).email) == ("created", None)


def test_email_or_sms_compares_the_phone_first(world: World) -> None:
    """Wire 4.2."""
    by_email = world.post(email="a@x.ua", x="A").id
    by_phone = world.post(phone="380501", x="B").id
    row = world.row(BY_EITHER, phone="380501", email="a@x.ua")
    assert (row.id, row.rule) == (by_phone, "found_by_phone")
    assert world.card(by_phone).email == "a@x.ua"
    world.put(by_phone, email="b@x.ua")
    assert world.row(BY_EITHER, phone="380502", email="a@x.ua").rule == "found_by_email"
    assert world.card(by_email).phone == "380502"


# By contact id.


def test_a_retired_id_is_followed(world: World) -> None:
    """D14: through any chain."""
    first = world.post(token="T1").id
    second = world.post(token="T2").id
    world.put(second, token="T1")
    survivor = world.post(x="A").id
    world.post(x="A", token=("T1", "T2"))
    for retired in (first, second):
        assert world.row(BY_ID, contact_id=retired, first=f"N{retired}").id == survivor


@pytest.mark.parametrize("which", ["unknown", "erased"])
def test_an_id_that_nobody_has_names_nobody(world: World, which: str) -> None:
    """D8: as if absent; an id is never made from a row."""
    gone = world.post(x="A").id
    world.erase(gone)
    asked = gone if which == "erased" else 99
    with pytest.raises(NoIdentifier):
        world.row(BY_ID, contact_id=asked, email="a@x.ua")
    row = world.row(BY_ID, contact_id=asked, x="B")
    assert (row.came_to, row.rule) == ("created", "new_external_id")


def test_the_external_id_of_another_outranks_the_contact_id(world: World) -> None:
    """D7, D8: bulk looks the External ID up first."""
    named, owner = world.post(x="A").id, world.post(x="B").id
    row = world.row(rules("id", changes_id=True), contact_id=named, x="B", first="Bob")
    assert (row.id, world.card(named).external_id) == (owner, "A")


def test_the_id_of_a_removed_contact_changes_no_external_id(world: World) -> None:
    """D9: exactly one *live* contact."""
    gone = world.post(x="A").id
    world.remove(gone)
    row = world.row(rules("id", changes_id=True, restores=True), contact_id=gone, x="B")
    assert (row.came_to, world.status(gone)) == ("created", "removed")
    assert world.card(gone).external_id == "A"


# By contact key and custom fields.

FIELDS = [
    (BY_FIELD, {"fields": {"7": "v"}}),
    (rules("contactKey"), {"contact_key": "k"}),
]
fields = pytest.mark.parametrize(("by", "said"), FIELDS, ids=["field", "contact key"])


@fields
def test_of_several_with_a_value_d10s_order_decides(
    world: World, by: Any, said: dict[str, Any]
) -> None:
    """D10: External ID first, then the most recently updated, then the smaller id."""
    known = world.post(x="A", **said).id
    loose = [world.post(email=f"{name}@x.ua", **said).id for name in "ab"]
    assert world.row(by, first="Ann", **said).id == known
    assert world.row(by, x="B", **said).id == loose[1]  # D9: among those without
    assert world.row(by, x="C", **said).id == loose[0]
    assert world.row(by, last="Bo", **said).id == loose[0]


@fields
def test_an_unknown_external_id_does_not_wake_the_removed_holder(
    world: World, by: Any, said: dict[str, Any]
) -> None:
    """D9: among *live* contacts."""
    gone = world.post(email="a@x.ua", **said).id
    world.remove(gone)
    row = world.row(msgspec.structs.replace(by, restores=True), x="A", **said)
    assert (row.came_to, world.status(gone)) == ("created", "removed")


@fields
def test_two_rows_of_one_batch_with_a_new_value_are_one_contact(
    world: World, by: Any, said: dict[str, Any]
) -> None:
    rows = [
        stories.row(by, number=1, email="a@x.ua", first="Ann", **said),
        stories.row(by, number=2, email="a@x.ua", first="Bob", **said),
        stories.row(by, number=3, first="Cat", **said),
    ]
    answers = world.batch(rows)
    assert [getattr(one, "came_to", one) for one in answers] == ["created", "updated", "updated"]
    (card,) = world.live()
    assert world.card(card).first_name == "Cat"


def test_a_value_that_a_row_before_took_away_finds_nobody(world: World) -> None:
    """In one batch as one by one: the card is looked at as it stands now."""
    card = world.post(x="A", fields={"7": "v"}, email="a@x.ua").id
    rows = [
        stories.row(BY_FIELD, number=1, x="A", fields={"7": "w"}),
        stories.row(BY_FIELD, number=2, fields={"7": "v"}, email="b@x.ua"),
        stories.row(BY_FIELD, number=3, fields={"7": "w"}, first="Ann"),
    ]
    updated, created, found = world.batch(rows)
    assert isinstance(updated, Answer)
    assert isinstance(created, Answer)
    assert isinstance(found, Answer)
    assert (updated.id, created.came_to, found.id) == (card, "created", card)


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "one by one"])
def test_a_value_is_found_on_the_card_that_absorbed_its_holder(
    world: World, together: bool
) -> None:
    world.post(token="T", fields={"7": "v"})
    survivor = world.post(x="A").id
    rows = [
        stories.row(BY_FIELD, number=1, x="A", token="T"),
        stories.row(BY_FIELD, number=2, fields={"7": "v"}, first="Ann"),
    ]
    answers = world.batch(rows) if together else [world.send(row) for row in rows]
    assert [one.id for one in answers if isinstance(one, Answer)] == [survivor, survivor]


def test_another_field_with_the_same_text_is_not_it(world: World) -> None:
    world.post(email="a@x.ua", fields={"8": "v"}, contact_key="v")
    row = world.row(BY_FIELD, fields={"7": "v"}, email="b@x.ua")
    assert row.came_to == "created"


def test_a_field_that_finds_nobody_creates_only_with_an_identifier(world: World) -> None:
    with pytest.raises(NoIdentifier):
        world.row(BY_FIELD, fields={"7": "v"}, first="Ann")
    with pytest.raises(NoIdentifier):
        world.row(BY_FIELD, fields={"7": "v"}, cookie="C")
    assert world.cards == {}


@pytest.mark.parametrize("cookies", ["C", ("C", "D")], ids=["one", "two"])
def test_a_cookie_alone_never_creates(world: World, cookies: Any) -> None:
    """D10, G5.2."""
    with pytest.raises(NoIdentifier):
        world.row(rules("webId"), cookie=cookies, first="Ann")
    assert world.row(rules("webId"), cookie=cookies, email="a@x.ua").came_to == "created"


@pytest.mark.parametrize(
    ("word", "said"),
    [("push", "token"), ("webpush", "web"), ("telegram", "telegram"), ("deviceId", "device")],
)
def test_a_token_or_device_alone_does(world: World, word: str, said: str) -> None:
    """D10."""
    row = world.row(rules(word), **{said: "T"})
    assert (row.came_to, world.card(row.id).source) == ("created", "IMPORT")


# D6: values that find nobody.


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("email", {"email": "guest@shop.example", "phone": "380509"}),
        ("sms", {"phone": "380501112233", "email": "a@x.ua"}),
        ("email_or_sms", {"email": "guest@shop.example", "phone": "380501112233", "token": "T"}),
    ],
)
def test_a_never_identifier_names_nobody(word: str, said: dict[str, str]) -> None:
    """Else every import of the row would make a contact and absorb the one of the import before."""
    never = parse_never_identifiers(["guest@shop.example", "+380501112233"], Region("UA"))
    world = World(Settings(never=never))
    with pytest.raises(NoIdentifier):
        world.row(rules(word), **said)
    row = world.row(rules(word), x="A", **said)
    assert (row.came_to, world.row(rules(word), x="A", **said).came_to) == ("created", "unchanged")


def test_a_quarantined_token_names_nobody(world: World) -> None:
    """D6: more than fifty External IDs have sent it."""
    for number in range(52):
        world.post(x=f"X{number}", token="T")
    assert world.owners("token", "T") == [0]
    with pytest.raises(NoIdentifier):
        world.row(rules("push"), token="T", email="a@x.ua")
    assert world.row(rules("push"), token=("T", "U"), email="a@x.ua").came_to == "created"


# D10a: shared devices and phones.


def test_by_phone_a_card_with_another_email_is_another_person(world: World) -> None:
    card = world.post(phone="380501", email="a@x.ua").id
    row = world.row(BY_PHONE, phone="380501", email="b@x.ua")
    alone = world.row(BY_PHONE, phone="380501")
    assert (row.came_to, alone.came_to) == ("created", "created")
    assert alone.id not in (card, row.id)
    assert world.card(card).email == "a@x.ua"


def test_by_phone_a_new_external_id_needs_names_that_agree(world: World) -> None:
    card = world.post(phone="380501", first="Ann").id
    assert world.row(BY_PHONE, phone="380501", x="B", first="Bob").came_to == "created"
    assert world.row(BY_PHONE, phone="380501", x="A", first="ANN").id == card


def test_by_phone_where_phones_are_personal(world: World) -> None:
    """Setting `phone_is_personal`: taken if it has no External ID."""
    world = World(Settings(phone_is_personal=True))
    card = world.post(phone="380501", email="a@x.ua", first="Ann").id
    row = world.row(BY_PHONE, phone="380501", email="b@x.ua", first="Bob")
    assert (row.id, world.card(card).email) == (card, "b@x.ua")


@pytest.mark.parametrize(
    ("word", "said"),
    [("push", {"token": "T"}), ("deviceId", {"device": "T"}), ("webId", {"cookie": "T"})],
)
def test_by_a_shared_device_nobody_gets_a_strangers_card(
    world: World, word: str, said: dict[str, str]
) -> None:
    owner = world.post(x="A", email="a@x.ua", **said).id
    row = world.row(rules(word), email="b@x.ua", **said)
    assert (row.came_to, world.card(owner).email) == ("created", "a@x.ua")
    assert world.row(rules(word), email="b@x.ua", **said).came_to == "unchanged"


def test_by_email_no_more_evidence_is_needed(world: World) -> None:
    """D10a speaks of changeable identifiers and of phones."""
    card = world.post(email="a@x.ua", phone="380501", first="Ann").id
    row = world.row(BY_EMAIL, x="A", email="a@x.ua", phone="380502", first="Bob")
    assert (row.id, world.card(card).phone) == (card, "380502")


# D9's exception: the row may change External IDs.

CHANGES = [(word, said, kind) for word, said, kind in UNIQUE if (word, kind) != ("sms", "phone")]
changes = pytest.mark.parametrize(
    ("word", "said", "matched_by"), CHANGES, ids=[f"{one[0]} by {one[2]}" for one in CHANGES]
)


@changes
def test_the_one_live_holder_gets_the_free_external_id(
    world: World, word: str, said: dict[str, Any], matched_by: str
) -> None:
    """D9, D11: the old one is kept as a former ID."""
    card = somebody(world, x="A")
    row = world.row(by(word, changes_id=True), x="B", **said)
    assert (row.id, row.came_to, row.rule) == (card, "updated", "external_id_replaced")
    assert row.resolution.matched_by == matched_by
    stored = world.card(card)
    assert (stored.external_id, stored.former_ids) == ("B", 1)
    assert world.post(x="A").id == card
    again = world.row(by(word, changes_id=True), x="B", **said)
    assert (again.id, again.came_to, again.rule) == (card, "unchanged", "external_id")


@changes
def test_whoever_has_none_just_gets_it(
    world: World, word: str, said: dict[str, Any], matched_by: str
) -> None:
    """D9: nothing is replaced, so the rule is the usual one."""
    card = somebody(world)
    row = world.row(by(word, changes_id=True), x="A", **said)
    assert (row.id, world.card(card).external_id) == (card, "A")
    assert row.rule != "external_id_replaced"


def test_without_former_ids_the_old_one_is_free(world: World) -> None:
    """D11, setting `keep_former_ids`."""
    world = World(Settings(keep_former_ids=False))
    card = world.post(x="A", email="a@x.ua").id
    world.row(rules("email", changes_id=True), x="B", email="a@x.ua")
    assert (world.card(card).external_id, world.owners("x", "A")) == ("B", [])


@pytest.mark.parametrize("kept", ["A", "B"])
def test_of_two_holders_the_usual_rule_decides(world: World, kept: str) -> None:
    """D9: exactly one. The third External ID makes a third contact."""
    cards = {x: world.post(x=x, email="a@x.ua").id for x in "AB"}
    row = world.row(rules("email", changes_id=True), x="C", email="a@x.ua")
    assert (row.came_to, row.rule) == ("created", "new_external_id")
    world.erase(row.id)
    world.put(cards[kept], email="own@x.ua")
    left = next(card for x, card in cards.items() if x != kept)
    row = world.row(rules("email", changes_id=True), x="C2", email="a@x.ua")
    assert (row.id, row.rule) == (left, "external_id_replaced")


def test_a_removed_holder_does_not_count(world: World) -> None:
    """D9: exactly one *live* contact."""
    gone = world.post(x="A", email="a@x.ua").id
    card = world.post(x="B", email="a@x.ua").id
    world.remove(gone)
    row = world.row(rules("email", changes_id=True), x="C", email="a@x.ua")
    assert (row.id, world.card(gone).external_id) == (card, "A")
    world.remove(card)
    assert world.row(rules("email", changes_id=True), x="D", email="a@x.ua").came_to == "created"


@pytest.mark.parametrize("live", [True, False], ids=["live", "removed"])
def test_an_external_id_that_is_not_free_names_its_owner(world: World, live: bool) -> None:
    """D8, D9: whatever the unique value says."""
    holder = world.post(x="A", email="a@x.ua").id
    owner = world.post(x="B").id
    if not live:
        world.remove(owner)
    row = world.row(rules("email", changes_id=True, restores=True), x="B", email="a@x.ua")
    assert (row.id, world.card(holder).external_id) == (owner, "A")
    assert world.card(owner).email == "a@x.ua"


def test_the_contacts_own_former_id_becomes_primary_again(world: World) -> None:
    """D9, D11: as PUT would; without the option it only finds the contact."""
    card = world.post(x="A", email="a@x.ua").id
    world.put(card, x="B")
    assert world.row(BY_EMAIL, x="A", email="a@x.ua").rule == "former_external_id"
    assert world.card(card).external_id == "B"
    row = world.row(rules("email", changes_id=True), x="A", email="a@x.ua")
    assert (row.id, row.rule, world.card(card).external_id) == (card, "external_id_replaced", "A")
    assert world.card(card).former_ids == 1
    assert world.row(rules("email", changes_id=True), x="A", email="a@x.ua").came_to == "unchanged"


def test_a_former_id_becomes_primary_at_once_where_the_value_arrives_with_it(
    world: World,
) -> None:
    """Else the same file would change the contact once more the second time."""
    card = world.post(x="A").id
    world.put(card, x="B")
    row = world.row(rules("email", changes_id=True), x="A", email="new@x.ua")
    assert (row.id, world.card(card).external_id, world.card(card).email) == (
        card,
        "A",
        "new@x.ua",
    )


def test_a_row_without_the_unique_value_leaves_the_primary_id_alone(world: World) -> None:
    """D9: it names nobody by another field, so there is nothing to replace."""
    card = world.post(x="A", email="a@x.ua").id
    world.put(card, x="B")
    row = world.row(rules("email", changes_id=True), x="A")
    assert (row.id, row.rule, world.card(card).external_id) == (card, "former_external_id", "B")


def test_by_either_the_phones_one_holder_counts(world: World) -> None:
    """D9 with D7's order: the e-mail is asked only where nobody has the phone."""
    by_email = world.post(x="A", email="a@x.ua").id
    by_phone = world.post(x="B", phone="380501").id
    row = world.row(rules("email_or_sms", changes_id=True), x="C", phone="380501", email="a@x.ua")
    assert (row.id, row.resolution.matched_by) == (by_phone, "phone")
    row = world.row(rules("email_or_sms", changes_id=True), x="D", phone="380502")
    assert row.came_to == "created"
    assert world.card(by_email).external_id == "A"
