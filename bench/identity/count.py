"""What became of the people: wrong merges, visits of others, links that were missed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from bench.identity.told import LABEL, NOBODY, Life, Told
from kartoteka.db.database import Database

Person = tuple[str, int, str]
"""(kind of life, its number, name)."""
_CARDS = """
select c.contact_id, o.contact_id
from unnest(%(ids)s::bigint[]) as c (contact_id)
cross join lateral contacts_of(%(account_id)s, array[c.contact_id]) o
join contact k on k.account_id = %(account_id)s and k.contact_id = o.contact_id and k.status = 0
"""
_VISITS = f"""
select e.params ->> '{LABEL}', o.contact_id
from event e
left join lateral contacts_of(%(account_id)s, array[e.owner_id]) o on true
where e.account_id = %(account_id)s and e.params ? '{LABEL}'
"""


_QUARANTINED = """
select kind, coalesce(long_value, value_key)
from identifier
where account_id = %(account_id)s and contact_id = 0
"""


class Counted(msgspec.Struct):
    """Figures of one kind of life under one set of rules."""

    people: int = 0
    wrong_merges: int = 0
    """People who stand on the card of another, though they said who they are."""
    missed_links: int = 0
    """Cards that somebody has beside the first one."""
    visits: int = 0
    wrong_visits: int = 0
    """Credited to another, though it was said who was there."""
    lost_visits: int = 0
    """Credited to nobody, though it was said who was there."""
    unknowable: int = 0
    """Visits and requests of somebody who did not say so: another was there before or after."""

    def __add__(self, other: Counted) -> Counted:
        both = zip(msgspec.structs.astuple(self), msgspec.structs.astuple(other), strict=True)
        return Counted(*(one + two for one, two in both))


class Verdicts(msgspec.Struct):
    """Figures by kind of life, and a sentence for everything that is wrong."""

    by_kind: dict[str, Counted]
    wrong: list[str]
    quarantined: list[str] = []
    """Values that name nobody any more (D6)."""

    @property
    def all(self) -> Counted:
        return sum(self.by_kind.values(), Counted())


async def count(
    database: Database,
    account_id: int,
    lives: Sequence[Life],
    came_to: Mapping[tuple[str, int], list[tuple[Told, int | None]]],
) -> Verdicts:
    """`came_to`: of each life its contact calls, and the contact each one came to."""
    given = {one for answers in came_to.values() for _, one in answers if one is not None}
    spelled = "{" + ",".join(map(str, sorted(given))) + "}"
    rows = await database.fetch(_CARDS, account_id=account_id, ids=spelled)
    now = dict(rows)
    on_card: dict[int, set[Person]] = {}
    cards: dict[Person, set[int]] = {}
    verdicts = Verdicts({life.kind: Counted() for life in lives}, [])
    for life in lives:
        for told, contact_id in came_to[life.kind, life.number]:
            card = now.get(contact_id or 0)
            if told.names_them and card is not None:
                person = (life.kind, life.number, told.who)
                on_card.setdefault(card, set()).add(person)
                cards.setdefault(person, set()).add(card)
    for person, theirs in cards.items():
        figures = verdicts.by_kind[person[0]]
        figures.people += 1
        figures.missed_links += len(theirs) - 1
    for card, people in on_card.items():
        if len(people) > 1:
            verdicts.by_kind[next(iter(people))[0]].wrong_merges += len(people) - 1
            verdicts.wrong.append(f"contact {card} is {sorted(people)}")
    _count_shared(verdicts, lives, came_to, now, on_card)
    visits = dict(await database.fetch(_VISITS, account_id=account_id))
    for life in lives:
        _count_visits(verdicts, life, visits, on_card)
    stand = await database.fetch(_QUARANTINED, account_id=account_id)
    verdicts.quarantined = sorted(value for _, value in stand)
    return verdicts


def _count_shared(verdicts, lives, came_to, now, on_card) -> None:
    """Requests that name nothing of one's own, and came to somebody else."""
    for life in lives:
        for told, contact_id in came_to[life.kind, life.number]:
            people = on_card.get(now.get(contact_id or 0, 0), set())
            if not told.names_them and people and (life.kind, life.number, told.who) not in people:
                verdicts.by_kind[life.kind].unknowable += 1


def _count_visits(
    verdicts: Verdicts,
    life: Life,
    visits: Mapping[str, int | None],
    on_card: Mapping[int, set[Person]],
) -> None:
    figures = verdicts.by_kind[life.kind]
    for label, (who, carrier, at) in life.visits.items():
        if label not in visits:
            continue  # destroyed with somebody who was erased
        figures.visits += 1
        believed = life.believed[carrier].at(at) if carrier in life.believed else NOBODY
        credited = on_card.get(visits[label] or 0, set())
        if _is(life, who, credited):
            continue
        if not credited:
            figures.lost_visits += believed == who
        elif believed != who and _is(life, believed, credited):
            figures.unknowable += 1
        else:
            figures.wrong_visits += 1
            verdicts.wrong.append(f"{label} of {who} at {at:%d %H:%M} went to {sorted(credited)}")


def _is(life: Life, who: str, people: Iterable[Person]) -> bool:
    return (life.kind, life.number, who) in people
