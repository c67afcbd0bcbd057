"""The law of evidence: the chain told alone makes the link; without any one of its requests it does not
(decisions D26). Each command of a history has a request id of its own."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kartoteka.contacts.model import Command
from kartoteka.contacts.why import Known, Reasons, why
from kartoteka.identity.evidence import Row
from kartoteka.identity.kinds import BY_CODE
from kartoteka.identity.model import Origin
from tests.rules.identity import test_laws as alphabet
from tests.rules.identity.test_undo_law import EXAMPLES
from tests.rules.world import World, through_text

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
    for line in reversed(world.history):
        came = line.rule == "follows_device" or line.action == "absorbed"
        if came and line.contact_id in followed and line.other:
            followed.add(line.other)
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
    return Known(card, world.held(who), cards, rows, snapshots)


def requests(reasons: Reasons) -> list[int]:
    return sorted({int(step.request_id) for step in reasons.chain})


def numbered(commands: list[Command]) -> list[Command]:
    return [
        msgspec.structs.replace(one, origin=Origin(one.origin.at, str(place), 1, one.origin.method))
        for place, one in enumerate(commands)
    ]


@law
@given(COMMANDS)
def test_the_chain_of_an_identifier_is_enough_and_all_of_it_is_needed(commands) -> None:
    commands = numbered(commands)
    world = World()
    tell(world, commands)
    for who in world.live():
        card = world.card(who)
        if card.external_id is None:
            continue
        for held in world.held(who):
            kind = BY_CODE[held.kind].name
            if kind == "external_id":
                continue
            reasons = why(known(world, who), kind, held.value)
            assert reasons.complete
            chain = requests(reasons)
            assert links(commands, chain, held.key, card.external_id), chain
            for one in chain:
                rest = [other for other in chain if other != one]
                assert not links(commands, rest, held.key, card.external_id), (chain, one)


@law
@given(COMMANDS)
def test_the_chain_of_a_name_is_enough(commands) -> None:
    commands = numbered(commands)
    world = World()
    tell(world, commands)
    for who in world.live():
        card = world.card(who)
        if card.external_id is None or card.first_name is None:
            continue
        reasons = why(known(world, who), "firstName", None)
        if not reasons.complete:  # carried by a token that came with its device and left again
            continue
        chain = requests(reasons)
        said = retold(commands, chain)
        owner = said.owners("x", card.external_id)
        assert owner, chain
        assert said.card(owner[0]).first_name == card.first_name, chain


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
