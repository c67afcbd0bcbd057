"""Whose card an app's device is: trusted apps are keyed calls, all others only claim (D7, D12, D36)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from tests.rules import stories
from tests.rules.world import Answer, World


def app(world: World, **said: Any) -> Answer:
    """A call of the SDK: `said` as in stories."""
    return world.send(stories.app(**said))


BOTH = pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])


@BOTH
def test_the_guides_app(world: World, trusted: bool):
    """Guide G4 by the SDK alone: the anonymous contact becomes the registered one."""
    first = app(world, trusted=trusted, device="D", token="T", language_code="uk")
    assert (first.came_to, world.card(first.id).source) == ("created", "MOBILE_SDK")
    assert world.has(first.id) == {"D", "T"}
    registered = app(
        world,
        trusted=trusted,
        device="D",
        x="X",
        email="a@x.ua",
        phone="380501112233",
        first="Alice",
    )
    assert registered.id == first.id
    card = world.card(first.id)
    assert (card.external_id, card.email, card.phone, card.first_name, card.language_code) == (
        *("X", "a@x.ua", "380501112233"),
        *("Alice", "uk"),
    )
    assert card.keyed is trusted
    assert app(world, trusted=trusted, device="D", x="X").came_to == "unchanged"


@BOTH
def test_the_device_and_its_token_go_to_the_user_named_by_the_update(world: World, trusted: bool):
    """Check 21 of wire 14."""
    first = app(world, trusted=trusted, device="D", token="T")
    assert app(world, trusted=trusted, device="D", x="X").id == first.id
    other = world.post(x="X2", email="b@x.ua").id
    moved = app(world, trusted=trusted, device="D", x="X2")
    assert moved.id == other
    assert world.has(other) == {"X2", "b@x.ua", "D", "T"}
    assert world.has(first.id) == {"X"}
    assert world.live() == [first.id, other]


@BOTH
def test_login_absorbs_what_was_only_this_device(world: World, trusted: bool):
    """Wire 7.5: all previous data of the device is matched to the External ID; D13, D36."""
    known = world.post(x="X", email="a@x.ua", first="Alice").id
    anonymous = app(world, trusted=trusted, device="D", token="T", time_zone="Europe/Kyiv").id
    login = app(world, trusted=trusted, device="D", x="X")
    assert (login.id, login.absorbed) == (known, [anonymous])
    assert world.status(anonymous) == "merged"
    assert world.has(known) == {"X", "a@x.ua", "D", "T"}
    assert world.card(known).time_zone == "Europe/Kyiv"


@BOTH
def test_the_servers_token_contact_is_the_apps(world: World, trusted: bool):
    """Guide G4 half by POST contact, half by the SDK: one contact."""
    by_server = world.post(token="T").id
    assert app(world, trusted=trusted, device="D", token="T").id == by_server
    assert app(world, trusted=trusted, device="D", x="X").id == by_server


@BOTH
def test_another_user_whom_nobody_knows_yet_gets_a_contact(world: World, trusted: bool):
    first = app(world, trusted=trusted, device="D", token="T").id
    app(world, trusted=trusted, device="D", x="X")
    second = app(world, trusted=trusted, device="D", x="NEW")
    assert second.came_to == "created"
    assert world.has(second.id) == {"NEW", "D", "T"}
    assert world.has(first) == {"X"}


@BOTH
def test_a_value_that_stands_for_nobody_creates_nobody(world: World, trusted: bool):
    assert app(world, trusted=trusted, first="Alice").came_to == "skipped"
    assert world.cards == {}


@BOTH
def test_an_erased_person_is_not_stored_again(world: World, trusted: bool):
    """Decisions D29: only POST contact, subscribe and a new order lift it."""
    gone = world.post(x="X", email="a@x.ua").id
    world.erase(gone)
    assert app(world, trusted=trusted, device="D", x="X", first="Alice").came_to == "suppressed"
    assert world.live() == []


def test_a_trusted_app_writes_what_it_says(world: World):
    number = world.post(x="X", email="old@x.ua", first="Alice").id
    app(
        world,
        trusted=True,
        device="D",
        x="X",
        email="new@x.ua",
        first="Alicia",
        subscriptions=("news",),
        groups=("App users",),
    )
    card = world.card(number)
    assert (card.email, card.first_name) == ("new@x.ua", "Alicia")
    assert world.lists_of(number) == {"App users"}
    assert world.consent(number)["category:news"] == "subscribed"
    app(
        world,
        trusted=True,
        device="D",
        x="X",
        subscriptions=("sales",),
        groups_exclude=("App users",),
    )
    assert world.consent(number)["category:news"] == "unsubscribed"
    assert world.consent(number)["category:sales"] == "subscribed"
    assert world.lists_of(number) == set()


def test_a_trusted_app_restores_by_external_id_only(world: World):
    """Decisions D8, D10."""
    number = app(world, trusted=True, device="D", x="X").id
    world.remove(number)
    assert app(world, trusted=True, device="D2").came_to == "created"
    assert app(world, trusted=True, device="D", x="X").came_to == "restored"
    anonymous = app(world, trusted=True, device="E").id
    world.remove(anonymous)
    again = app(world, trusted=True, device="E")
    assert (again.came_to, world.status(anonymous)) == ("created", "removed")


# What an untrusted app may not do


def everything(world: World, *contact_ids: int) -> list[Any]:
    """The cards with all that is theirs."""
    return [(world.card(one), world.held(one), world.lists_of(one)) for one in contact_ids]


def test_a_claim_fills_blanks_and_changes_nothing(world: World):
    number = world.post(x="X", first="Alice", email="a@x.ua", fields={"1": "red"}).id
    before = world.card(number)
    claimed = app(
        world,
        device="D",
        x="X",
        email="a@x.ua",
        phone="380501112233",
        first="Mallory",
        last="Archer",
        fields={"1": "blue", "2": "big"},
        subscriptions=("news",),
        groups=("VIP",),
        groups_exclude=("Basic",),
    )
    assert (claimed.id, claimed.rule) == (number, "claim")
    after = world.card(number)
    assert after == msgspec.structs.replace(
        before,
        last_name="Archer",
        fields={"1": "red", "2": "big"},
        updated_at=after.updated_at,
    )
    assert world.lists_of(number) == set()
    assert world.has(number) == {"X", "a@x.ua", "D"}


@pytest.mark.parametrize(
    "said",
    [
        {"x": "ALICE", "email": "bob@x.ua"},
        {"x": "ALICE", "phone": "380501110002"},
        {"email": "alice@x.ua", "phone": "380501110002"},
        {"email": "shared@x.ua"},
    ],
)
def test_a_claim_that_names_several_people_links_nothing(world: World, said: dict[str, str]):
    alice = world.post(x="ALICE", email="alice@x.ua").id
    bob = world.post(x="BOB", email="bob@x.ua", phone="380501110002").id
    carol, dora = (world.post(x=name, email="shared@x.ua").id for name in ("CAROL", "DORA"))
    before = everything(world, alice, bob, carol, dora)
    forged = app(world, device="D", token="T", first="Mallory", **said)
    assert "claim_refused" in forged.warnings
    assert everything(world, alice, bob, carol, dora) == before
    assert world.has(forged.id) == {"D", "T"}
    assert world.card(forged.id).first_name is None


def test_without_an_external_id_email_and_phone_must_agree(world: World):
    number = world.post(email="a@x.ua", phone="380501112233").id
    assert app(world, device="D", email="a@x.ua", phone="380501112233").id == number
    half = app(world, device="E", email="a@x.ua", phone="380509999999")
    assert "claim_waits" in half.warnings
    assert world.has(number) == {"a@x.ua", "380501112233", "D"}


def test_an_address_of_nobody_goes_on_the_apps_own_card(world: World):
    """So that the shop's next call by it finds the person that has the app."""
    first = app(world, device="D", token="T", email="new@x.ua")
    assert first.came_to == "created"
    assert world.post(x="X", email="new@x.ua").id == first.id
    keyed = world.post(device="E").id
    assert "claim_waits" in app(world, device="E", phone="380501112233").warnings
    assert world.card(keyed).phone is None


def test_a_removed_contact_counts_as_nobody(world: World):
    number = world.post(x="X", email="a@x.ua").id
    world.remove(number)
    before = everything(world, number)
    claimed = app(world, device="D", x="X", first="Mallory")
    assert "claim_waits" in claimed.warnings
    assert everything(world, number) == before
    assert [one.external_key for one in world.claims.values()] == ["X"]
    assert world.live() == []


def test_an_external_id_is_set_only_where_nothing_lasting_is(world: World):
    """Beyond claims: on a contact that has none and only changeable identifiers."""
    number = world.post(email="a@x.ua", device="D").id
    before = everything(world, number)
    claimed = app(world, device="D", x="NEW")
    assert "claim_waits" in claimed.warnings
    assert everything(world, number) == before
    assert [one for one in world.owners("x", "NEW") if one > 0] == [], "only the claim waits for it"


def test_no_external_id_is_ever_replaced(world: World):
    number = app(world, device="D", x="X").id
    other = app(world, device="D", x="Y").id
    assert other != number
    assert world.card(number).external_id == "X"
    assert world.owners("x", "X") == [number]


def test_only_an_anonymous_card_of_this_device_alone_is_absorbed(world: World):
    known = world.post(x="X").id
    with_cookie = world.post(device="D", token="T", cookie="C").id
    claimed = app(world, device="D", x="X")
    assert (claimed.id, claimed.absorbed) == (known, [])
    assert world.has(with_cookie) == {"C"}
    assert world.status(with_cookie) == "live"


def test_email_and_phone_only_where_no_keyed_call_has_written(world: World):
    mine = app(world, device="D", x="X", email="a@x.ua").id
    assert world.card(mine).email == "a@x.ua"
    keyed = world.post(x="KEYED").id
    app(world, device="E", x="KEYED", email="b@x.ua", phone="380501112233")
    assert (world.card(keyed).email, world.card(keyed).phone) == (None, None)
    app(world, device="D", x="X", email="other@x.ua")
    assert world.card(mine).email == "a@x.ua"


def test_an_address_of_somebody_else_is_not_given_away(world: World):
    """A later keyed call by that address would find the wrong card."""
    victim = world.post(x="VICTIM", email="v@x.ua").id
    before = everything(world, victim)
    forged = app(world, device="D", x="NEW", email="v@x.ua")
    assert world.card(forged.id).email is None
    assert everything(world, victim) == before
    assert world.post(email="v@x.ua").id == victim
    world.remove(victim)
    assert "claim_waits" in app(world, device="E", email="v@x.ua").warnings
    assert [one for one in world.owners("email", "v@x.ua") if one > 0] == [victim]


def test_a_token_stays_with_its_person_until_a_claim(world: World):
    """Whoever knows a token and nothing else takes it from nobody."""
    alice = world.post(x="ALICE", token="T").id
    forged = app(world, device="D", token="T")
    assert world.has(alice) == {"ALICE", "T"}
    assert world.has(forged.id) == {"D"}
    assert app(world, device="D", token="T", x="ALICE").id == alice
    assert world.has(alice) == {"ALICE", "T", "D"}


@pytest.mark.parametrize("user", ["MALLORY", "NEW"])
def test_a_known_token_is_not_taken_along_by_a_claim(world: World, user: str):
    alice = world.post(x="ALICE", token="T", device="A").id
    world.post(x="MALLORY")
    forged = app(world, device="D", token="T", x=user)
    assert world.has(alice) == {"ALICE", "T", "A"}
    assert world.has(forged.id) == {user, "D"}


def test_a_phone_of_several_users_has_one_token(world: World):
    """Wire 7.5: in that mode the device id is the phone's, a colon and the External ID."""
    alice = app(world, device="PHONE:ALICE", token="T", x="ALICE").id
    bob = app(world, device="PHONE:BOB", token="T", x="BOB").id
    assert world.has(alice) == {"ALICE", "PHONE:ALICE"}
    assert world.has(bob) == {"BOB", "PHONE:BOB", "T"}


def test_a_token_stays_with_a_removed_person_too(world: World):
    bob = world.post(x="BOB", token="T").id
    world.remove(bob)
    forged = app(world, device="D", token="T")
    assert world.has(bob) == {"BOB", "T"}
    assert world.has(forged.id) == {"D"}


def test_a_forged_device_moves_with_nothing_but_itself(world: World):
    alice = world.post(x="ALICE", email="a@x.ua", device="D", cookie="C").id
    mallory = world.post(x="MALLORY").id
    app(world, device="D", x="MALLORY", first="M")
    assert world.has(alice) == {"ALICE", "a@x.ua", "C"}
    assert world.has(mallory) == {"MALLORY", "D"}
    assert world.card(alice).email == "a@x.ua"


def test_what_a_claim_linked_is_marked_so(world: World):
    """Decisions D36."""
    number = world.post(x="X").id
    app(world, device="D", token="T", x="X")
    rules = {one.value: one.rule for one in world.held(number)}
    assert (rules["D"], rules["T"]) == ("claim", "claim")
    other = world.post(x="Y").id
    app(world, device="D", x="Y")
    assert {one.value: one.rule for one in world.held(other)}["D"] == "claim"
    assert all(line.rule == "claim" for line in world.history if line.other is not None)


def test_an_update_of_the_app_keeps_what_it_said_of_its_token(world: World):
    first = app(world, device="D", token="T").id
    assert app(world, device="D", token="T2").id == first
    assert world.has(first) == {"D", "T", "T2"}
    belongs = {one.value: one.device for one in world.held(first)}
    assert (belongs["T"], belongs["T2"]) == ("D", "D")


# What waits beside a contact that has the device (D36)


def test_a_restored_contact_gets_the_device_that_was_claimed(world: World):
    """The device had an anonymous contact meanwhile: it was only this device, and comes along."""
    known = world.post(x="X", email="a@x.ua", first="Alice").id
    world.remove(known)
    anonymous = app(world, device="D", token="T", time_zone="Europe/Kyiv").id
    assert "claim_waits" in app(world, device="D", x="X", email="a@x.ua").warnings
    assert world.has(anonymous) == {"D", "T"}
    assert world.post(x="X").came_to == "restored"
    assert world.has(known) == {"X", "a@x.ua", "D", "T"}
    assert (world.status(anonymous), world.card(known).time_zone) == ("merged", "Europe/Kyiv")
    assert world.claims == {}
    assert {one.value: one.rule for one in world.held(known)}["D"] == "claim"


def test_the_keyed_call_that_creates_the_claimed_contact_brings_it_the_device(world: World):
    """The card of the device has an e-mail of its own: it stays what it is, without the device."""
    shopper = world.post(email="a@x.ua", device="D").id
    world.put(shopper, token="SERVERS")
    app(world, device="D", token="T", x="NEW")
    assert world.has(shopper) == {"a@x.ua", "D", "SERVERS", "T"}
    person = world.post(x="NEW", email="new@x.ua").id
    assert world.has(person) == {"NEW", "new@x.ua", "D", "T"}
    assert world.has(shopper) == {"a@x.ua", "SERVERS"}, "given without the device"
    assert world.claims == {}


def test_the_claimed_external_id_comes_to_the_card_of_the_device(world: World):
    shopper = world.post(email="a@x.ua", device="D").id
    app(world, device="D", x="NEW")
    assert world.post(x="NEW", email="a@x.ua").id == shopper
    assert world.has(shopper) == {"NEW", "a@x.ua", "D"}
    assert world.claims == {}


def test_addresses_that_nobody_has_wait_for_who_gets_both(world: World):
    keyed = world.post(device="D").id
    said = {"email": "new@x.ua", "phone": "380501112233"}
    assert "claim_waits" in app(world, device="D", **said).warnings
    half = world.post(x="HALF", email="new@x.ua").id
    assert world.has(keyed) == {"D"}
    world.put(half, phone="380501112233")
    assert "D" in world.has(half)
    assert world.status(keyed) == "merged"


def test_an_anonymous_card_with_more_than_the_device_stays(world: World):
    """Decisions D36: what is absorbed holds nothing but this device and its tokens."""
    known = world.post(x="X").id
    world.remove(known)
    anonymous = world.post(device="D", cookie="C").id
    app(world, device="D", x="X")
    world.post(x="X")
    assert (world.has(known), world.has(anonymous)) == ({"X", "D"}, {"C"})
    assert world.status(anonymous) == "live"


def test_what_waits_beside_a_card_ends(world: World):
    """After thirty days; by a later claim; by an erase; by whoever got the device since (D12, D36)."""
    for number, end in enumerate(("late", "claimed", "erased", "moved")):
        known = world.post(x=f"X{number}").id
        world.remove(known)
        device = f"D{number}"
        holder = app(world, device=device).id
        app(world, device=device, x=f"X{number}")
        assert len(world.claims) == 1
        other = world.post(x=f"OTHER{number}").id
        if end == "late":
            world.now += timedelta(days=31)
        elif end == "claimed":
            app(world, device=device, x=f"OTHER{number}")
        elif end == "erased":
            world.erase(holder)
        else:
            world.post(x=f"OTHER{number}", device=device)
        world.post(x=f"X{number}")
        assert world.has(known) == {f"X{number}"}, end
        world.claims.clear()
        assert other


def test_another_user_of_the_device_who_is_removed_takes_nothing_of_its_person(world: World):
    """Decisions D37: what follows is nobody's until they come back, and never the first one's."""
    first = app(world, device="D", token="T", x="FIRST").id
    known = world.post(x="GONE").id
    world.remove(known)
    app(world, device="D", x="GONE")
    assert world.has(first) == {"FIRST", "T"}
    assert next(span.contact_id for spans in world.spans.values() for span in spans) == first
