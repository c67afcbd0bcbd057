"""Rows on a real PostgreSQL: batches of any size come to the same, and a dry run says what happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kartoteka.contacts.model import Command, ImportRow
from kartoteka.imports.model import RowOutcome
from tests.faults.conftest import Shop
from tests.faults.importing import another_shop, carry_out, everything, live_through, meant
from tests.hunting import EXAMPLES
from tests.rules.contacts.random_rows import PAST, files

SETTINGS = st.fixed_dictionaries(
    {
        "absorb": st.sampled_from(["contained", "contained", "anonymous", "never"]),
        "phone_is_personal": st.booleans(),
        "keep_former_ids": st.booleans(),
    }
)
FILE = files(16).filter(bool)
few = settings(
    max_examples=EXAMPLES or 20,
    phases=[Phase.explicit, Phase.generate],  # each step of shrinking would take a second
    deadline=None,
    database=None,
    derandomize=not EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

CARDS = """
    select contact_id, to_jsonb(c) - '{account_id,contact_id,version,created_at,updated_at,removed_at,
           merged_into}'::text[], merged_into
    from contact c where account_id = %(account)s
"""
IDENTIFIERS = """
    select contact_id, kind, value_key, former, rule, app, device, attributes
    from identifier where account_id = %(account)s
"""
LISTS = """
    select m.contact_id, s.name
    from segment_member m join segment s using (account_id, segment_id)
    where account_id = %(account)s
"""
EVENTS = """
    select owner_id, key_value, params - 'contactId'
    from event where account_id = %(account)s and type_key = 'welcome'
"""
HISTORY = """
    select contact_id, action, rule, other_contact_id, identifiers
    from identity_history where account_id = %(account)s order by history_id
"""


def comparable(shop: Shop, known: Sequence[int], lines: Sequence[RowOutcome]) -> Any:
    """What came of it, with contacts by the order in which they came instead of their ids."""
    place: dict[int | None, int] = {contact_id: at for at, contact_id in enumerate(known)}
    for line in lines:
        if line.contact_id is not None:
            place.setdefault(line.contact_id, len(place))
    place[None] = -1
    account = shop.account.account_id
    read = [shop.rows(sql, account=account) for sql in (CARDS, IDENTIFIERS, LISTS, EVENTS)]
    cards, identifiers, lists, events = read
    history: dict[int, list[Any]] = {}
    for contact_id, action, rule, other, named in shop.rows(HISTORY, account=account):
        history.setdefault(place[contact_id], []).append((action, rule, place[other], named))
    for _, card, _ in cards:
        for saying in card["proof"]:
            saying[1] = None  # when it was said
            saying[5] = _kinds(saying[5])
            saying[7:] = [place[absorbed] for absorbed in saying[7:]]
        card["last_word"] = card["last_word"] is not None  # a digest, of this account's ids as well
    told = [
        msgspec.structs.replace(
            line,
            contact_id=place[line.contact_id],
            value=_placed(place, line.value),
            merged_with=[place[one] for one in line.merged_with],
        )
        for line in lines
    ]
    return {
        "statement": told,
        "cards": {place[who]: (card, place[survivor]) for who, card, survivor in cards},
        "identifiers": sorted((place[row[0]], *map(str, row[1:])) for row in identifiers if row[0]),
        "lists": sorted((place[who], name) for who, name in lists),
        "events": sorted((place[row[0]], *map(str, row[1:])) for row in events),
        "history": history,
    }


def _kinds(found_by: str | None) -> list[str]:
    """What found the card, without the hashes, which are the account's own."""
    return [one.partition(":")[0] for one in (found_by or "").split()]


def _placed(place: dict[int | None, int], value: str | None) -> str | None:
    """A row's unique value, unless it is the contact id."""
    by_id = value is not None and value.isdecimal() and int(value) in place
    return f"contact {place[int(value or 0)]}" if by_id else value


@few
@given(PAST, FILE, SETTINGS)
async def test_rows_in_batches_of_any_size_come_to_the_same(
    shop: Shop, past: list[Command], rows: list[ImportRow], chosen: dict[str, Any]
):
    """One by one, in sevens, all at once: outcomes, cards, identifiers, lists, events, history."""
    came = []
    for size in (1, 7, 100):
        mine = await another_shop(shop, **chosen)
        known = await live_through(mine, past)
        _, lines = await carry_out(mine, [meant(row, known) for row in rows], size)
        came.append(comparable(mine, known, lines))
    assert came[0] == came[1] == came[2]


@few
@given(PAST, FILE, SETTINGS)
async def test_a_dry_run_says_what_then_happens_and_leaves_nothing(
    shop: Shop, past: list[Command], rows: list[ImportRow], chosen: dict[str, Any]
):
    """D27: each batch sees those before; ids of contacts that would be new are not told."""
    mine = await another_shop(shop, **chosen)
    known = await live_through(mine, past)
    rows = [meant(row, known) for row in rows]
    before = everything(mine)
    _, dry = await carry_out(mine, rows, 5, dry_run=True)
    assert everything(mine) == before
    _, real = await carry_out(mine, rows, 5)
    assert dry == [without_new(line, known) for line in real]


def without_new(line: RowOutcome, known: Sequence[int]) -> RowOutcome:
    contact_id = line.contact_id if line.contact_id in known else None
    merged_with = [one for one in line.merged_with if one in known]
    return msgspec.structs.replace(line, contact_id=contact_id, merged_with=merged_with)
