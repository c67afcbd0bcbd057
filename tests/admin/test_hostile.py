"""Part 7: every value on a page is an attacker's text: markup, quotes, overrides, far too long."""

from __future__ import annotations

from typing import Any

import pytest

from tests.admin.conftest import shoot

SCRIPT = "<script>alert(1)</script>"
QUOTES = "\"'><img src=x onerror=alert(1)>"
TURNED = "\u202egnp.exe"
LONG = "W" * 10_000
VALUES = (SCRIPT, QUOTES, TURNED)

_FOUND = """() => {
    const wrong = [];
    for (const one of document.querySelectorAll("*")) {
        for (const attribute of one.getAttributeNames()) {
            if (attribute.startsWith("on")) wrong.push(`${one.tagName} ${attribute}`);
        }
    }
    if (document.querySelector("img, iframe, object, embed, #content script")) wrong.push("markup");
    const isolated = "bdi, [dir=auto], title, desc, option, textarea, pre, svg text";
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const node = walker.currentNode;
        if (node.data.includes("\\u202e") && !node.parentElement.closest(isolated)) {
            wrong.push("turns what follows: " + node.parentElement.outerHTML.slice(0, 120));
        }
    }
    return wrong;
}"""
_WIDTH = "document.documentElement.scrollWidth"


def mallory(api: Any, name: str, number: int) -> int:
    """Somebody whose every value means harm."""
    value = VALUES[number % len(VALUES)]
    body = {
        "externalCustomerId": f"{name}{number}{value}"[:255],
        "firstName": value[:40],
        "lastName": QUOTES[:40],
        "contactKey": value,
        "address": {
            "town": TURNED,
            "address": "W" * 255,
            "region": SCRIPT,
            "postcode": QUOTES[:20],
        },
        "channels": [
            {"type": "sms", "value": "+380671900077"},
            {"type": "webpush", "value": f"{name}{number}{value}{'W' * 3_000}"},
        ],
        "deviceId": f"{name}{number}{QUOTES}",
    }
    answer = api.post("/api/v1/contact", json=body)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["id"])


@pytest.fixture
def paths(api, owner, name) -> list[str]:
    """Every page of contacts, cards, segments, duplicates and quarantine that shows such values."""
    one, other, third = (mallory(api, name, number) for number in range(3))
    who = {"name": "externalCustomerId", "value": f"{name}0{SCRIPT}"}
    params = [who, *({"name": f"p{n} {value}", "value": value} for n, value in enumerate(VALUES))]
    params.append({"name": "long", "value": LONG})
    event = {"eventTypeKey": f"seen {TURNED}", "keyValue": name, "params": params}
    assert api.post("/api/v2/event", json=event).status_code == 200
    item = {"externalItemId": SCRIPT, "name": QUOTES, "quantity": 1, "cost": 1}
    order = {"externalOrderId": f"{name}{QUOTES}{TURNED}", "externalCustomerId": who["value"],
             "totalCost": 1, "status": "DELIVERED", "date": "2026-01-01T10:00:00.000Z",
             "currency": "EUR", "items": [item]}  # fmt: skip
    assert api.post("/api/v1/orders", json={"orders": [order]}).text in ("", "{}")
    owner.submit("/admin/settings/categories", key=f"{name}{QUOTES}"[:90], name=f"{name}{TURNED}")
    owner.submit(
        "/admin/settings/fields/new", name=f"{QUOTES}{TURNED}", list_name=SCRIPT, type="TEXTFIELD",
        key=f"K{name.upper()}",
    )  # fmt: skip
    segments = []
    for value in VALUES:
        condition = {"any": [
            {"field": "contactKey", "operator": "equals", "value": value},
            {"field": "firstName", "operator": "one_of", "value": ["W" * 4_000, value]},
        ]}  # fmt: skip
        said = {"name": f"{name}{value}{'W' * 100}", "condition": condition}
        segments.append(api.post("/api/v1/segments", json=said).json()["id"])
    made = owner.submit("/admin/segments/new-list", name=f"{name} list {QUOTES}{TURNED}")
    list_id = made.headers["location"].rpartition("/")[2]
    api.post(f"/api/v1/group/{list_id}/contacts/attach", json={"contactIds": [one, other]})
    merge = {"keep": one, "absorb": other}
    api.post("/api/v1/merges", json=merge).raise_for_status()
    merge_id = api.get("/api/v1/merges", params={"contactId": one}).json()[0]["id"]
    fourth = mallory(api, name, 4)
    apart = {"contactId": third, "otherId": fourth}
    api.post("/api/v1/duplicates/not-the-same", json=apart).raise_for_status()
    card = f"/admin/contacts/{one}"
    return [
        f"/admin/contacts?q={name}", card, f"{card}?show=order", f"{card}/identity", f"{card}/peek",
        *(f"{card}/edit/{part}" for part in ("identifiers", "profile", "fields")),
        f"{card}/consent", f"{card}/remove", f"{card}/erase", "/admin/segments",
        f"/admin/segments/{segments[0]}", f"/admin/segments/{segments[1]}/edit",
        f"/admin/segments/{segments[2]}/edit?version=1", f"/admin/segments/{segments[0]}/why/{one}",
        f"/admin/segments/{segments[2]}/delete", f"/admin/segments/{segments[2]}/duplicate",
        f"/admin/segments/{list_id}", "/admin/duplicates", "/admin/duplicates/apart",
        f"/admin/merge?keep={one}&absorb={third}", f"/admin/merges/{merge_id}/undo",
    ]  # fmt: skip


def test_what_strangers_wrote_stays_text_in_its_place(open_page, paths):
    """No element, no script, no override that turns its neighbours, nothing wider than the window.

    `open_page` fails besides when a script runs.
    """
    page = open_page("/admin")
    wrong: dict[str, Any] = {}
    for path in paths:
        page.set_viewport_size({"width": 1440, "height": 900})
        answer = page.goto(path)
        found = [answer.status] if answer.status != 200 else page.evaluate(_FOUND)
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            if page.evaluate(_WIDTH) > width:
                found.append(f"wider than {width}")
        if found:
            wrong[path] = found
    assert not wrong, "\n".join(f"{path}: {found}" for path, found in wrong.items())
    page.goto(paths[1])
    shoot(page, "card-hostile-390")
