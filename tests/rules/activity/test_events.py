"""Events: whose they are, what they create, where they wait (wire 6.3, decisions D8, D12, D13, D17)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kartoteka.activity.actions import ParamsMissing, SegmentationDisabled
from kartoteka.activity.model import EventType
from kartoteka.identity.model import Settings
from tests.rules.stories import START, add, event
from tests.rules.world import World


def test_an_event_attaches_to_whom_the_external_id_names_and_writes_nothing(world: World):
    who = world.post(x="X", email="a@x.example").id
    before = world.card(who)
    answer = world.event(x="X", email="other@x.example", phone="380501112233", first="Ada")
    assert (answer.id, answer.rule, answer.came_to) == (who, "external_id", "unchanged")
    assert (world.card(who), world.history_of(who)) == (before, ["seen"])
    assert world.has(who) == {"X", "a@x.example"}


@pytest.mark.parametrize(
    "named", [{"email": "a@x.example"}, {"phone": "380501112233"}, {"token": "T"}, {"device": "D"}]
)
def test_without_an_external_id_the_next_identifier_of_the_order_finds(world: World, named):
    """D7, D10a: each of them alone finds a card that has no e-mail to contradict."""
    who = world.post(**named).id
    assert world.event(**named).id == who
    assert world.history_of(who) == ["seen"]


def test_email_comes_before_phone_and_phone_before_token(world: World):
    by_email, by_phone = world.post(email="a@x.example").id, world.post(phone="380501112233").id
    by_token = world.post(token="T").id
    assert world.event(email="a@x.example", phone="380501112233", token="T").id == by_email
    assert world.event(phone="380501112233", token="T2").id == by_phone
    assert world.status(by_token) == "merged"  # it moved to the card, which absorbed the rest (D13)


def test_a_contact_id_comes_before_all(world: World):
    who, other = world.post(email="a@x.example").id, world.post(x="X").id
    answer = world.event(contact_id=who, x="X")
    assert (answer.id, answer.warnings) == (who, ["external_id_disagrees"])
    answer = world.event(contact_id=999_999, x="X")
    assert (answer.id, answer.warnings) == (other, ["contact_id_unknown"])


def test_only_with_a_contact_id_an_event_sets_what_is_missing(world: World):
    """D17: e-mail, phone or External ID of the card that contactId names, where it has none."""
    who = world.post(token="T").id
    world.event(token="T", x="X", email="a@x.example")
    assert world.card(who).email is None
    world.event(contact_id=who, x="X2", email="b@x.example")
    assert (world.card(who).external_id, world.card(who).email) == ("X2", "b@x.example")
    world.event(contact_id=who, email="c@x.example")
    assert world.card(who).email == "b@x.example"


def test_an_unknown_external_id_waits_for_its_contact(world: World):
    answer = world.event("first", x="X", email="a@x.example")
    assert (answer.resolution.contact_id, answer.rule) == (None, "waits_for_contact")
    assert world.live() == []
    world.event("second", x="X")
    who = world.post(x="X").id
    assert world.history_of(who) == ["first", "second"]
    world.event("third", x="X")
    assert world.history_of(who) == ["first", "second", "third"]


def test_it_also_waits_for_who_gets_the_external_id_later(world: World):
    world.event("early", x="X")
    who = world.post(email="a@x.example").id
    assert world.history_of(who) == []
    world.put(who, x="X")
    assert world.history_of(who) == ["early"]


def test_what_waits_longer_than_thirty_days_stays_nobodys(world: World):
    """D17: counted from each event's arrival."""
    world.send(event("old", x="X"), at=START)
    world.send(event("recent", x="X"), at=START + timedelta(days=20))
    who = world.send(add(x="X"), at=START + timedelta(days=40)).id
    assert world.history_of(who) == ["recent"]


@pytest.mark.parametrize("named", [{"device": "D"}, {"token": "T"}, {"web": "W"}, {"push": "T"}])
def test_devices_and_tokens_wait_too(world: World, named):
    world.event("early", **named)
    named = {"token": named["push"]} if "push" in named else named
    who = world.post(email="a@x.example", **named).id
    assert world.history_of(who) == ["early"]


@pytest.mark.parametrize("named", [{"email": "a@x.example"}, {"phone": "380501112233"}])
def test_an_email_or_phone_alone_never_brings_it_back(world: World, named):
    answer = world.event("early", **named)
    assert answer.rule == "event_of_nobody"
    assert world.history_of(world.post(**named).id) == []


def test_types_with_segmentation_create_contacts(world: World):
    """Wire 6.3, check 19: source EVENT, and one contact however many events."""
    world.segmented("bought")
    first = world.event("bought", x="X", email="a@x.example", first="Ada")
    assert first.came_to == "created"
    card = world.card(first.id)
    assert (card.source, card.external_id, card.email) == ("EVENT", "X", "a@x.example")
    assert card.first_name == "Ada"
    assert world.event("bought", x="X").id == first.id
    assert world.live() == [first.id]


def test_a_cookie_alone_creates_nobody(world: World):
    world.segmented("bought")
    assert world.event("bought", cookie="S").resolution.contact_id is None
    assert world.live() == []
    who = world.post(x="X", cookie="S").id
    assert world.history_of(who) == ["bought"]


def test_a_token_moves_to_whom_the_event_names(world: World):
    """D12: if the event is later than the moment the holder got it."""
    a, b = world.post(x="A", token="T").id, world.post(x="B").id
    early = world.now - timedelta(minutes=5)
    assert world.event("old", x="B", token="T", at=early).moved == []
    assert world.event("new", x="B", token="T").moved == [("mobile_token", "T", a)]
    assert (world.owners("token", "T"), world.history_of(b)) == ([b], ["old", "new"])


def test_events_absorb_only_who_has_nothing_lasting(world: World):
    """D13."""
    anonymous = world.post(token="T").id
    named = world.post(email="a@x.example", device="D").id
    who = world.post(x="X", email="a@x.example").id
    assert named == who  # one card from the start
    assert world.event(x="X", token="T").absorbed == [anonymous]


@pytest.mark.parametrize(("minutes", "status"), [(-1, "removed"), (1, "live")])
def test_a_removed_contact_is_restored_by_what_happened_after(world: World, minutes, status):
    """D8."""
    who = world.post(x="X").id
    world.remove(who)
    removed_at = world.card(who).removed_at
    assert removed_at is not None
    answer = world.event(x="X", at=removed_at + timedelta(minutes=minutes))
    assert (answer.id, world.status(who), world.history_of(who)) == (who, status, ["seen"])
    assert answer.came_to == ("restored" if status == "live" else "attached_to_removed")


def test_events_of_erased_people_are_accepted_and_dropped(world: World):
    """D29."""
    who = world.post(x="X", email="a@x.example").id
    world.event(x="X")
    world.erase(who)
    assert world.happened == []
    for named in ({"x": "X"}, {"email": "a@x.example"}, {"x": "X", "device": "D"}):
        assert world.event(**named).came_to == "suppressed"
    assert world.happened == []
    world.post(email="a@x.example")  # somebody live has the address again
    assert world.event(email="a@x.example").came_to == "unchanged"


def test_what_named_an_address_of_nobody_goes_with_whoever_erases_it(world: World):
    """D29: it was never theirs (D17), and their address stands in it."""
    world.event(email="a@x.example")
    world.event(phone="380501112233")
    who = world.post(email="a@x.example", phone="380501112233").id
    assert world.history_of(who) == []
    world.erase(who)
    assert (world.happened, world.spans) == ([], {})


def test_a_shared_address_keeps_what_was_nobodys(world: World):
    world.event(email="a@x.example")
    who = world.post(x="A", email="a@x.example").id
    world.post(x="B", email="a@x.example")
    world.erase(who)
    assert len(world.happened) == 1


def test_a_former_external_id_that_is_erased_leaves_the_spans(world: World):
    """D11: its traces go, what it carried stays the contact's."""
    world.event("early", x="OLD")
    who = world.post(x="OLD").id
    world.put(who, x="NEW")
    world.erase(x="OLD")
    assert (world.history_of(who), [key[0] for key in world.spans]) == (["early"], [0])


def test_the_same_message_counts_once(world: World):
    world.post(x="X")
    world.event(x="X", message="m1")
    assert world.event(x="X", message="m1").rule == "came_already"
    world.batch([event(x="X", message="m2"), event(x="X", message="m2")])
    assert len(world.happened) == 2


def test_params_that_a_type_requires(world: World):
    """Wire 6.2, letter by letter."""
    params = [{"name": "sum", "required": True}, {"name": "note", "required": False}]
    world.event_types["bought"] = EventType("bought", required_params=params)
    with pytest.raises(ParamsMissing) as raised:
        world.event("bought", x="X", params={"note": "n"})
    assert raised.value.message == (
        "The event should have the following params: "
        '[{"name":"sum","required":true},{"name":"note","required":false}]'
    )
    world.event("bought", x="X", params={"sum": 0})


def test_events_of_the_past_need_segmentation_and_create_nobody(world: World):
    with pytest.raises(SegmentationDisabled):
        world.event("bought", x="X", past=True)
    world.segmented("bought")
    world.event("bought", x="X", past=True)
    assert (world.live(), world.history_of(world.post(x="X").id)) == ([], ["bought"])


def test_unknown_types_are_made(world: World):
    world.event("new one", x="X")
    assert world.event_types["new one"].segmentation is False


def test_a_shared_device_is_not_the_person(world: World):
    """D10a: the device's card has another External ID; nothing of the event lands there."""
    owner = world.post(x="A", device="D").id
    answer = world.event(device="D", email="stranger@x.example")
    assert (answer.resolution.contact_id, world.history_of(owner)) == (None, [])
    assert world.event(device="D").id == owner


def test_merged_history_is_the_survivors(world: World):
    """D14: nothing moves, all is theirs."""
    anonymous = world.event("early", token="T")
    assert anonymous.resolution.contact_id is None
    first = world.post(token="T").id
    world.event("middle", token="T")
    who = world.post(x="X", email="a@x.example").id
    world.post(x="X", token="T")
    assert world.status(first) == "merged"
    assert world.history_of(who) == ["early", "middle"]
    assert world.history_of(first) != world.history_of(who) or world.card(first).merged_into == who


def test_the_cap_of_a_cookie(world: World):
    """D37: later ones are dropped until somebody is known."""
    world.settings = Settings(visits_per_cookie=2)
    for number in range(4):
        world.event(f"e{number}", cookie="S")
    who = world.post(x="X", cookie="S").id
    world.event("after", cookie="S")
    assert world.history_of(who) == ["e0", "e1", "after"]
