"""Every route, fuzzed from `/openapi.json`: nothing but what the description promises comes back."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from kartoteka.api.routes import ROUTES
from kartoteka.api.routing import Route
from tests.api.conftest import make_key

EXAMPLES = int(os.environ.get("KARTOTEKA_FUZZ_EXAMPLES", "8"))
"""For each route and mode; raise it for a longer hunt."""

MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)

load_all_checks()


@pytest.fixture(scope="module")
def description(server: Any) -> Any:
    """The description that the running server gives of itself."""
    return schemathesis.openapi.from_url(f"{server.url}/openapi.json")


@pytest.fixture(scope="module")
def app_key(server: Any) -> str:
    """The access key of an application."""
    return make_key(server, "--kind", "app")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_answers_are_those_described(description: Any, server: Any, app_key: str, route: Route):
    """No status, type or shape that the description does not name; never a fault of ours.

    Requests that follow the description and requests that break it.
    """
    operation = description[route.path][route.method]
    # Keys where these families of clients carry them.
    auth = (server.key, "") if route.tag == "Segment-style" else ("any", server.key)
    more = {"headers": {"X-Reteno-Access-Key": app_key}} if route.tag == "Mobile SDK" else {}
    requests = st.one_of([operation.as_strategy(generation_mode=mode) for mode in MODES])

    @given(requests)
    @settings(
        max_examples=2 * EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    def ask(case: Any) -> None:
        answer = case.call(auth=auth, **more)
        assert answer.status_code < 500 or answer.status_code == 501, answer.text
        case.validate_response(answer, checks=[status_code_conformance, content_type_conformance])
        if answer.status_code >= 400:
            body = json.loads(answer.text)
            assert body["status"] == answer.status_code
            assert {"timestamp", "error", "message", "path", "code"} <= set(body)
        if answer.text[:1] in ("{", "["):  # some answers are bare text under a JSON type
            case.validate_response(answer, checks=[response_schema_conformance])

    ask()
