"""Commands in one batch come to what they come to one after the other (design/engine.md)."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from kartoteka.contacts.model import Outcome, Repeat
from kartoteka.errors import IdempotencyMismatch
from kartoteka.identity.kinds import EMAIL, EXTERNAL_ID, MOBILE_TOKEN
from tests.faults.conftest import Shop
from tests.rules.stories import add, erase, forgive, put, remove, subscribe, unsubscribe


async def test_a_value_that_came_with_another_card_is_not_known_yet(shop: Shop):
    """Loading all of B brings one row of a shared e-mail; C, who shares it, loses it all the same."""
    b = await shop.id(add(x="B", email="family@x.example"))
    c = await shop.id(add(x="C", email="family@x.example"))
    await shop.id(add(x="D", token="TD"))
    await shop.id(add(token="T", x="B"))
    await shop.together(add(x="D", token="T"), put(c, email="own@x.example"))
    assert shop.holders(EMAIL.code, "family@x.example") == [b]
    shop.check()


async def test_a_restored_contact_absorbs_through_its_own_identifiers(shop: Shop):
    """D13: B came while A was removed, with A's e-mail and nothing that A contradicts."""
    a = await shop.id(add(x="A", email="a@x.example", first="Alice"))
    await shop.id(remove(a))
    b = await shop.id(add(email="a@x.example"))
    assert b != a
    restored = await shop.send(add(x="A"))
    assert restored.resolution.outcome == "restored"
    assert restored.resolution.absorbed == [b]
    assert shop.holders(EMAIL.code, "a@x.example") == [a]


async def test_more_people_than_are_read_share_an_address(shop: Shop):
    """Rows beyond the thousandth of one value are not loaded; they can still come and go."""
    outcomes = await asyncio.gather(
        *(shop.send(add(x=f"X{n}", email="desk@x.example")) for n in range(1005))
    )
    await shop.send(add(x="late", email="desk@x.example"))
    last = outcomes[-1].resolution.contact_id
    assert last is not None
    await shop.send(put(last, email="own@x.example"))
    await shop.send(put(last, email="desk@x.example"))
    await shop.send(put(last, clear="email"))
    assert len(shop.holders(EMAIL.code, "desk@x.example")) == 1005


async def test_erased_and_named_again_in_one_batch_is_not_suppressed(shop: Shop):
    """D29: the shop named the person after the erase, so nothing refuses them."""
    await shop.send(add(x="X", email="a@x.example"))
    _, again = await shop.together(erase(x="X"), add(x="X", email="a@x.example"))
    assert isinstance(again, Outcome)
    assert again.resolution.outcome == "created"
    assert shop.holders(EXTERNAL_ID.code, "X") == [again.resolution.contact_id]
    assert shop.rows("select kind from suppression") == []


@pytest.mark.parametrize("first_refused", [True, False])
async def test_the_last_word_about_an_address_counts(shop: Shop, first_refused: bool):
    """The list and the card say the same, in one batch as in two."""
    await shop.send(add(x="X", email="a@x.example"))
    words = [unsubscribe("a@x.example"), forgive("a@x.example")]
    if not first_refused:
        await shop.send(words[0])
        words.reverse()
    await shop.together(*words)
    refused = not first_refused
    assert bool(shop.rows("select state from address_refusal")) == refused
    [(consent,)] = shop.rows("select (consent->>'email')::int from contact")
    assert (consent == 3) == refused


async def test_a_new_contact_inherits_what_its_address_refused_in_the_same_batch(shop: Shop):
    _, made = await shop.together(unsubscribe("a@x.example"), add(x="X", email="a@x.example"))
    assert isinstance(made, Outcome)
    assert shop.rows("select consent->>'email' from contact") == [("3",)]


async def test_an_erase_takes_the_refusal_that_came_in_the_same_batch(shop: Shop):
    await shop.send(add(x="X", email="a@x.example"))
    await shop.together(unsubscribe("a@x.example"), erase(x="X"))
    assert shop.rows("select value_key from address_refusal") == []
    again = await shop.send(add(x="X", email="a@x.example"))
    assert again.resolution.outcome == "created"
    assert shop.rows("select consent->>'email' from contact where status = 0") == [("3",)]


async def test_absorbed_in_a_chain_within_one_batch(shop: Shop):
    """B goes to A and A to C; B's list, event and token arrive at C."""
    await shop.send(subscribe(token="T1", groups=("News",)))
    await shop.send(add(token="T2"))
    await shop.together(add(token="T2", email="a@x.example"), add(x="C", token=("T1", "T2")))
    [c] = shop.holders(EXTERNAL_ID.code, "C")
    assert shop.holders(MOBILE_TOKEN.code, "T1") == [c]
    [(owner,)] = shop.rows("select owner_id from event")
    way = "select merged_into from contact where contact_id = %(id)s"
    while (after := shop.rows(way, id=owner)) != [(None,)]:
        [(owner,)] = after
    assert owner == c


async def test_create_absorb_and_erase_in_one_batch(shop: Shop):
    await shop.together(
        subscribe(email="a@x.example", token="T", groups=("News",)),
        subscribe(x="A", email="a@x.example", groups=("News", "Sale")),
        add(x="B", token="T"),
        erase(x="A"),
        add(x="A", token="T2"),
    )
    assert len(shop.holders(EXTERNAL_ID.code, "A")) == 1
    assert shop.holders(EMAIL.code, "a@x.example") == []


async def test_a_chain_of_many_merges_is_followed(shop: Shop):
    """D14: through any chain."""
    first = await shop.id(add(email="a@x.example"))
    for n in range(60):
        survivor = await shop.id(add(token=f"T{n}"))
        absorbed = await shop.send(put(survivor, email="a@x.example"))
        assert len(absorbed.resolution.absorbed) == 1
    assert await shop.id(put(first, first="Alice")) == survivor


async def test_a_restored_contact_meets_many_who_share_its_address(shop: Shop):
    a = await shop.id(add(x="A", email="desk@x.example"))
    await shop.together(*(add(x=f"X{n}", email="desk@x.example") for n in range(70)))
    await shop.send(remove(a))
    assert (await shop.send(add(x="A"))).resolution.outcome == "restored"


async def test_an_erase_takes_the_answers_stored_in_the_same_batch(shop: Shop):
    """D29: a stored answer may name a token that moved."""
    a = await shop.id(add(x="A"))
    await shop.send(add(token="T"))
    keyed = add(x="A", token="T")
    keyed.repeat = Repeat(b"digest", "key of the client")
    _, erased = await shop.together(keyed, erase(a))
    assert isinstance(erased, Outcome)
    assert shop.rows("select answer from replay") == []


async def test_the_same_idempotency_key_in_two_processes_counts_once(two_shops):
    """D22: whoever is later gets the stored answer, or 422 for another body."""
    one, other = two_shops
    for n in range(20):
        same, different = add(token=f"T{n}"), add(token=f"U{n}")
        same.repeat = Repeat(b"same", f"key {n}")
        different.repeat = Repeat(b"different", f"key {n}")
        again = msgspec.structs.replace(same)
        answers = await asyncio.gather(
            one.send(same), other.send(again), other.send(different), return_exceptions=True
        )
        ids = {
            getattr(answer, "resolution", None) and answer.resolution.contact_id
            for answer in answers
        }
        assert len(ids - {None}) == 1, answers
        assert any(isinstance(answer, IdempotencyMismatch) for answer in answers)
    assert len(one.rows("select contact_id from contact")) == 20


async def test_a_move_writes_the_rows_of_both_cards(shop: Shop):
    """design/engine: who waits for the lock of either of them runs again."""
    await shop.send(add(x="A", token="T"))
    await shop.send(add(x="B", token="T"))
    assert shop.rows("select external_id, version from contact order by 1") == [("A", 2), ("B", 1)]
