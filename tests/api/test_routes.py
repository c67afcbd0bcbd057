"""The table of routes, walked: every route names its right, and holds to it (decisions D21)."""

from __future__ import annotations

import re

import httpx
import pytest

from kartoteka.access.model import Rights
from kartoteka.api.routes import ROUTES
from kartoteka.api.routing import Route

PUBLIC = {"/health", "/metrics", "/openapi.json", "/docs"}
LADDER = ("events", "contacts_write", "contacts", "full")
KEYED = [route for route in ROUTES if route.right is not None]


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def path_of(route: Route) -> str:
    return re.sub(r"\{\w+\}", "1", route.path)


def test_only_these_paths_need_no_key():
    assert {route.path for route in ROUTES if route.right is None} == PUBLIC


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
def test_what_comes_later_says_so(api: httpx.Client, route: Route):
    answer = api.request(route.method, path_of(route), json={"contacts": []})
    assert (answer.status_code, answer.json()["code"]) == (501, "not_available_yet")
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


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_no_page_of_another_site_may_read_an_answer(api: httpx.Client, route: Route):
    """Decisions D23: CORS is for public end points only, which come in a later part."""
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": route.method}
    for method in (route.method, "OPTIONS"):
        answer = api.request(method, path_of(route), headers=asked)
        assert not [name for name in answer.headers if name.startswith("access-control-")]


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
