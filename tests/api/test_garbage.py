"""Garbage on every path, in shapes that the end point reads: refused or ignored, never a fault of ours.

Where `test_fuzz.py` keeps to what `/openapi.json` can say, this knows the members of each body and fills
them with what breaks programs: NUL, half characters, numbers beyond all types, dates that are none.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kartoteka.api.routes import ROUTES
from kartoteka.api.routing import Route
from kartoteka.api.schemas import COMPONENTS

EXAMPLES = int(os.environ.get("KARTOTEKA_GARBAGE_EXAMPLES", "8"))
"""Requests for each route; raise it for a longer hunt."""

TEXTS = (
    *(
        "",
        " ",
        "null",
        "\x00",
        "a\x00b",
        "\ud800",
        "\udfff\ud800",
        "\u202eabc",
        "\ufeff",
        "\x1b[2J",
    ),
    *("9" * 400, "-0", "1e999", "NaN", "Infinity", "٣", "0x1F", "1_000", "²", "True"),
    *("0000-00-00", "9999-12-31T23:59:59.999999999Z", "2026-02-30", "-0001-01-01", "10000-01-01"),
    *("2026-11-26T10:00+99:99", "1970-01-01T00:00:00-24:00", "0001-01-01", "2026-W53-7"),
    *("a@b", "@", "a@" + "b" * 300, "a@xn--\ud800.example", "a@[::1]", "Ünï@exämple.com"),
    *("+", "+380", "0" * 30, "+3805011122331234567890", "'; drop table contact; --", "%s%n", "\\"),
    *("http://", "http://[", "http://a:99999999/", "file:///etc/passwd", "../../etc/passwd", "//"),
    *("x" * 300, "x" * 5_000, "ﷺ" * 50, "e\u0301" * 50, "{", '{"a":' * 50, "[1,", "email", "id"),
)
NUMBERS = (
    *(0, -1, 1, 1.5, -0.0, 0.1 + 0.2, 1e308, 5e-324, 10**18, 10**400, -(10**400)),
    *(2**31, 2**31 - 1, -(2**31), 2**32, 2**53 + 1, 2**63, 2**63 - 1, -(2**63) - 1, 2**64),
)
leaves = st.one_of(
    st.sampled_from(TEXTS), st.sampled_from(NUMBERS), st.sampled_from([None, True, False, [], {}])
)
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "value", "name", "key", "type", "\x00", ""]), inner
        )
    ),
    max_leaves=4,
)


def like(schema: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of the shape that the schema has, with garbage for leaves, and now and then instead."""
    if "$ref" in schema:
        schema = COMPONENTS[schema["$ref"].rsplit("/", 1)[1]]
    choices = [
        like(one, depth) for name in ("oneOf", "anyOf", "allOf") for one in schema.get(name, ())
    ]
    if depth < 6 and schema.get("properties"):
        members = {name: like(one, depth + 1) for name, one in schema["properties"].items()}
        choices.append(st.fixed_dictionaries({}, optional=members))
    if depth < 6 and "items" in schema:
        choices.append(st.lists(like(schema["items"], depth + 1), max_size=3))
    for known in ("enum", "examples"):
        if schema.get(known):
            choices.append(st.sampled_from(list(schema[known])))
    if "example" in schema:
        choices.append(st.just(schema["example"]))
    return st.one_of(*choices, *choices, leaves, *([] if choices else [anything]))


RAW = (
    b"",
    b"{",
    b"\xff\xfe",
    b"nul",
    b"[" * 2_000,
    b'{"a":' * 70 + b"1" + b"}" * 70,
    b"\x1f\x8b\x08",
)
TYPES = (
    *("application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"),
    *(
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/json; charset=utf-16",
        "",
        "/",
    ),
)


def bodies(route: Route) -> st.SearchStrategy[bytes | None]:
    of_schema = [like(one) for one in (route.body, route.form) if one is not None]
    said = st.one_of(*of_schema, *of_schema, anything).map(lambda one: json.dumps(one).encode())
    readable = said.map(lambda text: re.sub(rb"\\\\u(0000|d[89a-f]..)", b"", text))
    return st.one_of(
        *(readable, readable, readable, readable),
        *(said, st.none(), st.sampled_from(RAW), readable.map(gzip.compress)),
    )


def queries(route: Route) -> st.SearchStrategy[dict[str, str]]:
    names = [one.name for one in route.parameters if one.place == "query"] + ["unknown"]
    values = st.one_of(st.sampled_from(TEXTS), st.sampled_from(NUMBERS).map(str), st.just("1"))
    return st.dictionaries(st.sampled_from(names), values, max_size=3)


def escaped(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def paths(route: Route) -> st.SearchStrategy[str]:
    """The path with a garbage value for each parameter, and more often with one that may be there."""
    names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    values = st.one_of(
        st.sampled_from(["1", "1", "1", "A", *TEXTS[1:]]), st.sampled_from(NUMBERS).map(str)
    )

    def filled(chosen: tuple[str, ...]) -> str:
        path = route.path
        for name, value in zip(names, chosen, strict=True):
            path = path.replace("{" + name + "}", escaped(value[:2_000]))
        return path

    return st.tuples(*[values for _ in names]).map(filled)


@pytest.fixture(scope="module")
def clients(server: Any, keys: dict[str, str]) -> Any:
    """A client as each family of routes knows it."""
    apps = {"X-Reteno-Access-Key": keys["app"]}
    with (
        httpx.Client(base_url=server.url, auth=("", server.key), timeout=120) as api,
        httpx.Client(base_url=server.url, headers=apps, timeout=120) as app,
        httpx.Client(base_url=server.url, auth=(keys["write"], ""), timeout=120) as write,
    ):
        api.post("/api/v1/contact", json={"externalCustomerId": "A", "deviceId": "A", "webId": "A"})
        yield {"Mobile SDK": app, "Segment-style": write, "": api}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_garbage_is_no_fault_of_ours(clients: Any, route: Route) -> None:
    client: httpx.Client = clients.get(route.tag) or clients[""]

    @given(paths(route), queries(route), bodies(route), st.sampled_from(TYPES))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    def ask(path: str, query: dict[str, str], body: bytes | None, kind: str) -> None:
        words = "&".join(f"{escaped(name)}={escaped(text[:2_000])}" for name, text in query.items())
        headers = {"Content-Type": kind}
        if body is not None and body[:2] == b"\x1f\x8b":
            headers["Content-Encoding"] = "gzip"
        answer = client.request(route.method, f"{path}?{words}", content=body, headers=headers)
        assert answer.status_code < 500 or answer.status_code == 501, answer.text
        if answer.status_code >= 400:
            assert {"status", "code", "message"} <= answer.json().keys()

    ask()
