"""Segments over HTTP (guide G15; decisions D31, D32; wire 3.14, 8)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import jsonschema
import psycopg
import pytest

from kartoteka.db.embedded import running_url

EMPTY = {"field": "externalCustomerId", "operator": "is_empty"}


def make(api: httpx.Client, condition: Any, **more: Any) -> int:
    """A new segment; its id."""
    answer = api.post("/api/v1/segments", json={"name": "Some", "condition": condition, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def add(api: httpx.Client, **contact: Any) -> int:
    answer = api.post("/api/v1/contact", json=contact)
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def email(value: str) -> list[dict[str, str]]:
    return [{"type": "email", "value": value}]


def members(api: httpx.Client, segment_id: int, **query: Any) -> list[int]:
    """Everybody in it, as the group's contacts say; `TotalCount` agrees."""
    answer = api.get(f"/api/v1/group/{segment_id}/contacts", params=query)
    assert answer.status_code == 200, answer.text
    ids = [row["id"] for row in answer.json()]
    if not query:
        assert answer.headers["TotalCount"] == str(len(ids))
    return ids


def shown(api: httpx.Client, segment_id: int) -> dict[str, Any]:
    answer = api.get(f"/api/v1/segments/{segment_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def eventually(holds: Callable[[], bool], within_s: float = 60) -> None:
    """Wait for what jobs do in the background."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def refused(api: httpx.Client, condition: Any, **more: Any) -> dict[str, Any]:
    answer = api.post("/api/v1/segments", json={"name": "No", "condition": condition, **more})
    assert answer.status_code == 400, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_segment_without_external_ids_is_never_stale(api, name):
    """G15, wire 14 check 23: who has none joins by itself, who gets one leaves at once."""
    before = add(api, channels=email(f"{name}-0@x.example"))
    other = add(api, externalCustomerId=f"{name}-1", channels=email(f"{name}-1@x.example"))
    segment = make(api, EMPTY, name="No External ID")
    assert before in members(api, segment)
    assert other not in members(api, segment)
    late = add(api, channels=email(f"{name}-2@x.example"))
    assert late in members(api, segment)
    add(api, externalCustomerId=f"{name}-0", channels=email(f"{name}-0@x.example"))
    assert before not in members(api, segment)
    api.put(f"/api/v1/contact/{other}?clear=externalCustomerId", json={})
    assert other in members(api, segment)
    api.delete(f"/api/v1/contact/{late}")
    assert late not in members(api, segment)
    add(api, channels=email(f"{name}-2@x.example"))
    assert late in members(api, segment)


def test_a_segment_is_a_group(api):
    segment = make(api, EMPTY, name="Group of its own")
    groups = api.get("/api/v1/groups", params={"name": "group of its"}).json()
    assert groups == [{"id": segment, "name": "Group of its own", "type": "Dynamic"}]
    answer = api.post(f"/api/v1/group/{segment}/contacts/attach", json={"contactIds": [1]})
    assert (answer.status_code, answer.json()["code"]) == (400, "segment_not_static")


def test_conditions_say_themselves_and_nest(api, name):
    """One sentence for API, page and docs; include and exclude side."""
    condition = {
        "all": [
            {"field": "firstName", "operator": "one_of", "value": ["Ann", "Олена"]},
            {"any": [EMPTY, {"not": {"field": "town", "operator": "is_set"}}]},
        ]
    }
    exclude = {"field": "emailDomain", "operator": "equals", "value": "@X.example"}
    segment = make(api, condition, name=f"Words {name}", exclude=exclude, tags=["vip"])
    found = shown(api, segment)
    assert found["description"] == (
        'First name is one of "Ann", "Олена" and (External ID is empty or not (Town is set)); '
        'except E-mail domain is "x.example"'
    )
    assert found["condition"] == condition
    assert found["exclude"] == {**exclude, "value": "x.example"}
    assert found["state"] == "ready"
    ann = add(api, externalCustomerId=f"{name}-1", firstName="Ann")
    add(api, externalCustomerId=f"{name}-2", firstName="Ann", channels=email(f"{name}@x.example"))
    assert members(api, segment) == [ann]
    assert shown(api, segment)["count"] == 1
    listed = api.get("/api/v1/segments", params={"text": "vip"})
    assert [one["id"] for one in listed.json()] == [segment]


@pytest.mark.parametrize(
    ("condition", "path"),
    [
        (None, "condition"),
        ([], "condition"),
        ({}, "condition"),
        ({"all": []}, "condition.all"),
        ({"all": [EMPTY], "any": [EMPTY]}, "condition"),
        ({"all": [EMPTY, {"field": "shoeSize", "operator": "is_set"}]}, "condition.all[1].field"),
        ({"not": {"field": "firstName", "operator": "near"}}, "condition.not.operator"),
        ({"any": [{"field": "firstName", "operator": "equals"}]}, "condition.any[0].value"),
        ({"field": "id", "operator": "greater", "value": "many"}, "condition.value"),
        ({"field": "id", "operator": "between", "value": [2, 1]}, "condition.value"),
        ({"field": "id", "operator": "between", "value": [1]}, "condition.value"),
        ({"field": "createdAt", "operator": "equals", "value": "soon"}, "condition.value"),
        ({"field": "createdAt", "operator": "less", "value": "20260131"}, "condition.value"),
        ({"field": "createdAt", "operator": "less", "value": "2026-01-31T09"}, "condition.value"),
        ({"field": "createdAt", "operator": "less", "value": "2026-02-30"}, "condition.value"),
        ({"field": "createdAt", "operator": "in_last_days", "value": 0}, "condition.value"),
        ({"field": "createdAt", "operator": "in_last_days", "value": True}, "condition.value"),
        ({"field": "firstName", "operator": "one_of", "value": "Ann"}, "condition.value"),
        ({**EMPTY, "value": "x"}, "condition.value"),
        ({**EMPTY, "vaule": "x"}, "condition.vaule"),
        ({"field": "custom", "id": 999999, "operator": "is_set"}, "condition.id"),
        ({"field": "custom", "key": "NO.NE", "operator": "is_set"}, "condition.key"),
        ({"field": "segment", "id": 999999, "operator": "member"}, "condition.id"),
        ({"field": "segment", "id": 1, "operator": "in"}, "condition.operator"),
        ({"field": "consent", "channel": "fax", "operator": "equals"}, "condition.channel"),
        (
            {"field": "event", "type": "t", "operator": "greater", "value": 1, "params": [{}]},
            "condition.params[0].name",
        ),
        (
            {
                "field": "event",
                "type": "t",
                "operator": "greater",
                "value": 1,
                "inLastDays": "soon",
            },
            "condition.inLastDays",
        ),
    ],
)
def test_errors_name_the_place(api, condition, path):
    found = refused(api, condition)
    assert found["code"] == "invalid_condition"
    assert found["details"]["field"] == path
    assert found["message"].startswith(path)
    assert refused(api, EMPTY, exclude={"not": 5})["details"]["field"] == "exclude.not"


@pytest.mark.parametrize(
    ("field", "operator", "value"),
    [
        ("emailDomain", "equals", "@"),
        ("emailDomain", "not_one_of", ["@ ", "x.example"]),
        ("orderSum", "greater", "1e-900"),
        ("orderSum", "less", 10**21),
        ("lastName", "equals", "\u0130" * 5_001),
        ("email", "contains", "\u0130" * 5_000),
    ],
)
def test_what_could_not_be_read_again_is_refused_and_stops_no_writer(
    api, name, field, operator, value
):
    """Every writer of the account reads the conditions again: one that it cannot read stops them all."""
    assert refused(api, {"field": field, "operator": operator, "value": value})["code"] == (
        "invalid_condition"
    )
    add(api, externalCustomerId=name)


def test_values_are_taken_as_clients_send_them(api, name):
    """Wire 1.4.7: numbers come as texts, and whole ones with a point. Cleaned once, kept as cleaned."""
    field = api.post("/api/v1/additionalfields", json={"name": name, "type": "date"}).json()["id"]
    kept = [
        ({"field": "custom", "id": str(field), "operator": "anniversary", "value": "7"}, 7),
        ({"field": "custom", "id": field, "operator": "in_last_days", "value": 7.0}, 7),
        ({"field": "custom", "id": field, "operator": "less", "value": "9999-12-31"}, None),
        ({"field": "orderSum", "operator": "equals", "value": "2.50"}, 2.5),
        ({"field": "orderSum", "operator": "less", "value": 10**20}, None),
        ({"field": "firstName", "operator": "equals", "value": 1.5}, "1.5"),
        ({"field": "contactSource", "operator": "equals", "value": "api"}, "API"),
        ({"field": "createdAt", "operator": "equals", "value": "2026-01-31T09:30:05Z"}, None),
        ({"field": "emailDomain", "operator": "equals", "value": "@@x.example"}, "x.example"),
        ({"field": "emailDomain", "operator": "ends_with", "value": ".РФ"}, ".xn--p1ai"),
    ]
    for condition, value in kept:
        segment = make(api, condition)
        before = shown(api, segment)
        assert before["condition"]["value"] == (condition["value"] if value is None else value)
        assert before["state"] == "ready"
        assert api.put(f"/api/v1/segments/{segment}", json={"name": "Other"}).status_code == 200
        assert shown(api, segment) == {**before, "name": "Other"}
        assert api.delete(f"/api/v1/segments/{segment}").status_code == 200


def test_a_number_in_a_parameter_filter_is_compared_as_one(api, name):
    """D32: `price` 12.50 is 12.5; a text is compared letter by letter."""
    person = add(api, externalCustomerId=name)
    params = [{"name": "externalCustomerId", "value": name}, {"name": "price", "value": "12.50"}]
    api.post("/api/v2/event", json={"eventTypeKey": name, "params": params})
    for value, found in ((12.5, [person]), ("12.5", []), ("12.50", [person]), (12, [])):
        condition = {
            "field": "event",
            "type": name,
            "params": [{"name": "price", "operator": "equals", "value": value}],
            "operator": "greater",
            "value": 0,
        }
        segment = make(api, condition)
        assert shown(api, segment)["condition"] == condition
        assert members(api, segment) == found
        assert api.delete(f"/api/v1/segments/{segment}").status_code == 200


def test_nesting_goes_to_depth_ten(api):
    """D32."""
    condition: Any = EMPTY
    for _ in range(10):
        condition = {"not": condition}
    make(api, condition)
    found = refused(api, {"not": condition})
    assert found["details"]["field"] == "condition" + ".not" * 10


def test_a_segment_may_be_made_of_others_and_follows_them(api, name):
    """Combined; lists and segments by id; editing the inner one moves the outer one; no circles."""
    person = add(api, externalCustomerId=name, firstName="Ann", town="Kyiv")
    inner = make(api, {"field": "externalCustomerId", "operator": "equals", "value": name})
    in_it = {"field": "segment", "id": inner, "operator": "member"}
    outer = make(api, {"all": [in_it]}, name="Outer")
    assert members(api, outer) == [person]
    assert shown(api, outer)["type"] == "Combined"
    assert shown(api, outer)["description"] == 'is in segment "Some"'
    assert api.delete(f"/api/v1/segments/{inner}").json()["code"] == "segment_in_use"
    circle = api.put(f"/api/v1/segments/{inner}", json={"condition": {**in_it, "id": outer}})
    assert circle.json()["details"]["field"] == "condition.id"
    itself = api.put(f"/api/v1/segments/{inner}", json={"condition": in_it})
    assert itself.status_code == 400
    changed = {"field": "externalCustomerId", "operator": "equals", "value": f"{name}-other"}
    assert api.put(f"/api/v1/segments/{inner}", json={"condition": changed}).status_code == 200
    eventually(lambda: members(api, outer) == [])
    assert api.delete(f"/api/v1/segments/{outer}").status_code == 200
    assert api.delete(f"/api/v1/segments/{inner}").text == (
        f"Segment with id='{inner}' has been deleted"
    )
    assert api.get(f"/api/v1/segments/{inner}").status_code == 404
    assert api.get(f"/api/v1/group/{inner}/contacts").status_code == 404


def test_a_segment_of_any_conditions_may_be_part_of_another(api, name):
    """Custom fields, lists, the deepest groups with an exclude side: they are read as they are stored."""
    made = api.post("/api/v1/additionalfields", json={"name": f"Size {name}", "type": "NUMBER"})
    assert made.status_code == 200, made.text
    size = {"field": "custom", "id": made.json()["id"], "operator": "greater", "value": 40}
    wanted = make(api, None, name=f"Wanted {name}", type="Static")
    deep: Any = {"any": [size, {"field": "segment", "id": wanted, "operator": "member"}]}
    for _ in range(8):
        deep = {"all": [deep]}
    own = {"field": "externalCustomerId", "operator": "starts_with", "value": name}
    inner = make(api, {"all": [own, deep]}, exclude=EMPTY)
    is_not = {"field": "segment", "id": inner, "operator": "not_member"}
    outer = make(api, {"all": [own, is_not]})
    small, large = (
        add(
            api,
            externalCustomerId=f"{name}-{size}",
            fields=[{"id": made.json()["id"], "value": size}],
        )
        for size in (39, 41)
    )
    assert (members(api, inner), members(api, outer)) == ([large], [small])
    joined = api.post(f"/api/v1/group/{wanted}/contacts/attach", json={"contactIds": [small]})
    assert joined.status_code == 200
    assert (members(api, inner), members(api, outer)) == ([small, large], [])


def test_an_edit_tells_who_entered_and_left(api, name):
    ann = add(api, externalCustomerId=f"{name}-a", firstName="Ann")
    bob = add(api, externalCustomerId=f"{name}-b", firstName="Bob")
    own = {"field": "externalCustomerId", "operator": "starts_with", "value": f"{name}-"}

    def called(who: str) -> dict[str, Any]:
        return {"all": [own, {"field": "firstName", "operator": "equals", "value": who}]}

    segment = make(api, called("Ann"))
    assert members(api, segment) == [ann]
    answer = api.put(f"/api/v1/segments/{segment}", json={"condition": called("Bob")})
    assert answer.json()["name"] == "Some"
    eventually(lambda: members(api, segment) == [bob])
    path = f"/api/v1/segments/{segment}/events"
    eventually(lambda: len(api.get(path).json()) == 2)
    told = {(one["event"], one["contactId"]) for one in api.get(path).json()}
    assert told == {("entered", bob), ("left", ann)}
    add(api, externalCustomerId=f"{name}-b", firstName="Robert")
    last = api.get(path, params={"contactId": bob}).json()[-1]
    assert (last["event"], last["contactId"]) == ("left", bob)
    assert api.get(path, params={"to": "2020-01-01"}).headers["TotalCount"] == "0"
    growth = api.get(f"/api/v1/segments/{segment}/growth").json()
    assert growth["count"] == 0
    # On one day, unless it is midnight.
    assert [sum(day[how] for day in growth["days"]) for how in ("entered", "left")] == [1, 2]


def test_why_says_each_condition_with_its_value(api, name):
    condition = {
        "any": [
            {"field": "town", "operator": "equals", "value": "Kyiv"},
            {
                "not": {
                    "field": "consent",
                    "channel": "email",
                    "operator": "equals",
                    "value": "none",
                }
            },
        ]
    }
    segment = make(api, condition)
    person = add(api, externalCustomerId=name, channels=email(f"{name}@x.example"))
    answer = api.get(f"/api/v1/segments/{segment}/why", params={"contactId": person})
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["member"] is True
    assert said["why"]["any"][0] == {"holds": False, "text": 'Town is "Kyiv"', "value": None}
    assert said["why"]["any"][1]["not"] == {
        "holds": False,
        "text": "E-mail consent is none",
        "value": "subscribed",
    }
    for query, status in (({}, 400), ({"contactId": "x"}, 400), ({"contactId": 2**50}, 404)):
        asked = api.get(f"/api/v1/segments/{segment}/why", params=query)
        assert asked.status_code == status


def test_a_preview_counts_and_changes_nothing(api, name):
    person = add(api, externalCustomerId=name, firstName="Ann")
    own = {"field": "externalCustomerId", "operator": "equals", "value": name}
    before = api.get("/api/v1/segments").headers["TotalCount"]
    answer = api.post("/api/v1/segments/preview", json={"condition": own})
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["count"], said["exact"]) == (1, True)
    assert said["description"] == f'External ID is "{name}"'
    assert [one["id"] for one in said["contacts"]] == [person]
    assert api.get("/api/v1/segments").headers["TotalCount"] == before
    hurried = {"condition": own, "withinMs": 0, "rows": 0}
    assert api.post("/api/v1/segments/preview", json=hurried).status_code == 200
    assert api.post("/api/v1/segments/preview", json={}).status_code == 400


def test_the_clock_moves_contacts_without_any_call(api, server, name):
    """D31: nobody writes; the moment comes, and the jobs process takes the contact out."""
    person = add(api, externalCustomerId=name)
    url = running_url(server.log.parent / "data")
    almost = "update contact set created_at = now() - interval '1 day' + interval '4 seconds' "
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(almost + "where contact_id = %s", [person])
    own = {"field": "externalCustomerId", "operator": "equals", "value": name}
    recent = {"field": "createdAt", "operator": "in_last_days", "value": 1}
    segment = make(api, {"all": [own, recent]})
    eventually(lambda: members(api, segment) == [], within_s=120)
    path = f"/api/v1/segments/{segment}/events"
    assert [one["event"] for one in api.get(path).json()] in (["left"], [])


COUNTING = r"""
    select count(*)
    from pg_stat_activity
    where wait_event_type = 'Lock' and query ~ '^select (count\(\*\)|c\.contact_id)\s+from contact c'
"""
"""Counts that wait, whatever else in the background waits for the same lock."""


def test_a_preview_ends_when_nobody_waits_for_it(api, server):
    """The count is held up by a lock; who hangs up cancels it in the database too."""
    url = running_url(server.log.parent / "data")
    with psycopg.connect(url) as blocker, psycopg.connect(url, autocommit=True) as watcher:

        def waiting() -> int:
            found = watcher.execute(COUNTING).fetchone()
            assert found is not None
            return int(found[0])

        blocker.execute("lock table contact in access exclusive mode")
        body = {"condition": EMPTY, "withinMs": 30_000}
        with pytest.raises(httpx.ReadTimeout):
            api.post("/api/v1/segments/preview", json=body, timeout=1)
        eventually(lambda: waiting() == 0)
        hurried = {"condition": EMPTY, "withinMs": 1}
        answer = api.post("/api/v1/segments/preview", json=hurried, timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        blocker.rollback()


def test_deleting_with_contacts_removes_them_restorably(api, name):
    """X14: soft delete."""
    person = add(api, externalCustomerId=name, firstName="Ann")
    own = {"field": "externalCustomerId", "operator": "equals", "value": name}
    segment = make(api, own)
    assert api.delete(f"/api/v1/segments/{segment}?contacts=burn").status_code == 400
    assert api.delete(f"/api/v1/segments/{segment}?contacts=remove").status_code == 200
    eventually(lambda: api.get(f"/api/v1/segments/{segment}").status_code == 404)
    assert api.get(f"/api/v1/contact/{person}").status_code == 404
    assert add(api, externalCustomerId=name) == person
    assert api.get(f"/api/v1/contact/{person}").json()["firstName"] == "Ann"


def test_a_segment_that_is_being_deleted_is_not_changed(api, server, name):
    """Else its contacts would be others than those whom somebody said to remove."""
    person = add(api, externalCustomerId=name)
    segment = make(api, {"field": "externalCustomerId", "operator": "equals", "value": name})
    with psycopg.connect(running_url(server.log.parent / "data")) as holding:
        holding.execute("select from contact where contact_id = %s for update", (person,))
        assert api.delete(f"/api/v1/segments/{segment}?contacts=remove").status_code == 200
        refused = api.put(f"/api/v1/segments/{segment}", json={"condition": EMPTY})
        assert (refused.status_code, refused.json()["code"]) == (409, "segment_is_deleted")
        assert shown(api, segment)["state"] == "deleting"
    eventually(lambda: api.get(f"/api/v1/segments/{segment}").status_code == 404)
    assert api.get(f"/api/v1/contact/{person}").status_code == 404


def test_a_snapshot_is_a_list(api, name):
    person = add(api, externalCustomerId=name, firstName="Ann")
    segment = make(api, {"field": "externalCustomerId", "operator": "equals", "value": name})
    made = api.post(f"/api/v1/segments/{segment}/snapshot", json={"name": f"List {name}"})
    assert made.status_code == 200, made.text
    copy = made.json()["id"]
    api.put(f"/api/v1/contact/{person}?clear=externalCustomerId", json={})
    assert members(api, segment) == []
    assert members(api, copy) == [person]
    assert shown(api, copy)["type"] == "Static"
    again = api.post(f"/api/v1/segments/{segment}/snapshot", json={"name": f"List {name}"})
    assert (again.status_code, again.json()["code"]) == (409, "segment_name_taken")
    renamed = api.put(f"/api/v1/segments/{copy}", json={"name": f"Copy {name}", "tags": ["old"]})
    assert renamed.json()["name"] == f"Copy {name}"
    assert api.put(f"/api/v1/segments/{copy}", json={"condition": EMPTY}).status_code == 400
    assert api.delete(f"/api/v1/segments/{copy}").status_code == 200


def test_a_type_is_what_the_conditions_say(api, name):
    """Nothing asked for is left unsaid: a list has no conditions, and none becomes one."""

    def ask(method: str, path: str, **body: Any) -> tuple[int, str]:
        answer = api.request(method, f"/api/v1/segments{path}", json=body)
        return answer.status_code, answer.json().get("code", "")

    refusal = (400, "invalid_segment")
    assert ask("POST", "", name=name, type="Static", condition=EMPTY) == refusal
    assert ask("POST", "", name=name, type="Bogus", condition=EMPTY) == refusal
    segment = make(api, EMPTY, name=name, type="dynamic")
    assert ask("PUT", f"/{segment}", type="Static") == refusal
    assert ask("PUT", f"/{segment}", **shown(api, segment)) == (200, "")
    kept = api.post("/api/v1/segments", json={"name": name, "type": "static"}).json()["id"]
    assert ask("PUT", f"/{kept}", type="Dynamic") == refusal
    copied = ask("POST", f"/{kept}/snapshot", name=f"Copy {name}")
    assert copied == (400, "segment_has_no_condition")


def test_segments_are_found_by_name_tag_and_id_and_may_share_a_name(api, name):
    """Wire 8.1; only lists are named by their name (`groups`, `groupNames`), so only they are unique."""
    name = name.translate(str.maketrans("0123456789", "ghijklmnop"))  # no id is a part of it
    one, other = make(api, EMPTY, name=name, tags=[f"T {name}"]), make(api, EMPTY, name=name)

    def found(text: str) -> list[int]:
        """Of these two: numbers stand in names of other tests."""
        answer = api.get("/api/v1/segments", params={"text": text}).json()
        return [each["id"] for each in answer if each["id"] in (one, other)]

    assert found(name.upper()) == [one, other]
    assert found(f"t {name}") == [one]
    assert found(str(other)) == [other]


def test_orders_events_and_visits_count_at_once(api, name):
    person = add(api, externalCustomerId=name)
    own = {"field": "externalCustomerId", "operator": "equals", "value": name}

    def with_own(**more: Any) -> int:
        return make(api, {"all": [own, more]})

    orders = with_own(field="orderSum", operator="greater", value=99)
    events = with_own(
        field="event", type="Seen", operator="greater", value=0,
        params=[{"name": "price", "operator": "greater", "value": 5}],
    )  # fmt: skip
    assert members(api, orders) == members(api, events) == []
    order = {
        "externalOrderId": f"O-{name}",
        "externalCustomerId": name,
        "totalCost": 100,
        "status": "DELIVERED",
        "date": "2026-01-31T10:00:00Z",
        "currency": "UAH",
    }
    assert api.post("/api/v1/orders", json={"orders": [order]}).status_code == 200
    assert members(api, orders) == [person]
    event = {"eventTypeKey": "Seen", "params": [{"name": "externalCustomerId", "value": name}]}
    event["params"].append({"name": "price", "value": "7.5"})
    assert api.post("/api/v2/event", json=event).status_code == 200
    assert members(api, events) == [person]
    order["status"] = "CANCELLED"
    api.post("/api/v1/orders", json={"orders": [order]})
    assert members(api, orders) == []


def test_every_condition_of_the_registry_makes_a_segment(api, name):
    """The example of each is valid, says itself, counts, and explains itself."""
    person = add(api, externalCustomerId=name, channels=email(f"{name}@x.example"))
    found = api.get("/api/v1/segments/conditions").json()
    group = api.post("/api/v1/segments", json={"name": f"L {name}", "type": "Static"}).json()["id"]
    schema = jsonschema.Draft202012Validator(found["schema"])
    schema.validate({"all": [EMPTY, {"not": {"any": [EMPTY]}}]})
    assert not schema.is_valid({"all": [EMPTY, {"field": "shoe", "operator": "is_set"}]})
    assert not schema.is_valid({**EMPTY, "vaule": 1})
    for one in found["conditions"]:
        example = one["example"]
        schema.validate(example)
        if one["field"] == "segment":
            example = {**example, "id": group}
        segment = make(api, example)
        assert shown(api, segment)["description"]
        assert shown(api, segment)["state"] == "ready"
        why = api.get(f"/api/v1/segments/{segment}/why", params={"contactId": person}).json()
        assert why["member"] is (person in members(api, segment)), one["field"]
        assert api.delete(f"/api/v1/segments/{segment}").status_code == 200


def test_days_begin_in_the_zone_of_the_account(api, name):
    """X12: a date without an offset is meant in the account's zone, also after it chose another one.

    The last of this file: all segments of the account are filled anew.
    """
    birthday = {"name": f"Birthday {name}", "type": "DATE"}
    field = api.post("/api/v1/additionalfields", json=birthday).json()["id"]
    now = datetime.now(UTC)
    # A day apart or more: never the same one, and none that ends while the test goes on.
    east, west = "Pacific/Kiritimati", "Pacific/Pago_Pago"  # midnight at 10 and 11 o'clock UTC
    if now.hour in (9, 10):
        east, west = "Etc/GMT-12", "Etc/GMT+12"
    days = {zone: now.astimezone(ZoneInfo(zone)).date() for zone in (east, west)}
    born = {
        zone: add(
            api,
            externalCustomerId=f"{name}-{zone}",
            fields=[{"id": field, "value": day.replace(year=2000).isoformat()}],
        )
        for zone, day in days.items()
    }
    today = {"field": "custom", "id": field, "operator": "anniversary"}
    settings = "/api/v1/account/settings"
    assert api.patch(settings, json={"time_zone": east}).status_code == 200
    segment = make(api, today)
    assert members(api, segment) == [born[east]]
    assert api.patch(settings, json={"time_zone": west}).status_code == 200
    eventually(lambda: members(api, segment) == [born[west]])
    made = {"field": "createdAt", "operator": "equals", "value": days[west].isoformat()}
    assert born[west] in members(api, make(api, made), maxrows=500)
    assert api.patch(settings, json={"time_zone": "UTC"}).status_code == 200


def test_versions_say_who_changed_what_and_one_is_taken_back(api, name):
    segment_id = make(api, EMPTY, name=name)
    unnamed = {"field": "firstName", "operator": "is_empty"}
    address = f"/api/v1/segments/{segment_id}"
    api.put(address, json={"name": f"{name} 2"}).raise_for_status()  # no other conditions
    api.put(address, json={"condition": unnamed, "exclude": EMPTY}).raise_for_status()
    answer = api.get(f"{address}/versions")
    assert answer.headers["TotalCount"] == "2"
    second, first = answer.json()
    assert [one["number"] for one in (second, first)] == [2, 1]
    assert (first["condition"], first["description"]) == (EMPTY, "External ID is empty")
    assert "exclude" not in first
    assert (second["condition"], second["exclude"]) == (unnamed, EMPTY)
    assert "External ID is empty" in second["description"]
    assert first["who"].startswith("API key ")
    assert first["at"] < second["at"]
    assert api.get(f"{address}/versions", params={"startindex": 2}).json() == [first]
    back = {"condition": first["condition"], "exclude": first.get("exclude")}
    api.put(address, json=back).raise_for_status()
    assert shown(api, segment_id)["condition"] == EMPTY
    assert "exclude" not in shown(api, segment_id)
    assert len(api.get(f"{address}/versions").json()) == 3


def test_a_list_has_no_versions_and_no_segment_none_at_all(api, name):
    made = api.post("/api/v1/segments", json={"name": name, "type": "Static"}).json()["id"]
    assert api.get(f"/api/v1/segments/{made}/versions").json() == []
    assert api.get("/api/v1/segments/2000000000/versions").status_code == 404
