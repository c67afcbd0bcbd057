"""Every link says why, every non-link says why not (decisions D26)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.test_merges import channels, make


def ask(api: httpx.Client, contact_id: int, kind: str, value: str = "") -> dict[str, Any]:
    answer = api.get(f"/api/v1/contact/{contact_id}/why", params={"kind": kind, "value": value})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_chain_leads_to_the_external_id(api: httpx.Client, name: str):
    token = ("mobilepush", f"T-{name}")
    ann = make(api, externalCustomerId=f"A-{name}", channels=channels(("email", f"{name}@x.ua")))
    make(api, firstName="Ann", channels=channels(("email", f"{name}@x.ua"), token))
    said = ask(api, ann, "mobile_token")
    assert said["anchor"] == {"kind": "external_id", "value": f"A-{name}"}
    assert [one["rules"] for one in said["chain"]] == [["new_external_id"], ["given"]]
    assert said["complete"] is True
    first = ask(api, ann, "firstName", "Ann")
    assert [one["method"] for one in first["chain"]] == ["addContact", "addContact"]
    assert [one["gives"] for one in first["chain"]] == ["link", "value"]
    consent = ask(api, ann, "consent.email")
    assert (consent["value"], len(consent["chain"])) == ("subscribed", 1)
    api.post("/api/v1/emails/unsubscribed/add", json={"emails": [f"{name}@x.ua"]})
    refused = ask(api, ann, "consent.email")
    assert (refused["value"], refused["chain"][-1]["rules"]) == (
        "unsubscribed",
        ["unsubscribe_list"],
    )


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("email", "Why.{0}@Bücher.EXAMPLE", "why.{0}@xn--bcher-kva.example"),
        ("phone", "+380 (67) 123-00-77", "380671230077"),
        ("sms", "067 123 00 77", "380671230077"),
        ("externalCustomerId", " W-{0} ", "W-{0}"),
        ("mobilepush", "WT-{0}", "WT-{0}"),
        ("webId", "WC-{0}", "WC-{0}"),
        ("deviceId", "WD-{0}", "WD-{0}"),
        ("personal.birthday", "1990-01-02", "1990-01-02"),
        ("consent", "", "subscribed"),
    ],
)
def test_a_value_is_asked_for_as_people_write_it(
    api: httpx.Client, name: str, kind: str, value: str, shown: str
):
    """D4: e-mails in any case and with a Unicode domain, phones in any notation; kinds as on the wire."""
    token = ("mobilepush", f"WT-{name}")
    birthday = api.get("/api/v1/addressbooks").json()["addressBook"]["fieldGroups"]
    groups = birthday if isinstance(birthday, list) else [birthday]
    [field] = [
        one["id"] for group in groups for one in group["fields"] if one["name"] == "Birthday"
    ]
    who = make(
        api,
        externalCustomerId=f"W-{name}",
        webId=f"WC-{name}",
        deviceId=f"WD-{name}",
        fields=[{"id": field, "value": "1990-01-02"}],
        channels=channels(("email", f"why.{name}@bücher.example"), ("sms", "380671230077"), token),
    )
    assert ask(api, who, kind, value.format(name))["value"] == shown.format(name).replace(
        f"why.{name}", f"why.{name}".lower()
    )


def test_a_value_that_a_merge_brought(api: httpx.Client, name: str):
    ann = make(api, externalCustomerId=f"A-{name}")
    other = make(api, lastName="Lee", channels=channels(("mobilepush", f"T-{name}")))
    api.post("/api/v1/merges", json={"keep": ann, "absorb": other})
    chain = ask(api, other, "lastName")["chain"]
    assert [one["method"] for one in chain] == ["addContact", "addContact", "mergeContacts"]
    assert chain[-1]["rules"] == ["merged_by_request"]


def test_what_does_not_stand_there_is_not_explained(api: httpx.Client, name: str):
    ann = make(api, externalCustomerId=f"A-{name}")
    path = f"/api/v1/contact/{ann}/why"
    for kind in ("email", "firstName", "consent.email", "fields.99"):
        answer = api.get(path, params={"kind": kind})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_on_contact")
    for params in ({}, {"kind": "shoe size"}):
        assert api.get(path, params=params).status_code == 400
    assert api.get("/api/v1/contact/999999999/why", params={"kind": "email"}).status_code == 404


@pytest.mark.parametrize(
    ("one", "other", "rule"),
    [
        ({"externalCustomerId": "A"}, {"externalCustomerId": "B"}, "has_external_id"),
        ({"email": "1"}, {"email": "2"}, "lasting_identifier_differs"),
        (
            {"externalCustomerId": "A", "email": "1", "firstName": "Ann"},
            {"email": "1", "sms": "380671112233"},
            "lasting_identifier_differs",
        ),
    ],
)
def test_why_not(api: httpx.Client, name: str, one: Any, other: Any, rule: str):
    ids = []
    for said in (one, other):
        named = [("email", f"{said['email']}-{name}@x.ua")] if "email" in said else []
        named += [("sms", said["sms"])] if "sms" in said else []
        body = {key: said[key] for key in said if key not in ("email", "sms")}
        if "externalCustomerId" in body:
            body["externalCustomerId"] += name
        ids.append(make(api, **body, channels=channels(*named)))
    if ids[0] == ids[1]:
        assert api.get("/api/v1/why-not", params={"a": ids[0], "b": ids[1]}).json()["rule"] == (
            "the_same_contact"
        )
        return
    answer = api.get("/api/v1/why-not", params={"a": ids[0], "b": ids[1]})
    assert (answer.status_code, answer.json()["rule"]) == (200, rule)


def test_why_not_after_an_undo_and_after_not_the_same(api: httpx.Client, name: str):
    ann = make(api, externalCustomerId=f"A-{name}")
    other = make(api, channels=channels(("mobilepush", f"T-{name}")))
    pair = {"a": ann, "b": other}
    assert api.get("/api/v1/why-not", params=pair).json()["rule"] == "no_request_named_both"
    merge = api.post("/api/v1/merges", json={"keep": ann, "absorb": other}).json()["id"]
    assert api.get("/api/v1/why-not", params=pair).json()["rule"] == "the_same_contact"
    api.post(f"/api/v1/merges/{merge}/undo")
    assert api.get("/api/v1/why-not", params=pair).json()["rule"] == "undone"
    third = make(api, channels=channels(("mobilepush", f"U-{name}")))
    said = {"contactId": ann, "otherId": third}
    api.post("/api/v1/duplicates/not-the-same", json=said)
    assert (
        api.get("/api/v1/why-not", params={"a": ann, "b": third}).json()["rule"] == "not_the_same"
    )
    assert api.get("/api/v1/why-not", params={"a": ann}).status_code == 400
