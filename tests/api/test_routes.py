"""The table of routes, walked: every route names its right, and holds to it (decisions D21)."""

from __future__ import annotations

import re

import httpx
import pytest

from kartoteka.access.model import Rights
from kartoteka.api.routes import ROUTES
from kartoteka.api.routing import Route

PUBLIC = {
    *("/health", "/metrics", "/openapi.json", "/docs"),
    *("/scripts/{name}", "/api/v2", "/tracker/api/v2"),
    *("/api/v1/interactions/{id}/status", "/logs/v1/events"),  # Android sends no key with these
}
OF_APPS = [route for route in ROUTES if route.tag == "Mobile SDK" and route.path not in PUBLIC]
"""They take the access key of an application in a header of their own (wire 7.2)."""
SEGMENT_STYLE = [route for route in ROUTES if route.tag == "Segment-style"]
"""They take a write, server or browser key as user name of Basic, or in the body (clients 6)."""
LADDER = ("events", "contacts_write", "contacts", "full")
KEYED = [route for route in ROUTES if route.right is not None]


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def path_of(route: Route) -> str:
    return re.sub(r"\{\w+\}", "1", route.path)


def test_every_list_says_how_many_there_are():
    """Decisions D23."""
    lists = [route for route in ROUTES if route.method == "GET" and is_list(route)]
    assert [
        name_of(route) for route in lists if "TotalCount" not in route.replies[200].headers
    ] == []
    assert len(lists) > 15


def is_list(route: Route) -> bool:
    reply = route.replies.get(200)
    return reply is not None and (reply.schema or {}).get("type") == "array"


def test_only_these_paths_need_no_key():
    with_other_keys = {route.path for route in (*OF_APPS, *SEGMENT_STYLE)}
    assert {route.path for route in ROUTES if route.right is None} == PUBLIC | with_other_keys


@pytest.mark.parametrize("route", SEGMENT_STYLE, ids=name_of)
def test_segment_style_methods_take_their_keys_only(stranger: httpx.Client, keys, route: Route):
    """Decisions D36; errors with the members that rudder-python reads (clients 6)."""
    body = {"userId": "A", "anonymousId": "a", "event": "e", "groupId": "g", "previousId": "p"}
    body |= {"batch": [{"type": "page", "anonymousId": "a"}]}
    wrong = {"nothing": 404 if route.method == "GET" else 401, keys["app"]: 403}
    right = {keys[name]: 200 for name in ("full", "write", "browser")}
    if route.method == "GET":  # a secret key does not belong into the path of a page's request
        right = {keys["browser"]: 200}
        wrong |= {keys["full"]: 403, keys["write"]: 403}
    for key, status in {**wrong, **right}.items():
        path = route.path.replace("{key}", key)
        auth = None if route.method == "GET" else (key, "")
        json = None if route.method == "GET" else body
        answer = stranger.request(route.method, path, auth=auth, json=json)
        assert answer.status_code == status, answer.text
        if status != 200:
            assert {"code", "message"} <= answer.json().keys()
        elif route.method == "POST":
            assert answer.content == b'{"success": true}'
            by_body = stranger.request(route.method, path, json={**body, "writeKey": key})
            assert by_body.status_code == 200


@pytest.mark.parametrize(
    ("rights", "kind", "status"),
    [
        ("events", "track", 200),
        ("events", "identify", 403),
        ("events", "alias", 403),
        ("events", "group", 403),
        ("contacts_write", "identify", 200),
    ],
)
def test_a_server_key_reaches_as_far_as_its_rights(
    stranger: httpx.Client, keys, rights: str, kind: str, status: int
):
    body = {"userId": "A", "event": "e", "groupId": "g", "previousId": "p"}
    answer = stranger.post(f"/v1/{kind}", auth=(keys[rights], ""), json=body)
    assert answer.status_code == status


@pytest.mark.parametrize("route", OF_APPS, ids=name_of)
def test_end_points_of_apps_take_access_keys_only(stranger: httpx.Client, keys, route: Route):
    """Decisions D36; errors in the shape that the iOS SDK shows (wire 7.3)."""
    for kind, status in ((None, 401), ("full", 403), ("write", 403), ("browser", 403)):
        headers = {} if kind is None else {"X-Reteno-Access-Key": keys[kind]}
        auth = None if kind is None else ("", keys["app"])  # the header is what counts
        answer = stranger.request(route.method, path_of(route), headers=headers, auth=auth)
        assert answer.status_code == status, kind
        assert {"status", "code", "title", "detail", "invalid-params"} <= answer.json().keys()
    headers = {"X-Reteno-Access-Key": keys["app"]}
    answer = stranger.request(route.method, path_of(route), headers=headers)
    assert answer.status_code in (200, 400)


def test_no_route_is_declared_twice():
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)
    assert len({route.operation for route in ROUTES}) == len(ROUTES)


@pytest.mark.parametrize("route", KEYED, ids=name_of)
def test_without_a_key_nothing_is_done(stranger: httpx.Client, route: Route):
    answer = stranger.request(route.method, path_of(route))
    assert (answer.status_code, answer.json()["status"]) == (401, 401)
    assert answer.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize("route", KEYED, ids=name_of)
def test_keys_below_the_right_are_refused(stranger: httpx.Client, keys, route: Route):
    for rights in LADDER:
        answer = stranger.request(route.method, path_of(route), auth=("", keys[rights]))
        refused = Rights[rights.upper()] < (route.right or Rights.NONE)
        assert (answer.status_code == 403) == refused, rights


@pytest.mark.parametrize("kind", ["write", "browser", "app"])
def test_other_kinds_of_keys_reach_nothing_here(stranger: httpx.Client, keys, kind: str):
    for path in ("/api/v1/account/info", "/api/v1/groups", "/api/v1/version"):
        assert stranger.get(path, auth=("", keys[kind])).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "rights"),
    [
        ("POST", "/api/v1/contact?explain=true", "contacts_write"),
        ("POST", "/api/v1/contact?dryRun=true", "contacts_write"),
        ("PUT", "/api/v1/contact/1?explain=1", "contacts_write"),
        ("POST", "/api/v1/contact/subscribe?dryRun=1", "contacts_write"),
        ("DELETE", "/api/v1/contact/1?erase=true", "contacts"),
        ("DELETE", "/api/v1/contact?externalCustomerId=X&erase=1", "contacts"),
    ],
)
def test_parameters_that_ask_for_more_need_more(
    stranger: httpx.Client, keys, method: str, path: str, rights: str
):
    answer = stranger.request(method, path, auth=("", keys[rights]), json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_a_bearer_token_is_good_for_events_only(api: httpx.Client, stranger: httpx.Client):
    token = api.post("/api/v1/auth/token").json()
    bearer = {"Authorization": f"Bearer {token}"}
    for method, path in (("POST", "event"), ("POST", "past_events"), ("DELETE", "past_events")):
        answer = stranger.request(method, f"/api/v1/{path}", headers=bearer)
        assert answer.status_code == (409 if method == "DELETE" else 400)  # a setting, no body
    event = {"eventTypeKey": "seen", "keyValue": "k"}
    assert stranger.post("/api/v1/event", headers=bearer, json=event).status_code == 200
    assert stranger.post("/api/v2/event", headers=bearer).status_code == 403
    assert stranger.get("/api/v1/account/info", headers=bearer).status_code == 403
    assert stranger.post("/api/v1/auth/token", headers=bearer).status_code == 403


@pytest.mark.parametrize("route", [one for one in ROUTES if 501 in one.errors], ids=name_of)
def test_what_is_not_served_says_so(api: httpx.Client, route: Route):
    answer = api.request(route.method, path_of(route), json={"contacts": []})
    assert (answer.status_code, answer.json()["code"]) == (501, "not_served")
    assert route.path in answer.json()["message"]


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_a_trailing_slash_makes_no_difference(api: httpx.Client, route: Route):
    api.request(route.method, path_of(route))  # what can be done only once is done now
    plain = api.request(route.method, path_of(route))
    slash = api.request(route.method, path_of(route) + "/")
    assert slash.status_code == plain.status_code
    assert plain.status_code != 404 or plain.json()["code"] != "unknown_path"


@pytest.mark.parametrize("path", sorted({path_of(route) for route in ROUTES}))
def test_other_methods_are_answered_with_those_there_are(api: httpx.Client, path: str):
    here = {route.method for route in ROUTES if path_of(route) == path}
    allow = sorted(here | {"OPTIONS"} | ({"HEAD"} if "GET" in here else set()))
    missing = min({"GET", "POST", "PUT", "DELETE", "PATCH"} - here)
    refused = api.request(missing, path)
    assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
    assert refused.headers["allow"].split(", ") == allow
    options = api.options(path)
    assert (options.status_code, options.headers["allow"].split(", ")) == (204, allow)


CLOSED = [route for route in ROUTES if not route.cors]
FOR_PAGES = [route for route in ROUTES if route.cors]


@pytest.mark.parametrize("route", CLOSED, ids=name_of)
def test_no_page_of_another_site_may_read_an_answer(api: httpx.Client, route: Route):
    """Decisions D23: CORS is for public end points only."""
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": route.method}
    for method in (route.method, "OPTIONS"):
        answer = api.request(method, path_of(route), headers=asked)
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("route", FOR_PAGES, ids=name_of)
def test_pages_may_read_answers_of_public_end_points(stranger: httpx.Client, route: Route):
    """Decisions D23: headers by name, the asking origin, no credentials; errors too."""
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": route.method}
    answer = stranger.request(route.method, path_of(route), headers=asked)
    options = stranger.options(path_of(route), headers=asked)
    for one in (answer, options):
        assert one.headers["access-control-allow-origin"] == "https://shop.example"
        assert "origin" in one.headers["vary"]
        assert "access-control-allow-credentials" not in one.headers
    named = options.headers["access-control-allow-headers"].split(", ")
    assert named == ["Authorization", "Content-Type", "X-Retry-Count"]
    assert route.method in options.headers["access-control-allow-methods"]


def test_the_description_names_every_route(stranger: httpx.Client):
    document = stranger.get("/openapi.json").json()
    described = {
        (method.upper(), path) for path, item in document["paths"].items() for method in item
    }
    assert described == {(route.method, route.path) for route in ROUTES}


def test_the_page_names_every_route_and_needs_nothing_from_elsewhere(stranger: httpx.Client):
    answer = stranger.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for route in ROUTES:
        assert f'id="{route.operation}"' in answer.text
    assert "<script" not in answer.text
    assert not re.search(r'(src|href)="(https?:)?//', answer.text)


@pytest.mark.parametrize(
    "route",
    [one for one in KEYED if one.method == "GET" and not re.search(r"\{(?!id\})", one.path)],
    ids=name_of,
)
def test_every_list_says_how_many_there_are_in_all(api: httpx.Client, route: Route):
    """Decisions D23."""
    contact = api.post("/api/v1/contact", json={"externalCustomerId": "counted"}).json()["id"]
    known = contact if "/contact/" in route.path else 1
    answer = api.get(route.path.replace("{id}", str(known)))
    if answer.status_code == 200 and isinstance(answer.json(), list):
        assert "TotalCount" in answer.headers
