"""The law of evidence: the chain told alone makes the link; without any one of its requests it does not
(decisions D26). Each command of a history has a request id of its own."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kartoteka.contacts.model import Command
from kartoteka.contacts.what_if import Known as Besides
from kartoteka.contacts.what_if_store import names_said, who_made
from kartoteka.contacts.why import Known, Reasons, why
from kartoteka.errors import KartotekaError
from kartoteka.identity.evidence import Row
from kartoteka.identity.kinds import BY_CODE
from kartoteka.identity.model import Origin, Settings
from kartoteka.identity.never import NeverIdentifiers
from tests.hunting import EXAMPLES
from tests.rules import stories
from tests.rules.identity import test_laws as alphabet
from tests.rules.stored import through_text
from tests.rules.world import World

COMMANDS = st.lists(
    st.one_of(alphabet.ADD, alphabet.ADD, alphabet.SUBSCRIBE), min_size=1, max_size=10
)
law = settings(
    max_examples=EXAMPLES or 60,
    deadline=None,
    derandomize=not EXAMPLES,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def tell(world: World, commands: list[Command]) -> list[Any]:
    """Each under its own request id: its place."""
    return [world.batch([command])[0] for command in commands]


def known(world: World, who: int) -> Known:
    """What `Why.person` reads."""
    cards = {who, *(one for one in world.cards if world.survivor(one) == who)}
    followed = set(cards)
    by_device: set[int] = set()
    for line in reversed(world.history):
        came = line.rule == "follows_device" or line.action == "absorbed"
        came = came or (line.action == "moved" and line.contact_id in by_device)
        if came and line.contact_id in followed and line.other:
            followed.add(line.other)
            if line.rule == "follows_device" or line.contact_id in by_device:
                by_device.add(line.other)
    undone = {line.undoes for line in world.history}
    rows = [
        Row(
            place,
            line.at,
            line.action,
            line.rule,
            line.contact_id,
            line.other,
            line.method,
            line.request_id,
            line.key_id,
            line.identifiers,
            line.by,
            place in undone,
        )
        for place, line in enumerate(world.history, 1)
        if {line.contact_id, line.other} & followed and line.action != "said"
    ]
    snapshots = {
        line.other: through_text(line.snapshot)
        for line in world.history
        if line.action == "absorbed" and line.snapshot is not None
    }
    card = msgspec.convert(through_text(world.card(who)), type(world.card(who)))
    absorbed = [(one["card"], other) for other, one in snapshots.items()]
    stand = [(through_text(world.card(one)), one) for one in world.cards]
    names = [
        (one["first_name"], one["last_name"], one["proof"], contact_id)
        for one, contact_id in [*absorbed, *stand]
    ]
    besides = Besides(
        names_said(names, who_made(rows)),
        list(world.apart),
        {row[:2]: row[9] for row in world.rows.values() if row[9]},
    )
    return Known(card, world.held(who), cards, rows, snapshots, besides)


def requests(reasons: Reasons) -> list[int]:
    return sorted({int(step.request_id) for step in reasons.chain})


def numbered(commands: list[Command]) -> list[Command]:
    return [
        msgspec.structs.replace(one, origin=Origin(one.origin.at, str(place), 1, one.origin.method))
        for place, one in enumerate(commands)
    ]


@law
@given(COMMANDS)
def test_the_chain_of_an_identifier_is_the_shortest_that_is_enough(commands) -> None:
    """Told alone it makes the link; nothing shorter does, so neither it without any one element."""
    commands = numbered(commands)
    world = World()
    answers = tell(world, commands)
    kept = recorded(world, answers)
    for who in world.live():
        external_id = world.card(who).external_id
        for held in world.held(who):
            kind = BY_CODE[held.kind].name
            if external_id is None or kind == "external_id":
                continue
            reasons = why(known(world, who), kind, held.value)
            assert reasons.complete
            chain = requests(reasons)
            if not set(chain) <= kept:
                continue
            assert links(commands, chain, held.key, external_id), chain
            for shorter in range(len(chain)):
                for some in combinations(sorted(kept), shorter):
                    assert not links(commands, list(some), held.key, external_id), (chain, some)
            assert any(reasons.brings(step) for step in reasons.chain)


@law
@given(COMMANDS)
def test_without_an_external_id_it_leads_to_what_created_the_card(commands) -> None:
    commands = numbered(commands)
    world = World()
    answers = tell(world, commands)
    for who in world.live():
        if world.card(who).external_id is not None:
            continue
        for held in world.held(who):
            reasons = why(known(world, who), BY_CODE[held.kind].name, held.value)
            assert reasons.complete
            chain = requests(reasons)
            if not set(chain) <= recorded(world, answers):
                continue
            assert made(commands, chain, held.key, creator(world, who)), chain
            for one in chain:
                rest = [other for other in chain if other != one]
                assert not made(commands, rest, held.key, creator(world, who)), (chain, one)


def recorded(world: World, answers: list[Any]) -> set[int]:
    """Requests of which the history has all that they named: none of it was refused or left out."""
    with_rows = {int(line.request_id) for line in world.history}
    return {place for place in with_rows if not answers[place].warnings}


def test_a_token_that_came_with_its_device_through_others() -> None:
    """Who said that it belongs to the device, and who has the device now: what lies between is not
    needed."""
    commands = numbered(
        [
            stories.add(x="C", email="a@x.ua", token="U", device="D"),
            stories.add(x="B", token="U", cookie="K", first="Ann"),
            stories.add(x="B", email="a@x.ua", phone="380501", device="D", cookie="K"),
            stories.add(x="A", email="a@x.ua", device="D"),
        ]
    )
    world = World()
    *_, last = tell(world, commands)
    reasons = why(known(world, last.id), "mobile_token", "U")
    assert (reasons.complete, requests(reasons)) == (True, [0, 3])
    assert [reasons.brings(one) for one in reasons.chain] == [True, False]


def test_without_telling_again_the_walk_counts() -> None:
    """Other settings than those that made the link do not make it: then what was walked is shown."""
    commands = numbered(
        [
            stories.add(email="a@x.ua", token="T"),
            stories.add(x="A", email="a@x.ua"),
        ]
    )
    world = World()
    tell(world, commands)
    reasons = why(
        known(world, 1),
        "mobile_token",
        "T",
        Settings(never=NeverIdentifiers(frozenset(["a@x.ua"]))),
    )
    assert (reasons.complete, requests(reasons)) == (True, [0, 1])


SAID = [("firstName", "first_name"), ("consent.email", "email")]


@law
@given(COMMANDS, st.sampled_from(SAID))
def test_the_chain_of_a_value_is_enough_and_all_of_it_is_needed(commands, said) -> None:
    """One of its requests said what stands; without another, that would be said of somebody else."""
    kind, name = said
    commands = numbered(commands)
    world = World()
    answers = tell(world, commands)
    for who in world.live():
        external_id = world.card(who).external_id
        if external_id is None or value(world, who, name) is None:
            continue
        reasons = why(known(world, who), kind, None)
        assert reasons.complete
        chain = requests(reasons)
        if any(answers[one].warnings for one in chain):
            continue
        assert stands(commands, chain, external_id, name) == value(world, who, name), chain
        [says] = [int(one.request_id) for one in reasons.chain if reasons.brings(one)]
        for one in chain:
            rest = [other for other in chain if other != one]
            if one == says:
                continue
            assert says not in came(commands, rest, external_id), (chain, one)


def creator(world: World, who: int) -> str:
    """The request that created the card."""
    [line] = [one for one in world.history if (one.action, one.contact_id) == ("created", who)]
    return line.request_id


def made(commands: list[Command], chain: list[int], key: Any, by: str) -> bool:
    """Whether these requests alone put the identifier on the card that this one created."""
    world = retold(commands, chain)
    return any(
        creator(world, row[3]) == by for row_key, row in world.rows.items() if row_key[:2] == key
    )


def value(world: World, who: int, name: str) -> Any:
    card = world.card(who)
    return card.consent.get(name) if name == "email" else getattr(card, name)


def stands(commands: list[Command], chain: list[int], external_id: str, name: str) -> Any:
    world = retold(commands, chain)
    [owner] = world.owners("x", external_id)
    return value(world, owner, name)


def came(commands: list[Command], chain: list[int], external_id: str) -> set[int]:
    """Which of these requests came to the card with this External ID."""
    world = World()
    answers = tell(world, [commands[one] for one in chain])
    owner = world.owners("x", external_id)
    return {
        one
        for one, answer in zip(chain, answers, strict=True)
        if not isinstance(answer, KartotekaError) and world.survivor(answer.id) in owner
    }


def retold(commands: list[Command], chain: list[int]) -> World:
    world = World()
    tell(world, [commands[one] for one in chain])
    return world


def links(commands: list[Command], chain: list[int], key: Any, external_id: str) -> bool:
    """Whether these requests alone put the identifier on the card with this External ID."""
    world = retold(commands, chain)
    owner = world.owners("x", external_id)
    holders = {row[3] for row_key, row in world.rows.items() if row_key[:2] == key}
    return bool(owner) and owner[0] in holders
