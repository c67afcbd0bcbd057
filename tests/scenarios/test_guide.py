"""The use cases and methods of the guide, told step by step over HTTP (guide G1–G12, G15)."""

from __future__ import annotations

from typing import Any

import httpx


def contact(**said: Any) -> dict[str, Any]:
    """A contact as a client writes it: email, sms, mobilepush, webpush become channels."""
    types = ("email", "sms", "mobilepush", "webpush")
    channels = [{"type": kind, "value": said.pop(kind)} for kind in types if kind in said]
    return {"channels": channels, **said}


def post(api: httpx.Client, **said: Any) -> int:
    """POST contact; the id."""
    answer = api.post("/contact", json=contact(**said))
    assert answer.status_code == 200, answer.text
    number: int = answer.json()["id"]
    return number


def get(api: httpx.Client, contact_id: int) -> dict[str, Any]:
    answer = api.get(f"/contact/{contact_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def values(card: dict[str, Any], kind: str) -> list[str]:
    return [one["value"] for one in card.get("channels", []) if one["type"] == kind]


def test_an_app_is_installed_and_its_user_registers(api: httpx.Client) -> None:
    """Guide G4, check 1 of wire 14."""
    # (1–3) The app is installed and sends its token: a contact with that token is created.
    anonymous = post(api, mobilepush="token-of-alices-phone")
    assert values(get(api, anonymous), "mobilepush") == ["token-of-alices-phone"]
    # (4–6) Alice registers; her shop gives her an External ID and sends it with the rest.
    registered = post(
        api,
        externalCustomerId="ALICE-1",
        email="alice@example.com",
        sms="+380501112233",
        firstName="Alice",
        mobilepush="token-of-alices-phone",
    )
    # (7) The contact with that token is found and the same contact gets the new identifiers.
    assert registered == anonymous
    card = get(api, registered)
    assert card["externalCustomerId"] == "ALICE-1"
    assert values(card, "email") == ["alice@example.com"]
    assert values(card, "sms") == ["380501112233"]
    assert values(card, "mobilepush") == ["token-of-alices-phone"]


def test_a_visitor_of_a_website_registers(api: httpx.Client, database: Any) -> None:
    """Guide G5: a cookie alone makes no contact; registration brings it to the card."""
    before = database.execute("select count(*) from contact").fetchone()[0]
    alone = api.post("/contact", json={"channels": [], "webId": "cookie-of-bob"})
    assert alone.status_code == 400
    assert alone.json()["code"] == "no_identifier"
    assert database.execute("select count(*) from contact").fetchone()[0] == before
    answer = api.post(
        "/contact/subscribe",
        json={
            "contact": contact(
                email="bob@example.com", externalCustomerId="BOB-1", webId="cookie-of-bob"
            ),
            "groups": ["Newsletter"],
            "formType": "footer",
        },
    ).json()
    assert answer["new"] is True
    identity = api.get(f"/contact/{answer['id']}/identity").json()
    assert {"external_id", "email", "web_cookie"} == {
        one["kind"] for one in identity["identifiers"]
    }
    assert [group["name"] for group in get(api, answer["id"])["groups"]] == ["Newsletter"]
    rows = database.execute(
        "select type_key, key_value, params from event where owner_id = %s", (answer["id"],)
    ).fetchall()
    assert rows == [
        (
            "subscribeFromApi-footer",
            str(answer["id"]),
            {"ContactId": answer["id"], "EmailAddress": "bob@example.com"},
        )
    ]


def test_afterwards_everything_goes_by_external_id(api: httpx.Client) -> None:
    """Guide G6, G8.1, check 2 of wire 14: other identifiers may change, the lasting ones too."""
    first = post(api, externalCustomerId="CAROL-1", email="carol@old.example", sms="380501110001")
    again = post(api, externalCustomerId="CAROL-1", email="carol@new.example", sms="380501110002")
    assert again == first
    assert values(get(api, first), "email") == ["carol@new.example"]
    assert values(get(api, first), "sms") == ["380501110002"]
    assert api.get("/contacts", params={"email": "carol@old.example"}).json() == []


def test_a_client_without_external_ids_keeps_our_contact_id(api: httpx.Client) -> None:
    """Guide G7, G8.4, G9.3."""
    number = post(api, email="dora@example.com")
    assert post(api, email="Dora@Example.com", firstName="Dora") == number
    answer = api.put(f"/contact/{number}", json={"lastName": "Field"})
    assert answer.text == f"Contact with id='{number}' has been updated"
    assert get(api, number)["lastName"] == "Field"
    assert get(api, number)["firstName"] == "Dora"


def test_a_removed_contact_returns_with_its_external_id(api: httpx.Client) -> None:
    """Guide G8.2, check 3 of wire 14."""
    number = post(api, externalCustomerId="EVE-1", email="eve@example.com")
    assert api.delete("/contact", params={"externalCustomerId": "EVE-1"}).status_code == 200
    assert api.get("/contacts", params={"externalCustomerId": "EVE-1"}).json() == []
    assert api.get(f"/contact/{number}").status_code == 404
    assert post(api, externalCustomerId="EVE-1", firstName="Eve") == number
    assert values(get(api, number), "email") == ["eve@example.com"]


def test_an_unknown_external_id_makes_a_contact(api: httpx.Client) -> None:
    """Guide G8.3, G10; decisions D19: channels may be empty when there is an External ID."""
    number = post(api, externalCustomerId="00042")
    assert get(api, number)["externalCustomerId"] == "00042"
    assert post(api, externalCustomerId="42") != number


def test_update_contact_refuses_anothers_external_id(api: httpx.Client) -> None:
    """Guide G9.1, G9.2, check 5 of wire 14."""
    owner = post(api, externalCustomerId="FRED-1")
    other = post(api, email="fred@example.com")
    refused = api.put(f"/contact/{other}", json={"externalCustomerId": "FRED-1", "firstName": "X"})
    assert refused.status_code == 400
    assert refused.json()["code"] == "external_id_taken"
    assert str(owner) in refused.json()["message"]
    assert "firstName" not in get(api, other)
    accepted = api.put(f"/contact/{other}", json={"externalCustomerId": "FRED-2"})
    assert accepted.text == f"Contact with id='{other}' has been updated"
    assert get(api, other)["externalCustomerId"] == "FRED-2"


def test_subscribe_looks_for_external_id_then_email_then_phone(api: httpx.Client) -> None:
    """Guide G11, checks 6 and 7 of wire 14: what is there stays, what is missing is filled."""
    by_id = post(api, externalCustomerId="GINA-1", email="gina@example.com", sms="380501110011")
    by_email = post(api, email="other-gina@example.com")
    body = contact(externalCustomerId="GINA-1", email="other-gina@example.com")
    answer = api.post("/contact/subscribe", json={"contact": body}).json()
    assert (answer["id"], answer["new"]) == (by_id, False)
    assert values(get(api, by_id), "email") == ["gina@example.com"]
    body = contact(email="other-gina@example.com", sms="380501110012")
    answer = api.post("/contact/subscribe", json={"contact": body}).json()
    assert (answer["id"], answer["new"]) == (by_email, False)
    assert values(get(api, by_email), "sms") == ["380501110012"]
    body = contact(externalCustomerId="GINA-9", email="other-gina@example.com")
    answer = api.post("/contact/subscribe", json={"contact": body}).json()
    assert (answer["id"], answer["new"]) == (by_email, False)
    answer = api.post("/contact/subscribe", json={"contact": contact(sms="380501110099")}).json()
    assert answer["new"] is True
    assert "emailStatus" not in answer


def test_search_is_unique_by_external_id(api: httpx.Client) -> None:
    """Guide G12, check 12 of wire 14."""
    number = post(api, externalCustomerId="HANA-1", email="hana@example.com")
    found = api.get("/contacts", params={"externalCustomerId": "HANA-1"})
    assert [one["id"] for one in found.json()] == [number]
    assert found.headers["TotalCount"] == "1"
    both = api.get(
        "/contacts", params={"externalCustomerId": "HANA-1", "email": "hana@example.com"}
    )
    assert both.status_code == 400


def test_an_external_id_is_a_text_however_it_is_sent(api: httpx.Client) -> None:
    """Check 15 of wire 14."""
    number = post(api, externalCustomerId=4639541)
    assert post(api, externalCustomerId="4639541") == number
    assert get(api, number)["externalCustomerId"] == "4639541"


def test_app_tokens_go_to_whom_the_call_names_first(api: httpx.Client) -> None:
    """Check 20 of wire 14: contactId, External ID, phone, e-mail; nothing else is changed."""
    ida = post(api, externalCustomerId="IDA-1", email="ida@example.com", sms="380501110021")
    jan = post(api, externalCustomerId="JAN-1", email="jan@example.com")
    tokens = [
        {"token": "tg-1", "contactId": jan, "externalCustomerId": "IDA-1"},
        {"token": "tg-2", "externalCustomerId": "IDA-1", "email": "jan@example.com"},
        {"token": "tg-3", "phone": "+380501110029", "email": "ida@example.com"},
    ]
    assert api.post("/apps/app-1/tokens", json={"tokens": tokens}).status_code == 200
    owners = [api.get(f"/contact/token/app-1/tg-{n}/contactId").json()["id"] for n in (1, 2, 3)]
    assert owners == [jan, ida, ida]
    assert values(get(api, ida), "sms") == ["380501110021"]
    assert values(get(api, jan), "email") == ["jan@example.com"]


def test_contacts_without_an_external_id_are_a_segment(api: httpx.Client) -> None:
    """Guide G15, check 23 of wire 14: condition External ID is empty; each new one joins by itself."""
    without = post(api, email="without@example.com")
    post(api, externalCustomerId="WITH-1", email="with@example.com")
    condition = {"field": "externalCustomerId", "operator": "is_empty"}
    made = api.post("/segments", json={"name": "No External ID", "condition": condition})
    assert made.status_code == 200, made.text
    segment = made.json()["id"]
    assert api.get(f"/segments/{segment}").json()["description"] == "External ID is empty"

    def inside() -> set[int]:
        answer = api.get(f"/group/{segment}/contacts")
        assert int(answer.headers["TotalCount"]) == len(answer.json())
        return {one["id"] for one in answer.json()}

    assert without in inside()
    assert all("externalCustomerId" not in get(api, one) for one in inside())
    new = post(api, mobilepush="token-of-somebody-new")
    assert new in inside()
    post(api, externalCustomerId="NEW-1", mobilepush="token-of-somebody-new")
    assert new not in inside()


def test_identifiers_that_change_hands_do_not_use_up_contact_ids(
    api: httpx.Client, database: Any
) -> None:
    """Wire 2.1: clients read contact ids as 32-bit integers; a block of a thousand is a process's."""

    def given_out() -> int:
        ((last,),) = database.execute("select last_value from contact_id_block").fetchall()
        return int(last)

    owners = ("Hand-1", "Hand-2")
    for owner in owners:
        post(api, externalCustomerId=owner)
    before = given_out()
    for turn in range(20):
        post(api, externalCustomerId=owners[turn % 2], deviceId="Hand", webId="Hand")
    assert given_out() - before < 10_000
