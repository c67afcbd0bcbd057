"""What a claim comes to: whom it names, what it may write, what waits (decisions D36, D37)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from kartoteka.activity.visitors.model import LogOut, PushToken
from kartoteka.identity.kinds import Region
from kartoteka.identity.model import QUARANTINED, Settings
from kartoteka.identity.never import parse_never_identifiers
from tests.rules.stories import START, add, claim, event, visit, visited
from tests.rules.world import World


def minutes(number: float) -> datetime:
    return START + timedelta(minutes=number)


@pytest.fixture
def shop(world: World) -> World:
    """1: A with a@x.ua and a phone; 2: B with b@x.ua; 3: a twin with A's mailbox, removed."""
    world.send(add(x="A", email="a@x.ua", phone="380501112233", first="Anna"), at=minutes(0))
    world.send(add(x="B", email="b@x.ua", phone="380501114455"), at=minutes(1))
    world.send(add(x="GONE", email="gone@x.ua"), at=minutes(2))
    world.remove(3)
    world.now = minutes(100)
    return world


def say(world: World, *steps: Any, at: float, cookie: str = "S") -> None:
    world.send(visited(*steps, cookie=cookie), at=minutes(at))


NAMES_A: tuple[dict[str, Any], ...] = (
    {"x": "A"},
    {"email": "a@x.ua"},
    {"email": "a@x.ua", "phone": "380501112233"},
    {"phone": "380501112233", "cid": 1},
    {"x": "A", "email": "a@x.ua", "phone": "380501112233", "cid": 1},
    {"cid": 1},
    {"email": "a@x.ua", "cid": 1},
    {"x": "A", "email": "nobodys@x.ua"},
    {"x": "A", "email": "gone@x.ua"},
    {"x": "A", "cid": 3},
    {"x": "A", "cid": 999},
)
REFUSED: tuple[dict[str, Any], ...] = (
    {"x": "A", "email": "b@x.ua"},
    {"x": "A", "phone": "380501114455"},
    {"x": "A", "cid": 2},
    {"email": "a@x.ua", "phone": "380501114455"},
    {"email": "a@x.ua", "cid": 2},
    {"cid": 999},
    {"phone": "380501112233"},
)
WAITS: tuple[dict[str, Any], ...] = (
    {"x": "NEW"},
    {"x": "NEW", "email": "a@x.ua"},
    {"x": "GONE"},
    {"email": "new@x.ua"},
    {"email": "gone@x.ua", "phone": "380509999999"},
    {"email": "a@x.ua", "phone": "380509999999"},
    {"email": "new@x.ua", "phone": "380501112233"},
    {"cid": 3},
)


@pytest.mark.parametrize("whom", NAMES_A, ids=str)
def test_a_claim_that_names_one_live_contact_links_its_cookie(shop: World, whom: dict[str, Any]):
    cards, rows = dict(shop.cards), dict(shop.rows)
    say(shop, visit("before", minutes(110)), claim(minutes(111), **whom), at=112)
    assert shop.owners("cookie", "S") == [1]
    assert shop.history_of(1) == ["before"]
    assert shop.cards == cards, "no card changes"
    assert {key: row for key, row in shop.rows.items() if key[1] != "S"} == rows
    (line,) = [one for one in shop.history if one.action == "claimed"]
    assert (line.rule, line.contact_id) == ("claim", 1)


@pytest.mark.parametrize("whom", REFUSED, ids=str)
def test_a_claim_that_contradicts_itself_does_nothing(shop: World, whom: dict[str, Any]):
    say(shop, visit("before", minutes(110)), at=110)
    before = (dict(shop.cards), dict(shop.rows), list(shop.history), repr(shop.spans))
    say(shop, claim(minutes(111), **whom), at=112)
    assert (dict(shop.cards), dict(shop.rows), list(shop.history), repr(shop.spans)) == before
    assert shop.claims == {}


@pytest.mark.parametrize("whom", WAITS, ids=str)
def test_a_claim_that_names_nobody_waits(shop: World, whom: dict[str, Any]):
    cards, history = dict(shop.cards), list(shop.history)
    say(shop, visit("before", minutes(110)), claim(minutes(111), **whom), at=112)
    assert (shop.cards, shop.history) == (cards, history)
    (waiting,) = shop.claims.values()
    assert waiting.expires_at == minutes(111) + timedelta(days=30)
    assert [row[3] > 0 for key, row in shop.rows.items() if key[1] == "S"] == [False]


def test_two_live_contacts_with_one_mailbox_are_nobody_in_particular(shop: World):
    other = shop.send(add(x="C", email="a@x.ua", first="Carl"), at=minutes(101)).id
    say(shop, claim(minutes(111), email="a@x.ua"), at=112)
    assert (shop.owners("cookie", "S"), shop.claims) == ([], {})
    say(shop, claim(minutes(113), email="a@x.ua", x="C"), at=114)
    assert shop.owners("cookie", "S") == [other]
    both = claim(minutes(113), email="a@x.ua", phone="380501112233")
    say(shop, both, at=114, cookie="T")
    assert shop.owners("cookie", "T") == [1], "the phone says which of them"


def test_a_never_identifier_says_nothing():
    """D6: the shop's own address finds nobody; beside an External ID it contradicts nothing."""
    never = parse_never_identifiers(("guest@x.ua",), Region("UA"))
    world = World(Settings(never=never))
    world.send(add(x="G", email="guest@x.ua"), at=minutes(0))
    world.send(add(x="A", email="a@x.ua"), at=minutes(1))
    say(world, claim(minutes(5), email="guest@x.ua"), at=6)
    assert (world.owners("cookie", "S"), world.claims) == ([], {})
    say(world, claim(minutes(7), x="A", email="guest@x.ua"), at=8, cookie="T")
    assert world.owners("cookie", "T") == [2]


def test_a_claim_follows_a_retired_contact_id(shop: World):
    lone = shop.send(add(token="T"), at=minutes(101)).id
    survivor = shop.send(add(x="A", token="T"), at=minutes(102)).id
    say(shop, claim(minutes(111), cid=lone), at=112)
    assert (survivor, shop.owners("cookie", "S")) == (1, [1])


def test_history_between_is_never_credited_to_both(shop: World):
    """D37: her visits, the logout's, his, hers again."""
    say(
        shop,
        visit("a0", minutes(110)),
        claim(minutes(111), x="A"),
        visit("a1", minutes(112)),
        at=112,
    )
    say(shop, LogOut(minutes(113)), visit("nobody's", minutes(114)), at=114)
    say(shop, claim(minutes(115), x="B"), visit("b", minutes(116)), at=116)
    say(shop, claim(minutes(117), x="A"), visit("a2", minutes(118)), at=118)
    assert shop.history_of(1) == ["a0", "a1", "a2"]
    assert shop.history_of(2) == ["b"]


def test_two_people_in_one_call_of_a_page_have_each_their_own_once(shop: World):
    """D37: the second claim takes the cookie from whom the first one of the same call gave it to."""
    say(
        shop,
        *(visit("before", minutes(110)), claim(minutes(111), x="A"), visit("a", minutes(112))),
        *(claim(minutes(113), x="B"), visit("b", minutes(114))),
        at=115,
    )
    assert (shop.history_of(1), shop.history_of(2)) == (["before", "a"], ["b"])
    assert [one.contact_id for one in shop.history if one.action == "claimed"] == [1, 2]
    assert shop.owners("cookie", "S") == [2]


def test_what_is_repeated_or_late_undoes_nothing(shop: World):
    """A page that is left sends again what was on its way."""
    say(shop, visit("a", minutes(110)), claim(minutes(111), x="A"), at=111)
    say(shop, LogOut(minutes(113)), at=113)
    say(shop, claim(minutes(111), x="A"), visit("out", minutes(114)), at=114)
    assert shop.history_of(1) == ["a"]
    say(shop, claim(minutes(115), x="B"), at=115)
    say(shop, claim(minutes(111), x="A"), LogOut(minutes(113)), visit("b", minutes(116)), at=117)
    assert (shop.history_of(2), shop.owners("cookie", "S")) == (["b"], [2])


def test_an_unknown_persons_claim_ends_the_time_of_a_known_one(shop: World):
    say(shop, claim(minutes(110), x="A"), visit("a", minutes(111)), at=111)
    say(shop, claim(minutes(112), x="NEW"), visit("new's", minutes(113)), at=113)
    assert (shop.history_of(1), len(shop.claims)) == (["a"], 1)
    say(shop, claim(minutes(114), x="B"), visit("b", minutes(115)), at=115)
    assert (shop.history_of(2), shop.claims) == (["b"], {})


def test_more_words_about_a_known_person_are_no_other_person(shop: World):
    """The card has no External ID yet; the claim that brings one contradicts nothing."""
    number = shop.send(add(email="c@x.ua"), at=minutes(101)).id
    say(shop, claim(minutes(110), email="c@x.ua"), visit("one", minutes(111)), at=111)
    say(shop, claim(minutes(112), x="NEW", email="c@x.ua"), visit("two", minutes(113)), at=113)
    assert shop.history_of(number) == ["one", "two"]


def test_a_repeated_claim_writes_nothing(shop: World):
    for whom in ({"x": "A"}, {"x": "NEW"}):
        cookie = whom["x"]
        say(shop, claim(minutes(110), **whom), at=111, cookie=cookie)
        before = (dict(shop.rows), list(shop.history), repr(shop.spans), dict(shop.claims))
        say(shop, claim(minutes(120), **whom), at=121, cookie=cookie)
        assert (dict(shop.rows), list(shop.history), repr(shop.spans), dict(shop.claims)) == before
        assert shop.written == set()


def test_a_claim_that_is_repeated_for_days_waits_on(shop: World):
    say(shop, claim(minutes(110), x="NEW"), at=111)
    later = minutes(110) + timedelta(days=3)
    shop.send(visited(claim(later, x="NEW")), at=later)
    (waiting,) = shop.claims.values()
    assert waiting.expires_at == later + timedelta(days=30)


def test_a_cookie_of_more_than_fifty_people_names_nobody(world: World):
    """D6 counts those whom claims name too."""
    for number in range(60):
        world.send(add(x=f"P{number}"), at=minutes(number))
        say(world, claim(minutes(100 + number), x=f"P{number}"), at=100 + number)
    assert world.owners("cookie", "S") == [QUARANTINED]
    before = dict(world.rows)
    say(world, claim(minutes(300), x="P1"), at=300)
    assert world.rows == before


def test_a_token_stays_with_its_visitor(shop: World):
    """D10: it waits with the visitor, goes along with the cookie, and nobody else's is taken."""
    shop.send(add(x="B", web="B-TOKEN"), at=minutes(101))
    shop.send(add(x="A", web="A-TOKEN"), at=minutes(101))
    say(shop, PushToken("OWN", minutes(110)), PushToken("B-TOKEN", minutes(110)), at=110)
    assert shop.owners("web", "B-TOKEN") == [2]
    assert all(number < 0 for number in shop.owners("web", "OWN"))
    say(shop, claim(minutes(111), x="A"), PushToken("SECOND", minutes(112)), at=112)
    assert shop.owners("web", "SECOND") == [1]
    say(shop, claim(minutes(113), x="B"), at=113)
    assert (shop.owners("web", "SECOND"), shop.owners("web", "B-TOKEN")) == ([2], [2])
    assert shop.owners("web", "A-TOKEN") == [1], "it came from elsewhere"


def test_events_that_named_only_an_address_stay_nobodys(world: World):
    """D17: a claim that waits for an e-mail brings its own visits, not what others said of it."""
    say(world, visit("mine", minutes(1)), claim(minutes(1), email="new@x.ua"), at=1)
    world.send(event("named", email="new@x.ua"), at=minutes(2))
    who = world.send(add(email="new@x.ua"), at=minutes(3)).id
    assert world.history_of(who) == []


def test_what_waits_for_one_person_is_open_to_no_other(shop: World):
    """Neither a keyed call nor another claim of that cookie takes it."""
    say(shop, visit("hers", minutes(110)), claim(minutes(111), x="NEW"), at=112)
    shop.send(add(x="B", cookie="S"), at=minutes(113))
    say(shop, visit("b", minutes(114)), at=114)
    assert shop.history_of(2) == ["b"]


def test_a_claim_that_comes_late_fills_its_own_time(shop: World):
    """D37: between a logout and the next claim, and within the time of another who is surely not it."""
    say(shop, claim(minutes(110), x="A"), LogOut(minutes(113)), claim(minutes(120), x="B"), at=121)
    late = (claim(minutes(115), x="A"), visit("hers", minutes(116)), visit("his", minutes(121)))
    say(shop, visit("nobody's", minutes(114)), *late, at=122)
    assert (shop.history_of(1), shop.history_of(2)) == (["hers"], ["his"])
    assert shop.owners("cookie", "S") == [2], "who has it now keeps it"
    say(shop, claim(minutes(111), x="B"), visit("b", minutes(112)), at=123)
    assert shop.history_of(2) == ["b", "his"]
    before = (dict(shop.rows), list(shop.history), repr(shop.spans))
    say(shop, *late[:1], claim(minutes(111), x="B"), claim(minutes(110), x="A"), at=124)
    assert (dict(shop.rows), list(shop.history), repr(shop.spans)) == before, "said twice"


@pytest.mark.parametrize("keyed", [False, True], ids=["by a claim", "by the shop"])
def test_a_claim_that_the_first_one_overtook(shop: World, keyed: bool):
    """What the other has of that time stays theirs; the claim's own is the claimed person's."""
    say(shop, visit("early", minutes(105)), at=106)
    if keyed:
        shop.send(add(x="B", cookie="S"), at=minutes(120))
    else:
        say(shop, claim(minutes(120), x="B"), at=120)
    late = (claim(minutes(110), x="A"), visit("hers", minutes(111)))
    say(shop, *late, visit("his", minutes(121)), visit("earlier", minutes(104)), at=122)
    assert (shop.history_of(1), shop.history_of(2)) == (["hers"], ["earlier", "early", "his"])
    assert shop.owners("cookie", "S") == [2]
    before = (dict(shop.rows), list(shop.history), repr(shop.spans))
    say(shop, late[0], at=123)
    assert (dict(shop.rows), list(shop.history), repr(shop.spans)) == before
    say(shop, LogOut(minutes(130)), visit("his too", minutes(122)), at=131)
    assert shop.history_of(2) == ["earlier", "early", "his", "his too"], "his time has a beginning"


def test_a_late_claim_of_somebody_unknown_ends_the_time_of_a_known_one(shop: World):
    say(shop, claim(minutes(110), x="A"), LogOut(minutes(113)), claim(minutes(120), x="B"), at=121)
    say(shop, claim(minutes(111), x="NEW"), visit("new's", minutes(112)), at=122)
    assert (shop.history_of(1), shop.history_of(2), shop.claims) == ([], [], {})


def test_a_claim_waits_beside_the_card_that_has_the_cookie(shop: World):
    """A card without an External ID may be the claimed person's; who comes, gets what follows."""
    lone = shop.send(add(email="c@x.ua"), at=minutes(101)).id
    say(shop, claim(minutes(110), email="c@x.ua"), visit("one", minutes(111)), at=111)
    say(shop, claim(minutes(112), x="NEW"), PushToken("OWN", minutes(112)), at=112)
    assert (shop.owners("cookie", "S"), len(shop.claims)) == ([lone], 1)
    person = shop.send(add(x="NEW", email="n@x.ua"), at=minutes(114)).id
    say(shop, visit("two", minutes(115)), at=115)
    assert (shop.history_of(lone), shop.history_of(person)) == (["one"], ["two"])
    assert (shop.owners("cookie", "S"), shop.owners("web", "OWN")) == ([person], [person])
    assert shop.claims == {}


def test_a_phone_alone_names_who_has_no_email(shop: World):
    """D10a: families share phones; the setting says that this account's do not."""
    alone = shop.send(add(phone="380509990001"), at=minutes(101)).id
    say(shop, claim(minutes(111), phone="380509990001"), at=112)
    assert shop.owners("cookie", "S") == [alone]
    personal = World(Settings(phone_is_personal=True))
    personal.send(add(email="d@x.ua", phone="380509990001"), at=minutes(1))
    personal.send(add(x="E", phone="380509990002"), at=minutes(2))
    say(personal, claim(minutes(111), phone="380509990001"), at=112)
    say(personal, claim(minutes(111), phone="380509990002"), at=112, cookie="T")
    assert (personal.owners("cookie", "S"), personal.owners("cookie", "T")) == ([1], [])
