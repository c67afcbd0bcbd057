"""Laws that hold after any sequence of commands, whatever the people do.

The alphabet is small on purpose: three people, two mailboxes, two phones and two devices meet often.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kartoteka.contacts.model import AddContact, Command, UpdateContact
from kartoteka.errors import KartotekaError
from kartoteka.identity.kinds import EMAIL, EXTERNAL_ID, PHONE
from kartoteka.identity.model import Card, Settings, Status
from kartoteka.identity.policies import EXCLUSIVE
from tests.hunting import EXAMPLES
from tests.rules import stories
from tests.rules.world import Answer, World

MAYBE = {
    "x": ["A", "B", "C"],
    "email": ["a@x.ua", "b@x.ua"],
    "phone": ["380501", "380502"],
    "token": ["T", "U"],
    "device": ["D"],
    "cookie": ["K"],
    "first": ["Ann", "Bob"],
}
SAID = st.fixed_dictionaries({}, optional={name: st.sampled_from(of) for name, of in MAYBE.items()})
LASTING = SAID.map(
    lambda said: {name: said[name] for name in ("x", "email", "phone") if name in said}
)
IDS = st.integers(1, 6)
EMAILS = st.sampled_from(MAYBE["email"])
CLEARABLE = ["externalCustomerId", "formerExternalIds", "email", "sms", "mobilepush", "firstName"]
CLEAR = st.lists(st.sampled_from(CLEARABLE), max_size=2).map(",".join)
LISTS = st.lists(st.sampled_from(["one", "two"]), max_size=2).map(tuple)
KEYS = st.lists(st.sampled_from(["news", "sale"]), max_size=2, unique=True)

ADD = SAID.map(lambda said: stories.add(**said))
SUBSCRIBE = st.builds(
    lambda said, lists, keys: stories.subscribe(groups=lists, subscriptions=tuple(keys), **said),
    SAID,
    LISTS,
    KEYS,
)
COMMAND: st.SearchStrategy[Command] = st.one_of(
    ADD,
    ADD,
    SUBSCRIBE,
    st.builds(lambda who, said, clear: stories.put(who, clear=clear, **said), IDS, SAID, CLEAR),
    IDS.map(stories.remove),
    st.builds(lambda x: stories.remove(x=x), st.sampled_from(MAYBE["x"])),
    IDS.map(stories.erase),
    st.builds(lambda x: stories.erase(x=x), st.sampled_from(MAYBE["x"])),
    st.builds(
        lambda said, who: stories.app_token("G", contact_id=who, **said), LASTING, st.none() | IDS
    ),
    st.builds(lambda who, keys: stories.set_subscriptions(who, *keys), IDS, KEYS),
    EMAILS.map(stories.unsubscribe),
    EMAILS.map(stories.forgive),
)
COMMANDS = st.lists(COMMAND, max_size=14)
MERGING = st.lists(
    st.one_of(
        COMMAND,
        COMMAND,
        st.builds(stories.merge, IDS, IDS),
        st.integers(1, 30).map(stories.undo),
    ),
    max_size=18,
)
"""With merges by hand, and undos of whatever merge there is (D28)."""
SETTINGS = st.builds(
    Settings,
    absorb=st.sampled_from(["contained", "contained", "anonymous", "never"]),
    phone_is_personal=st.booleans(),
    keep_former_ids=st.booleans(),
)
many = settings(max_examples=EXAMPLES or 150, deadline=None)


def after(commands: list[Command], chosen: Settings | None = None) -> World:
    world = World(chosen)
    for command in commands:
        world.batch([command])
    return world


@many
@given(MERGING, SETTINGS)
def test_one_owner_and_one_card_for_each(commands: list[Command], chosen: Settings) -> None:
    """D2, D11: an External ID, former ones included, or a token never stands on two cards."""
    world = after(commands, chosen)
    exclusive = [key[:2] for key in world.rows if key[0] in EXCLUSIVE]
    assert max(Counter(exclusive).values(), default=1) == 1
    primary = [card.external_id for card in map(world.card, world.cards) if card.external_id]
    assert max(Counter(primary).values(), default=1) == 1
    shared = [(row[0], row[1], row[3]) for row in world.rows.values()]
    assert max(Counter(shared).values(), default=1) == 1


@many
@given(MERGING, SETTINGS)
def test_cards_agree_with_their_identifiers(commands: list[Command], chosen: Settings) -> None:
    """The card's columns are what its rows say; retired and erased cards have none (D14, D29)."""
    world = after(commands, chosen)
    for who in world.cards:
        card, held = world.card(who), world.held(who)
        named = {
            kind: [one for one in held if one.kind == kind.code] for kind in stories.KIND.values()
        }
        assert [one.value for one in named[EMAIL]] == ([card.email] if card.email else [])
        assert [one.value for one in named[PHONE]] == ([card.phone] if card.phone else [])
        ids = named[EXTERNAL_ID]
        assert [one.value for one in ids if not one.former] == (
            [card.external_id] if card.external_id else []
        )
        assert sum(one.former for one in ids) == card.former_ids
        if card.status in (Status.MERGED, Status.ERASED):
            assert held == []
        assert (card.status == Status.MERGED) is (card.merged_into is not None) or (
            card.status == Status.ERASED
        )
    assert {row[3] for row in world.rows.values()} <= world.cards.keys()


@many
@given(MERGING, SETTINGS)
@example([*(stories.app_token("G", x=x) for x in "ABC"), stories.erase(2)], Settings())
def test_history_explains_every_identifier(commands: list[Command], chosen: Settings) -> None:
    """D26: told from the beginning, the history comes to what the cards hold now. Only what moved to
    somebody who was erased since is not told any more (D29)."""
    world = after(commands, chosen)
    told: dict[int, set[tuple[str, str]]] = {who: set() for who in world.cards}
    for line in world.history:
        named = {(one["kind"], one["value"]) for one in line.identifiers or ()}
        mine = told[line.contact_id]
        if line.action in ("dropped", "quarantined"):
            mine -= named
        elif line.action == "erased":
            mine.clear()
        elif line.action not in ("refused", "said"):
            mine |= named
            if line.other is not None:
                told[line.other] -= named
    held = {
        who: {(one["kind"], one["value"]) for one in map(_named, world.held(who))}
        for who in world.cards
    }
    untold = {line.other for line in world.history if line.identifiers is None}
    for who in world.cards:
        assert held[who] <= told[who] if who in untold else held[who] == told[who]


def _named(held: Any) -> dict[str, Any]:
    return {"kind": stories.KIND[_NAMES[held.kind]].name, "value": held.value}


_NAMES = {kind.code: name for name, kind in stories.KIND.items()}


@many
@given(COMMANDS, SETTINGS)
def test_an_absorbed_card_comes_back_as_it_was(commands: list[Command], chosen: Settings) -> None:
    """D15: the snapshot in the history is the card, its identifiers and lists before the request."""
    world = World(chosen)
    for command in commands:
        before = {
            who: (world.card(who), world.held(who), world.lists_of(who)) for who in world.cards
        }
        seen = len(world.history)
        world.batch([command])
        for line in world.history[seen:]:
            if line.action == "absorbed":
                assert line.other is not None
                card, held, lists = world.snapshot(line.other)
                names = {name for number, name in enumerate(world.lists) if number in lists}
                assert (card, held, names) == before[line.other]


@many
@given(COMMANDS, SETTINGS)
def test_a_merge_never_subscribes(commands: list[Command], chosen: Settings) -> None:
    """D14: the survivor is at least as restrictive as each of the cards that it absorbs."""
    world = World(chosen)
    for command in commands:
        (answer,) = world.batch([command])
        says_nothing = isinstance(command, AddContact) or (
            isinstance(command, UpdateContact) and not command.clear
        )
        if isinstance(answer, Answer) and says_nothing:
            for other in answer.absorbed:
                absorbed, _, _ = world.snapshot(other)
                for channel, state in absorbed.consent.items():
                    assert world.card(answer.id).consent[channel] >= state


@many
@given(COMMANDS, SETTINGS, st.one_of(ADD, SUBSCRIBE))
def test_the_same_request_twice(
    commands: list[Command], chosen: Settings, request: Command
) -> None:
    """D22: the same contact; POST contact then says `unchanged`, subscribe `new: false`."""
    world = after(commands, chosen)
    (first,) = world.batch([request])
    cards = len(world.cards)
    (second,) = world.batch([request])
    if isinstance(first, KartotekaError):
        assert type(second) is type(first)
        return
    assert isinstance(second, Answer)
    assert second.id == first.id
    assert len(world.cards) == cards
    assert not second.outcome.new
    if isinstance(request, AddContact):
        assert second.came_to == "unchanged"


@many
@given(st.lists(st.lists(COMMAND, max_size=5), max_size=5), SETTINGS)
def test_one_by_one_equals_in_one_batch(batches: list[list[Command]], chosen: Settings) -> None:
    """design/architecture: one by one or many in a transaction gives the same cards and answers."""
    alone, together = World(chosen), World(chosen)
    for batch in batches:
        one_by_one = [answer for command in batch for answer in alone.batch([command])]
        assert [_told(one) for one in together.batch(batch)] == [_told(one) for one in one_by_one]
    assert _state(together) == _state(alone)


def _told(answer: Answer | KartotekaError) -> Any:
    return (
        str(answer) if isinstance(answer, KartotekaError) else msgspec.to_builtins(answer.outcome)
    )


def _state(world: World) -> dict[str, Any]:
    persons = [who for who in world.cards if world.card(who).status != Status.MERGED]
    return {
        "cards": {who: _plain(world.card(who)) for who in world.cards},
        "rows": {key: (row[3], *row[5:10]) for key, row in sorted(world.rows.items())},
        "lists": {who: world.lists_of(who) for who in persons},
        "refusals": {key: state for key, state in world.refusals.items() if state},
        "suppressed": {key: hashes for key, hashes in world.suppressions.items() if hashes},
        "events": sorted(map(repr, world.events)),
        "history": [
            (line.at, line.action, line.rule, line.contact_id, line.other) for line in world.history
        ],
    }


def _plain(card: Card) -> Any:
    return msgspec.to_builtins(card)
