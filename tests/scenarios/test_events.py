"""Guide G6 at an event, and behaviour that comes before the person is known (part 3)."""

from __future__ import annotations

from typing import Any

import httpx

from tests.scenarios.test_guide import post


def happens(api: httpx.Client, key: str, **params: Any) -> None:
    url = str(api.base_url).replace("/api/v1/", "/api/v3/event")
    answer = api.post(url, json={"eventTypeKey": key, "params": params})
    assert (answer.status_code, answer.content) == (200, b""), answer.text


def history(api: httpx.Client, contact_id: int) -> list[str]:
    listed = api.get(f"/contact/{contact_id}/timeline")
    assert listed.status_code == 200, listed.text
    return [item["key"] for item in reversed(listed.json())]


def test_at_an_event_everything_goes_by_external_id(api: httpx.Client) -> None:
    """Guide G6: other identifiers change meanwhile, the lasting ones too; the history stays hers."""
    anna = post(api, externalCustomerId="G6E-ANNA", email="anna@old-events.example")
    happens(api, "loggedIn", externalCustomerId="G6E-ANNA")
    assert post(api, externalCustomerId="G6E-ANNA", email="anna@new-events.example") == anna
    happens(api, "bought", externalCustomerId="G6E-ANNA", email="anna@old-events.example")
    assert history(api, anna) == ["loggedIn", "bought"]
    card = api.get(f"/contact/{anna}").json()
    assert card["channels"] == [{"type": "email", "value": "anna@new-events.example"}]
    # Whoever gets the old address is somebody else, and has none of it.
    other = post(api, email="anna@old-events.example", firstName="Other")
    assert other != anna
    assert history(api, other) == []


def test_what_came_before_the_person_is_theirs(api: httpx.Client) -> None:
    """The shop tells of a new customer's order before it tells of the customer."""
    happens(api, "started", deviceId="g6e-device")
    happens(api, "paid", externalCustomerId="G6E-BOB", deviceId="g6e-device")
    bob = post(api, externalCustomerId="G6E-BOB", email="bob@events.example", deviceId="g6e-device")
    happens(api, "delivered", externalCustomerId="G6E-BOB")
    assert history(api, bob) == ["started", "paid", "delivered"]


def test_two_people_at_one_computer(api: httpx.Client) -> None:
    """D37: what is once a person's stays theirs; what follows is the other's."""
    happens(api, "looked", webId="g6e-shared")
    anna = post(api, externalCustomerId="G6E-A", webId="g6e-shared")
    happens(api, "a bought", webId="g6e-shared")
    bob = post(api, externalCustomerId="G6E-B", webId="g6e-shared")
    happens(api, "b bought", webId="g6e-shared")
    assert (history(api, anna), history(api, bob)) == (["looked", "a bought"], ["b bought"])
    assert api.delete(f"/contact/{bob}", params={"erase": "true"}).status_code == 200
    assert history(api, anna) == ["looked", "a bought"]
