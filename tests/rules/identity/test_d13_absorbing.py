"""D13: a contact that says nothing that the request's contact contradicts is absorbed."""

from __future__ import annotations

from typing import Any

import pytest

from kartoteka.identity.model import Settings
from tests.rules.world import World

Said = dict[str, Any]
HOME = "home@x.ua"


def two(world: World, mine: Said, other: Said) -> tuple[int, int]:
    """A, which the request will find by External ID `A`, and a B without any."""
    second = world.post(**other).id
    first = world.post(x="A", **mine).id
    assert first != second
    return first, second


@pytest.mark.parametrize(
    ("mine", "other", "request_", "absorbed"),
    [
        pytest.param({}, {"token": "T"}, {"token": "T"}, True, id="purely anonymous: whole"),
        pytest.param({}, {"device": "D"}, {"device": "D"}, True, id="an anonymous device"),
        pytest.param(
            {}, {"token": "T", "device": "D", "web": "W"}, {"token": "T"}, True, id="all it holds"
        ),
        pytest.param(
            {},
            {"token": "T", "email": HOME},
            {"token": "T", "email": HOME},
            True,
            id="same mailbox",
        ),
        pytest.param(
            {"email": HOME},
            {"token": "T", "phone": "380501"},
            {"token": "T"},
            False,
            id="its phone",
        ),
        pytest.param({}, {"token": "T", "email": HOME}, {"token": "T"}, False, id="its e-mail"),
        pytest.param(
            {"email": "a@x.ua"},
            {"token": "T", "email": HOME},
            {"token": "T"},
            False,
            id="another mailbox",
        ),
        pytest.param({}, {"x": "B", "token": "T"}, {"token": "T"}, False, id="an External ID"),
        pytest.param(
            {}, {"first": "Ann", "token": "T"}, {"token": "T"}, True, id="a name nobody contradicts"
        ),
        pytest.param(
            {"first": "Bob"}, {"first": "Ann", "token": "T"}, {"token": "T"}, False, id="A's name"
        ),
        pytest.param(
            {},
            {"first": "Ann", "token": "T"},
            {"token": "T", "first": "Bob"},
            False,
            id="the request's name",
        ),
        pytest.param(
            {"first": "Bob"},
            {"first": "Ann", "token": "T"},
            {"token": "T", "first": "Ann"},
            False,
            id="A's name before the request, though the request agrees",
        ),
        pytest.param(
            {"last": "Low"},
            {"last": "Lee", "token": "T"},
            {"token": "T"},
            False,
            id="A's last name",
        ),
        pytest.param(
            {},
            {"last": "Lee", "token": "T"},
            {"token": "T", "last": "Low"},
            False,
            id="the request's last name",
        ),
        pytest.param(
            {"first": "Ann"},
            {"first": " aNN", "token": "T"},
            {"token": "T"},
            True,
            id="case and blanks aside",
        ),
    ],
)
def test_contained(world: World, mine: Said, other: Said, request_: Said, absorbed: bool) -> None:
    """D13: no External ID, every lasting identifier one of A's after the request, no other name."""
    first, second = two(world, mine, other)
    found = world.post(x="A", **request_)
    assert found.id == first
    assert found.absorbed == ([second] if absorbed else [])
    assert world.status(second) == ("merged" if absorbed else "live")


def test_lasting_identifiers_after_the_request_count(world: World) -> None:
    """D13: A gets the e-mail by this very request."""
    first, second = two(world, {"email": "old@x.ua"}, {"token": "T", "email": HOME})
    assert world.post(x="A", email=HOME).absorbed == [second]
    assert world.has(first) == {"A", HOME, "T"}


def test_a_replaced_email_no_longer_counts(world: World) -> None:
    """D13, D17: what A has after the request, not before."""
    first, second = two(world, {"email": HOME}, {"token": "T", "phone": "380501"})
    world.put(second, email=HOME)
    world.put(second, clear="sms")
    assert world.status(second) == "live"
    assert world.post(x="A", email="new@x.ua", token="T").absorbed == []
    assert world.has(first) == {"A", "new@x.ua", "T"}


def test_a_former_external_id_is_one(world: World) -> None:
    """D11: *has an External ID* in D8–D13 includes former ones."""
    other = world.post(x="B", token="T").id
    world.put(other, x="B2")
    world.put(other, clear="externalCustomerId")
    assert world.post(x="A", token="T").absorbed == []


@pytest.mark.parametrize("method", ["post", "put", "subscribe"])
def test_it_runs_after(world: World, method: str) -> None:
    """D13: after POST contact, PUT and subscribe."""
    first, second = two(world, {}, {"token": "T"})
    act = {"post": world.post, "subscribe": world.subscribe}
    found = act[method](x="A", token="T") if method in act else world.put(first, token="T")
    assert found.absorbed == [second]


def test_it_does_not_run_after_an_app_token(world: World) -> None:
    """D13 names its methods: an app token only moves (D12)."""
    first, second = two(world, {}, {"telegram": "G"})
    found = world.app_token("G", x="A")
    assert (found.id, found.absorbed, world.status(second)) == (first, [], "live")


def test_a_new_contact_absorbs_too(world: World) -> None:
    """D13: the request's contact may be new (D9: the other one is somebody else's by name)."""
    other = world.post(token="T").id
    taken = world.post(device="D").id
    found = world.post(x="A", token="T", device="D")
    assert (found.id, found.absorbed) == (other, [taken])


def test_restore_absorbs_with_the_restored_contacts_own_identifiers(world: World) -> None:
    """D13: for restore with the restored contact's own identifiers."""
    mine = world.post(x="A", email=HOME).id
    world.remove(mine)
    other = world.post(email=HOME).id
    assert other != mine
    back = world.put(mine, first="Ann")
    assert (back.absorbed, world.status(other)) == ([other], "merged")


def test_several_by_contact_id(world: World) -> None:
    """D13: in the order of their ids, whatever the order in the request."""
    ids = [world.post(token=token).id for token in ("T", "U", "V")]
    mine = world.post(x="A").id
    found = world.post(x="A", token=("V", "T", "U"))
    assert (found.id, found.absorbed) == (mine, ids)


def test_the_first_of_several_fills_the_gap(world: World) -> None:
    """D13, D14: by contact id, so the smaller id's name stays."""
    world.post(token="T", town="Kyiv")
    world.post(token="U", town="Lviv")
    mine = world.post(x="A").id
    world.post(x="A", token=("U", "T"))
    assert world.card(mine).town == "Kyiv"


def test_only_by_its_name(world: World) -> None:
    """D13: it is listed as a possible duplicate."""
    _, second = two(world, {"first": "Bob"}, {"first": "Ann", "token": "T"})
    found = world.post(x="A", token="T")
    assert found.warnings == ["possible_duplicate"]
    assert world.status(second) == "live"


def test_failing_by_more_than_its_name_is_no_duplicate(world: World) -> None:
    """D13: only by its name."""
    two(world, {"first": "Bob"}, {"first": "Ann", "token": "T", "phone": "380501"})
    assert world.post(x="A", token="T").warnings == []


def test_a_removed_one_is_never_absorbed(world: World) -> None:
    """D13."""
    _, second = two(world, {}, {"token": "T"})
    world.remove(second)
    found = world.post(x="A", token="T")
    assert (found.absorbed, world.status(second)) == ([], "removed")


@pytest.mark.parametrize(
    ("setting", "anonymous", "contained"),
    [("contained", True, True), ("anonymous", True, False), ("never", False, False)],
)
def test_setting_absorb(setting: str, anonymous: bool, contained: bool) -> None:
    """D13 *(setting `absorb`)*."""
    for other, expected in (
        ({"token": "T"}, anonymous),
        ({"token": "T", "email": HOME}, contained),
    ):
        world = World(Settings(absorb=setting))
        _, second = two(world, {}, other)
        found = world.post(x="A", **other)
        assert (found.absorbed == [second]) is expected
        assert world.owners("token", "T") == [found.id]


def test_the_rule_in_the_history(world: World) -> None:
    """D26: which kind of absorbing it was."""
    world.post(token="T")
    world.post(token="U", email=HOME)
    world.post(x="A")
    world.post(x="A", token=("T", "U"), email=HOME)
    rules = [line.rule for line in world.history if line.action == "absorbed"]
    assert rules == ["absorbed_anonymous", "absorbed_contained"]
