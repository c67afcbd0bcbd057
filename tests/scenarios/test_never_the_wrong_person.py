"""Households, shared devices and namesakes: nobody gets a stranger's card (decisions D10a, D12, D13)."""

from __future__ import annotations

import httpx

from tests.scenarios.test_guide import get, post, values


def test_two_people_log_in_on_one_tablet(api: httpx.Client) -> None:
    """The tablet's token follows who logs in last; the cards stay two."""
    ann = post(api, externalCustomerId="T-ANN", email="t-ann@example.com", mobilepush="tablet")
    ben = post(api, externalCustomerId="T-BEN", email="t-ben@example.com", mobilepush="tablet")
    assert ann != ben
    assert values(get(api, ann), "mobilepush") == []
    assert values(get(api, ben), "mobilepush") == ["tablet"]
    assert post(api, externalCustomerId="T-ANN", mobilepush="tablet") == ann
    assert values(get(api, ben), "mobilepush") == []


def test_another_person_registers_on_the_same_tablet(api: httpx.Client) -> None:
    """A card found only by a token is not taken by somebody with another e-mail (D10a)."""
    cleo = post(api, email="t-cleo@example.com", mobilepush="tablet-2")
    dan = post(api, email="t-dan@example.com", mobilepush="tablet-2", firstName="Dan")
    assert cleo != dan
    assert values(get(api, cleo), "email") == ["t-cleo@example.com"]
    assert values(get(api, dan), "mobilepush") == ["tablet-2"]


def test_a_family_shares_a_phone(api: httpx.Client) -> None:
    """A phone alone proves no person whose e-mail is another (D10a)."""
    emma = post(api, email="f-emma@example.com", sms="380671110001", firstName="Emma")
    finn = post(api, email="f-finn@example.com", sms="380671110001", firstName="Finn")
    assert emma != finn
    assert values(get(api, emma), "sms") == values(get(api, finn), "sms") == ["380671110001"]


def test_a_family_shares_a_phone_and_a_tablet(api: httpx.Client) -> None:
    """Both together are evidence, but not against another e-mail (docs/decisions/0003)."""
    gus = post(api, email="f-gus@example.com", sms="380671110002", mobilepush="tablet-3")
    hal = post(api, email="f-hal@example.com", sms="380671110002", mobilepush="tablet-3")
    assert gus != hal
    assert values(get(api, gus), "email") == ["f-gus@example.com"]


def test_namesakes_with_one_mailbox_are_absorbed_only_when_nothing_contradicts(
    api: httpx.Client,
) -> None:
    """D13: the same e-mail under another first name stays a card of its own."""
    ivy = post(api, email="f-ivy@example.com", firstName="Ivy")
    jo = post(api, externalCustomerId="F-JO", sms="380671110003", firstName="Jo")
    assert post(api, externalCustomerId="F-JO", email="f-ivy@example.com") == jo
    assert get(api, ivy)["firstName"] == "Ivy"
    kim = post(api, email="f-kim@example.com", firstName="Kim")
    max_ = post(api, externalCustomerId="F-KIM", sms="380671110004", firstName=" kim ")
    assert post(api, externalCustomerId="F-KIM", email="f-kim@example.com") == max_
    followed = api.get(f"/contact/{kim}")
    assert followed.json()["id"] == max_
    assert followed.headers["Kartoteka-Contact"] == str(max_)
    refused = api.delete(f"/contact/{kim}")
    assert refused.status_code == 409
    assert refused.json()["code"] == "contact_merged"


def test_guests_of_a_shop_are_many_people(api: httpx.Client) -> None:
    """D6: `null`, `guest`, blanks and the shop's own guest address name nobody."""
    words = ["", " ", "null", "guest", "00000000-0000-0000-0000-000000000000", "[object Object]"]
    cards = {
        post(api, externalCustomerId=word, email=f"guest{number}@example.com")
        for number, word in enumerate(words)
    }
    assert len(cards) == len(words)
    api.patch("/account/settings", json={"never_identifiers": ["guest@shop.example"]})
    try:
        one = post(api, email="guest@shop.example", externalCustomerId="G-1")
        two = post(api, email="guest@shop.example", externalCustomerId="G-2")
        assert one != two
        assert values(get(api, two), "email") == ["guest@shop.example"]
    finally:
        api.patch("/account/settings", json={"never_identifiers": []})
