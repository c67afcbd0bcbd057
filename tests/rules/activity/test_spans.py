"""Shared devices and browsers: each moment is the person's who had it then (decisions D36, D37)."""

from __future__ import annotations

from datetime import datetime, timedelta

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from kartoteka.activity.spans import log_out
from kartoteka.identity.history import Journal
from kartoteka.identity.kinds import WEB_COOKIE
from kartoteka.identity.model import Identifier
from kartoteka.identity.working_set import Missing, WorkingSet
from tests.rules.stories import START, add, event, origin
from tests.rules.world import World


def minutes(number: float) -> datetime:
    return START + timedelta(minutes=number)


def logout(world: World, cookie: str, at: datetime) -> None:
    """As the website says it: a transaction of its own."""
    one = Identifier(WEB_COOKIE.code, cookie)
    ws = WorkingSet(1, world.settings, lambda: next(world._span_ids))
    missing = Missing(keys=[one.key], facts=[("spans", one.key)])
    while True:
        world._load(ws, missing)
        try:
            log_out(ws, one, at, Journal(ws, origin(at)))
            break
        except Missing as more:
            missing = more
    world.at = at
    world._write(ws)


def test_all_visits_before_the_first_link_are_the_contacts(world: World):
    for number in range(3):
        world.send(event(f"v{number}", cookie="S"), at=minutes(number))
    who = world.send(add(x="X", cookie="S"), at=minutes(10)).id
    world.send(event("late", cookie="S", at=minutes(1.5)), at=minutes(20))
    world.send(event("after", cookie="S"), at=minutes(21))
    assert world.history_of(who) == ["v0", "v1", "late", "v2", "after"]


def test_another_person_without_a_logout_takes_only_what_follows(world: World):
    world.send(event("before", cookie="S"), at=minutes(0))
    a = world.send(add(x="A", cookie="S"), at=minutes(10)).id
    world.send(event("a's", cookie="S"), at=minutes(20))
    b = world.send(add(x="B", cookie="S"), at=minutes(30)).id
    world.send(event("b's", cookie="S"), at=minutes(40))
    world.send(event("late a's", cookie="S", at=minutes(25)), at=minutes(50))
    assert world.history_of(a) == ["before", "a's", "late a's"]
    assert world.history_of(b) == ["b's"]


def test_after_a_logout_nobody_has_it_until_the_next_link(world: World):
    a = world.send(add(x="A", cookie="S"), at=minutes(0)).id
    world.send(event("a's", cookie="S"), at=minutes(10))
    logout(world, "S", minutes(20))
    world.send(event("between", cookie="S"), at=minutes(30))
    world.send(event("late a's", cookie="S", at=minutes(15)), at=minutes(31))
    b = world.send(add(x="B", cookie="S"), at=minutes(40)).id
    world.send(event("b's", cookie="S"), at=minutes(50))
    world.send(event("late between", cookie="S", at=minutes(35)), at=minutes(51))
    assert world.history_of(a) == ["a's", "late a's"]
    assert world.history_of(b) == ["b's"]
    assert world.owners("cookie", "S") == [b]


def test_the_same_person_again_after_a_logout(world: World):
    a = world.send(add(x="A", cookie="S"), at=minutes(0)).id
    logout(world, "S", minutes(20))
    world.send(event("between", cookie="S"), at=minutes(30))
    world.send(add(x="A", cookie="S"), at=minutes(40))
    world.send(event("again", cookie="S"), at=minutes(50))
    assert world.history_of(a) == ["again"]


def test_a_late_logout_ends_the_time_that_it_speaks_of(world: World):
    a = world.send(add(x="A", cookie="S"), at=minutes(0)).id
    b = world.send(add(x="B", cookie="S"), at=minutes(30)).id
    logout(world, "S", minutes(20))
    world.now = minutes(60)
    world.send(event("between", cookie="S", at=minutes(25)), at=minutes(61))
    world.send(event("a's", cookie="S", at=minutes(15)), at=minutes(62))
    world.send(event("b's", cookie="S", at=minutes(35)), at=minutes(63))
    assert (world.history_of(a), world.history_of(b)) == (["a's"], ["b's"])


def test_a_logout_of_a_visitor_whom_nobody_knows_says_nothing(world: World):
    world.send(event("before", cookie="S"), at=minutes(0))
    logout(world, "S", minutes(5))
    world.send(event("after", cookie="S"), at=minutes(10))
    who = world.send(add(x="X", cookie="S"), at=minutes(20)).id
    assert world.history_of(who) == ["before", "after"]


def test_an_offline_queue_lands_with_whom_had_the_device_then(world: World):
    """A device that was one contact's from the start has no span until it changes hands."""
    a = world.send(add(x="A", device="D"), at=minutes(0)).id
    b = world.send(add(x="B", device="D"), at=minutes(30)).id
    world.send(event("a's", device="D", at=minutes(10)), at=minutes(40))
    world.send(event("b's", device="D", at=minutes(35)), at=minutes(41))
    assert (world.history_of(a), world.history_of(b)) == (["a's"], ["b's"])


def test_in_one_batch_with_the_move(world: World):
    a = world.send(add(x="A", device="D"), at=minutes(0)).id
    world.batch(
        [
            add(x="B", device="D"),
            event("a's", device="D", at=minutes(10)),
            event("b's", device="D"),
        ],
        at=minutes(30),
    )
    (b,) = world.owners("device", "D")
    assert (world.history_of(a), world.history_of(b)) == (["a's"], ["b's"])


def test_a_token_that_was_cleared_waits_for_the_next(world: World):
    a = world.send(add(x="A", token="T"), at=minutes(0)).id
    world.put(a, clear="mobilepush")
    world.send(event("between", token="T"), at=minutes(30))
    b = world.send(add(x="B", token="T"), at=minutes(40)).id
    world.send(event("late a's", token="T", at=minutes(0.5)), at=minutes(50))
    assert world.history_of(a) == ["late a's"]
    assert world.history_of(b) == ["between"]


def test_an_erase_leaves_others_theirs(world: World):
    a = world.send(add(x="A", cookie="S"), at=minutes(0)).id
    world.send(event("a's", cookie="S"), at=minutes(10))
    b = world.send(add(x="B", cookie="S"), at=minutes(30)).id
    world.send(event("b's", cookie="S"), at=minutes(40))
    world.now = minutes(50)
    world.erase(b)
    assert (world.history_of(a), [one.type_key for one in world.happened]) == (["a's"], ["a's"])
    assert world.rows.keys() == {(1, "A", 0)}


STEPS = st.lists(
    st.tuples(st.sampled_from(("visit", "late", "link A", "link B", "logout")), st.integers(0, 10)),
    max_size=14,
)


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(STEPS)
def test_no_moment_is_credited_to_two_and_none_changes_hands(steps: list[tuple[str, int]]):
    """The law: who has the cookie at a moment is told by the last link or logout before it."""
    world = World()
    people = {name: world.send(add(x=name), at=minutes(-10)).id for name in ("A", "B")}
    marks: list[tuple[float, str | None]] = []
    visits: dict[str, float] = {}
    credited: dict[str, str | None] = {}
    for number, (step, back) in enumerate(steps):
        now = 10.0 * (number + 1)
        if step.startswith("link"):
            world.send(add(x=step[-1], cookie="S"), at=minutes(now))
            if not marks or marks[-1][1] != step[-1]:
                marks.append((now, step[-1]))
        elif step == "logout":
            logout(world, "S", minutes(now))
            if marks and marks[-1][1] is not None:
                marks.append((now, None))
        else:
            when = now if step == "visit" else max(now - 10 * back - 5, 1)
            name = f"v{number}"
            visits[name] = when
            world.send(event(name, cookie="S", at=minutes(when)), at=minutes(now))
        for name in visits:
            owners = [who for who, card in people.items() if name in world.history_of(card)]
            assert len(owners) < 2
            owner = owners[0] if owners else None
            assert credited.get(name) in (None, owner)
            credited[name] = owner
    for name, when in visits.items():
        before = [who for since, who in marks if since <= when]
        first = marks[0][1] if marks else None
        assert credited[name] == (before[-1] if before else first), name
