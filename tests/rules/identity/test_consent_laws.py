"""Laws of united consent (decisions D14): the order of merges says nothing, and no merge subscribes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kartoteka.identity.model import Consent
from kartoteka.identity.rules import stricter
from tests.rules.world import World

CONSENT = st.dictionaries(
    st.sampled_from(("email", "sms", "category:news", "category:sale")),
    st.sampled_from([int(one) for one in Consent]),
)
quick = settings(deadline=None)


@quick
@given(CONSENT)
def test_with_itself_nothing_changes(one: dict[str, int]) -> None:
    assert stricter(one, one) == one


@quick
@given(CONSENT, CONSENT)
def test_either_way_round_is_the_same(one: dict[str, int], other: dict[str, int]) -> None:
    assert stricter(one, other) == stricter(other, one)


@quick
@given(CONSENT, CONSENT, CONSENT)
def test_of_three_the_order_says_nothing(
    one: dict[str, int], two: dict[str, int], three: dict[str, int]
) -> None:
    assert stricter(stricter(one, two), three) == stricter(one, stricter(two, three))


@quick
@given(CONSENT, CONSENT)
def test_nobody_may_be_written_to_more_than_before(
    one: dict[str, int], other: dict[str, int]
) -> None:
    """A refusal of either stays; what none of them said is not said."""
    united = stricter(one, other)
    assert united.keys() == one.keys() | other.keys()
    for name, state in united.items():
        assert state >= max(one.get(name, 0), other.get(name, 0))


def test_a_merge_and_its_undo_leave_refusals_where_they_were() -> None:
    world = World()
    ann = world.post(x="A", email="ann@x.ua").id
    ben = world.post(email="ben@x.ua", token="U").id
    world.unsubscribe("ben@x.ua")
    world.merge(ann, ben)
    assert world.consent(ann)["email"] == "unsubscribed"
    world.undo()
    assert (world.consent(ann)["email"], world.consent(ben)["email"]) == (
        "subscribed",
        "unsubscribed",
    )
