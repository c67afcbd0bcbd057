"""The law of undo, over random histories before the merge and after it (decisions D28, guide G8)."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, Phase, assume, event, given, reject, settings
from hypothesis import strategies as st

from kartoteka.activity.visitors.model import LogOut, PushToken
from kartoteka.contacts.model import Command
from kartoteka.contacts.undo import ExternalIdElsewhere, PersonErased
from kartoteka.identity.model import Settings, Status
from tests.hunting import EXAMPLES
from tests.rules import stories
from tests.rules.identity import test_laws as alphabet
from tests.rules.identity.undo_law import Pair, same
from tests.rules.world import World

NUMBERS = st.sampled_from(["O-1", "O-2", "O-3"])
MOMENTS = st.integers(0, 40).map(lambda minutes: stories.START + timedelta(minutes=minutes))
WHOM = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(alphabet.MAYBE[name]) for name in ("x", "email", "phone")}
)
ORDERS = st.one_of(
    st.builds(
        lambda number, whom, cost, date, **said: stories.order(
            number, cost=cost, date=date, **said, **whom
        ),
        NUMBERS,
        alphabet.SAID,
        st.integers(1, 3),
        MOMENTS,
        status=st.sampled_from(["DELIVERED", "DELIVERED", "CANCELLED", "INITIALIZED"]),
        currency=st.sampled_from([None, "EUR"]),
        items=st.sampled_from([None, ["1"], ["1", "2"]]),
    ),
    NUMBERS.map(stories.delete_order),
)
EVENTS = st.builds(
    lambda key, whom, at, who, message: stories.event(
        key, at=at, contact_id=who, message=message, **whom
    ),
    st.sampled_from(["seen", "bought"]),
    alphabet.SAID,
    st.none() | MOMENTS,
    st.none() | st.none() | alphabet.IDS,
    st.none() | st.sampled_from(["m1", "m2"]),
)
STEP = st.one_of(
    st.builds(lambda at: stories.visit(at=at), MOMENTS),
    st.builds(lambda whom, at: stories.claim(at, **whom), WHOM, MOMENTS),
    MOMENTS.map(LogOut),
    MOMENTS.map(lambda at: PushToken("W", at)),
)
VISITS = st.builds(
    lambda steps, cookie: stories.visited(*steps, cookie=cookie),
    st.lists(STEP, min_size=1, max_size=3),
    st.sampled_from(["K", "L"]),
)
APPS = st.one_of(
    st.builds(
        lambda said, trusted, groups, keys: stories.app(
            trusted=trusted, groups=groups, subscriptions=tuple(keys), **said
        ),
        alphabet.SAID.map(lambda said: {"device": "D", **said}),
        st.booleans(),
        alphabet.LISTS,
        alphabet.KEYS,
    ),
    st.builds(stories.push_said, st.sampled_from(["T", "U"])),
    st.builds(lambda at, said: stories.identify(at, **said), MOMENTS, alphabet.SAID),
    st.builds(lambda on: stories.activate("T", active=on), st.booleans()),
)
MORE: st.SearchStrategy[Command] = st.one_of(
    alphabet.COMMAND,
    alphabet.COMMAND,
    ORDERS,
    EVENTS,
    VISITS,
    APPS,
    st.builds(lambda who: stories.attach(0, who), alphabet.IDS),
    st.builds(lambda who: stories.detach(0, who), alphabet.IDS),
    st.builds(
        lambda said: stories.row(stories.rules("email", groups=("one",)), **said),
        alphabet.SAID.filter(lambda said: "email" in said),
    ),
)
BEFORE = st.lists(MORE, min_size=2, max_size=10)
AFTER = st.lists(MORE, min_size=1, max_size=8)
law = settings(
    max_examples=EXAMPLES or 60,
    deadline=None,
    derandomize=not EXAMPLES,
    report_multiple_bugs=False,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def _world(commands: list[Command], chosen: Settings) -> World:
    world = World(chosen)
    world.list_id("one")
    world.segmented("bought")
    for command in commands:
        world.batch([command])
    return world


def _check(pair: Pair, after: list[Command]) -> None:
    for command in after:
        pair.send(command)
    event(f"{min(pair.told, 5)} requests since")
    undo(pair.merged, pair.merge)
    assert same(pair.merged, pair.apart) == []
    if not any(line.action == "erased" for line in pair.merged.history):
        assert pair.merged.replayed() == pair.merged.standing()  # as `identity verify` (D26)


def undo(world: World, merge_id: int) -> None:
    """Erasing somebody else who shared a value is stronger than an undo (D29)."""
    try:
        world.undo(merge_id)
    except PersonErased:
        erased = any(line.action == "erased" for line in world.history)
        assert erased
        reject()
    except ExternalIdElsewhere:  # somebody else came with it since it was cleared
        reject()


@law
@given(BEFORE, AFTER, alphabet.SETTINGS, st.randoms(use_true_random=False))
def test_after_an_undo_the_merge_never_happened(before, after, chosen, random) -> None:
    """By hand, of any two contacts."""
    world = _world(before, chosen)
    live = world.live()
    assume(len(live) > 1)
    keep, absorb = random.sample(live, 2)
    pair = Pair(world, keep, absorb)
    pair.join()
    _check(pair, after)


@law
@given(BEFORE, alphabet.SAID, AFTER, st.randoms(use_true_random=False))
def test_after_an_undo_of_an_automatic_merge_too(before, said, after, random) -> None:
    """A request by External ID that names an identifier of somebody else absorbs them. What the
    absorbed one had it has again, also what the request itself named (D28 before D12)."""
    world = _world(before, Settings())
    keep = world.post(x="A", **{name: said[name] for name in said if name != "x"}).id
    anonymous = [
        who
        for who in world.live()
        if who != keep
        and {one.kind for one in world.held(who)} - {1, 2, 3}
        and not _lasting(world, who)
    ]
    if not anonymous:
        anonymous = [world.post(telegram="V").id]
        assume(anonymous != [keep])
    absorb = random.choice(anonymous)
    [first, *_] = [one for one in world.held(absorb) if one.kind > 3]
    name = next(name for name, kind in stories.KIND.items() if kind.code == first.kind)
    pair = Pair(world, keep, absorb)
    assume(pair.merged.post(x="A", last="Last", **{name: first.value}).absorbed == [absorb])
    pair.merge = pair.merged.last_merge()
    pair.apart.not_the_same(keep, absorb)
    pair.apart.now = world.now
    pair.apart.post(x="A", last="Last")
    _check(pair, after)


def _lasting(world: World, who: int) -> bool:
    return any(one.kind <= 3 for one in world.held(who))


@settings(law, max_examples=EXAMPLES or 15)
@given(BEFORE, AFTER, AFTER, st.randoms(use_true_random=False))
def test_two_merges_are_undone_one_after_the_other(before, between, after, random) -> None:
    """Of three contacts: the last merge first; each undo comes to what never happened."""
    world = _world(before, Settings())
    live = world.live()
    assume(len(live) > 2)
    one, two, three = random.sample(live, 3)
    pair = {one, two}
    inner = Pair(world, two, three)
    inner.join()
    for command in between:
        inner.send(command)
    assume(pair <= set(inner.merged.live()))
    first = inner.merge
    outer = Pair(inner.merged, one, two, first=50_000)
    outer.join()
    for command in after:
        outer.send(command)
    undo(outer.merged, outer.merge)
    assert same(outer.merged, outer.apart) == []
    assume(first in outer.merged.merges() and outer.apart.merges() == [first])
    undo(outer.merged, first)
    undo(outer.apart, first)
    assert same(outer.merged, outer.apart) == []
    assert all(outer.merged.status(who) != "merged" for who in (one, two, three))
    assert Status.MERGED not in [outer.merged.card(who).status for who in (one, two, three)]
