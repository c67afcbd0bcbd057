"""Every end point that is known of the original is served, or the docs say that it is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kartoteka.api.not_served import ROUTES as NOT_SERVED
from kartoteka.api.routes import ROUTES

PAGE = (Path(__file__).parents[2] / "docs" / "api" / "compatibility.md").read_text("utf-8")

# Section of spec/wire.md, methods, path.
KNOWN = """
1.1 GET /api/v1/version
1.1 GET /api/v2/version
1.2 POST /api/v1/auth/token
1.2 POST /api/v1/auth/contact/token
3.1 POST /api/v1/contact
3.2 PUT /api/v1/contact/{id}
3.3 GET /api/v1/contact/{id}
3.4 DELETE /api/v1/contact/{id}
3.5 DELETE /api/v1/contact
3.6 POST /api/v1/contact/subscribe
3.7 GET /api/v1/contacts
3.9 POST /api/v1/contacts
3.10 GET /api/v1/importstatus/{session}
3.11 POST /api/v1/contacts/upload
3.12 GET /api/v1/contact/token/{app}/{token}/contactId
3.12 GET|PUT /api/v1/contact/token/activated/{app}/{token}
3.12 POST /api/v1/apps/{app}/tokens
3.12 POST /api/v1/apps/{app}/token/mute
3.12 POST /api/v1/apps/{app}/token/unmute
3.13 GET|PUT /api/v1/contact/{id}/subscriptions
3.13 GET /api/v1/subscriptions
3.13 POST /api/v1/emails/unsubscribed/add
3.13 POST /api/v1/emails/unsubscribed/delete
3.13 GET /api/v1/contacts/email
3.14 GET /api/v1/groups
3.14 GET /api/v1/group/{id}/contacts
3.14 POST /api/v1/group/{id}/contacts/attach
3.14 POST /api/v1/group/{id}/contacts/detach
3.14 GET /api/v1/addressbooks
3.14 GET /api/v1/additionalfields
3.14 GET /api/v1/workflows
3.14 GET /api/v1/account/info
3.14 GET /api/v2/contacts/activity
3.14 GET /api/v2/contacts/messages
5.1 POST|DELETE /api/v1/orders
6.1 POST /api/v2/event
6.4 POST /api/v1/event
6.4 POST /api/v3/event
6.4 POST /api/v2/past_events
6.4 POST|DELETE /api/v1/past_events
7.1 POST /api/v1/device
7.1 POST /api/v1/user
7.1 POST /api/v1/events
7.1 GET /api/v1/appinbox/messages
7.1 GET /api/v1/appinbox/messages/count
7.1 POST /api/v1/appinbox/messages/status
7.1 POST /api/v1/recoms/{variant}/request
7.1 POST /api/v1/recoms/events
7.1 GET /api/v1/inapp/messages
7.1 POST /api/v1/inapp/contents/request
7.1 POST /api/v1/inapp/async-rules/check
7.1 GET /api/v1/inapp/interactions/{id}/message
7.1 POST /api/v1/interaction
7.1 PUT /api/v1/interactions/{id}/status
7.1 POST /logs/v1/events
9.3 POST /api/v2
9.3 POST /tracker/api/v2
9.5 GET|POST /api/v1/site/domains
9.5 GET /api/v1/site/script
9.5 GET|POST|DELETE /api/v1/site/webpush/domains
9.5 POST /api/v1/site/webpush/domain
9.5 GET /api/v1/site/webpush/script
"""
END_POINTS = [
    (method, path)
    for line in KNOWN.split("\n")
    if line
    for _, methods, path in [line.split(" ")]
    for method in methods.split("|")
]


def shape(method: str, path: str) -> str:
    return f"{method} {re.sub('{[^}]*}', '{}', path)}"


ALL = {shape(one.method, one.path) for one in ROUTES}
MISSING = {shape(one.method, one.path) for one in NOT_SERVED}


@pytest.mark.parametrize(("method", "path"), END_POINTS)
def test_an_end_point_of_the_original_is_served_or_listed(method: str, path: str) -> None:
    assert shape(method, path) in ALL
    assert (shape(method, path) in MISSING) == (f"`{method} {path}`" in PAGE.split("## Habits")[0])
