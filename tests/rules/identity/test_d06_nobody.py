"""D6: values that stand for nobody, or for many people at once, find nobody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from kartoteka.contacts.model import Command
from kartoteka.errors import NoIdentifier
from kartoteka.identity.changes import MOST_SENDERS
from kartoteka.identity.model import QUARANTINED, Settings
from kartoteka.identity.never import NeverIdentifiers
from tests.rules import stories
from tests.rules.stories import START
from tests.rules.world import World

GUEST = "guest@shop.ua"
NEVER = NeverIdentifiers(
    emails=frozenset((GUEST,)), domains=frozenset(("market.ua",)), phones=frozenset(("380500",))
)
AS = pytest.mark.parametrize(
    "nobody", [{"email": GUEST}, {"email": "any@market.ua"}, {"phone": "380500"}]
)


@pytest.fixture
def world() -> World:
    return World(Settings(never=NEVER))


@AS
def test_it_stays_on_the_card_as_a_channel(world: World, nobody: dict[str, str]) -> None:
    """D6: an account's own address is kept where it comes with a person."""
    card = world.post(x="A", **nobody).id
    ((name, value),) = nobody.items()
    assert getattr(world.card(card), name) == value
    assert world.owners(name, value) == [card]


@AS
@pytest.mark.parametrize("method", [stories.add, stories.subscribe])
def test_it_finds_nobody(
    world: World, nobody: dict[str, str], method: Callable[..., Command]
) -> None:
    """D6: two guests are two people, with and without an External ID."""
    first = world.post(token="T", **nobody).id
    second = world.send(method(token="U", **nobody)).id
    third = world.send(method(x="A", **nobody)).id
    assert len({first, second, third}) == 3


@AS
def test_it_absorbs_nobody(world: World, nobody: dict[str, str]) -> None:
    """D6: who shares only it shares nothing."""
    other = world.post(token="T", **nobody).id
    mine = world.post(x="A", **nobody)
    assert mine.absorbed == []
    assert world.status(other) == "live"


@AS
@pytest.mark.parametrize("method", [stories.add, stories.subscribe])
def test_alone_it_is_no_usable_identifier(
    world: World, nobody: dict[str, str], method: Callable[..., Command]
) -> None:
    """D6, D19, D22: it would make a card that nothing finds, at every call another one."""
    with pytest.raises(NoIdentifier):
        world.send(method(**nobody))


@AS
def test_it_restores_nobody(world: World, nobody: dict[str, str]) -> None:
    """D6, D10: a removed guest is not the next one."""
    gone = world.post(token="T", **nobody).id
    world.remove(gone)
    assert world.post(token="U", **nobody).id != gone


def passed_around(world: World, people: int) -> list[int]:
    """A token that so many External IDs have sent, one after the other."""
    return [world.post(x=f"X{number}", token="T").id for number in range(people)]


def test_fifty_people_may_have_had_a_token(world: World) -> None:
    """D6: not more than 50: it still names its holder."""
    ids = passed_around(world, MOST_SENDERS)
    assert world.owners("token", "T") == [ids[-1]]
    assert world.post(token="T").id == ids[-1]


def test_the_same_people_again_are_not_more(world: World) -> None:
    """D6: different External IDs."""
    for _ in range(3):
        ids = passed_around(world, 20)
    assert world.owners("token", "T") == [ids[-1]]


def test_a_token_of_more_than_fifty_names_nobody(world: World) -> None:
    """D6: treated as absent by itself, and listed."""
    ids = passed_around(world, MOST_SENDERS + 1)
    assert world.owners("token", "T") == [QUARANTINED]
    assert "quarantined" in world.actions(ids[-1])
    assert all("T" not in world.has(contact_id) for contact_id in ids)


def test_a_quarantined_token_finds_moves_and_creates_nothing(world: World) -> None:
    """D6: as if absent, with a warning."""
    passed_around(world, MOST_SENDERS + 1)
    known = world.post(email="a@x.ua", token="T")
    assert known.warnings == ["quarantined_identifier"]
    assert world.has(known.id) == {"a@x.ua"}
    assert world.owners("token", "T") == [QUARANTINED]
    with pytest.raises(NoIdentifier):
        world.post(token="T")


def test_quarantine_is_said_when_it_begins(world: World) -> None:
    """D6: a warning in `resolution`."""
    passed_around(world, MOST_SENDERS)
    assert world.post(x="last", token="T").warnings == ["quarantined_identifier"]


def test_who_comes_late_has_sent_it_too(world: World) -> None:
    """D6, D12: what an older request names stays where it is, but it was sent by one more."""
    holder = world.post(x="A", cookie="C").id
    for number in range(MOST_SENDERS - 1):
        world.send(stories.order(f"O-{number}", x=f"X-{number}", cookie="C", date=START))
    assert world.owners("cookie", "C") == [holder]
    for number in range(2):
        world.send(stories.order(f"P-{number}", x=f"Y-{number}", cookie="C", date=START))
    assert world.owners("cookie", "C") == [QUARANTINED]


def test_anonymous_holders_do_not_count(world: World) -> None:
    """D6: External IDs are counted, not cards."""
    for number in range(MOST_SENDERS + 5):
        world.post(email=f"p{number}@x.ua", token="T")
    assert world.owners("token", "T") != [QUARANTINED]


@pytest.mark.parametrize("to_contact", [True, False])
def test_what_comes_late_of_the_time_in_quarantine_stays_nobodys(
    world: World, to_contact: bool
) -> None:
    """D6, D37: not the last person's who had it, and not the next one's either."""
    people = [world.post(x=f"X{number}", cookie="C").id for number in range(MOST_SENDERS + 1)]
    assert world.owners("cookie", "C") == [QUARANTINED]
    meant = world.post(x="meant").id
    then = world.now + timedelta(minutes=1)
    world.now += timedelta(hours=1)
    world.send(stories.release("cookie", "C", meant if to_contact else None))
    if not to_contact:
        world.event("waits", cookie="C")
        assert world.post(x="meant", cookie="C").id == meant
    assert world.owners("cookie", "C") == [meant]
    world.event("late", cookie="C", at=then)
    world.event("after", cookie="C")
    assert [world.history_of(one) for one in people] == [[]] * len(people)
    assert world.history_of(meant) == (["after"] if to_contact else ["waits", "after"])
