"""Messages of pages and servers, read: tolerant of everything, sure of whom they name (wire 9.2–9.4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from kartoteka.activity.sites.rules import is_page_of, read_domain
from kartoteka.activity.visitors.messages import (
    REASONS,
    Dropped,
    messages_in,
    occurred,
    params_of,
    read_message,
    token_of,
    visitor_of,
    who_is,
)
from kartoteka.activity.visitors.model import Who
from kartoteka.identity.kinds import Region

UA = Region("UA")
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
MS = int(NOW.timestamp() * 1000)


def message(name: str = "PageView", url: str | None = None, **info: Any) -> dict[str, Any]:
    page = {} if url is None else {"Page": {"url": url}}
    return {"GeneralInfo": {"eventName": name, "cookies": {"sc": "S"}, **info}, **page}


WHO: tuple[tuple[dict[str, Any], Who], ...] = (
    (message(), Who()),
    (message(externalCustomerId=42), Who(external_id="42")),
    (message(externalCustomerId=" X "), Who(external_id="X")),
    (message(externalCustomerId="null", user_email="a@x.ua"), Who(email="a@x.ua")),
    (message(externalCustomerId="undefined"), Who()),
    (message(externalCustomerId="x" * 300, user_email="A@X.UA"), Who(email="a@x.ua")),
    (message(user_email="no", user_phone="050 111 22 33"), Who(phone="380501112233")),
    (message(user_es_contact_id="17"), Who(contact_id=17)),
    (message(user_es_contact_id=-3), Who()),
    (message(user_es_contact_id=True), Who()),
    ({**message(), "CustomerData": {"externalCustomerId": "X"}}, Who(external_id="X")),
    ({**message(externalCustomerId="A"), "CustomerData": {"externalCustomerId": "B"}}, Who("A")),
    ({**message(), "CustomerData": ["X"]}, Who()),
    (message(url="https://s.ua/?etm_term=17"), Who(contact_id=17)),
    (message(url="https://s.ua/?utm_content=Yespo-18"), Who(contact_id=18)),
    (message(url="https://s.ua/?utm_source=yespo-email&utm_content=19"), Who(contact_id=19)),
    (message(url="https://s.ua/?utm_source=google&utm_content=19"), Who()),
    (message(url="https://s.ua/?etm_term=17&utm_content=Yespo-18"), Who(contact_id=17)),
    (message(url="https://s.ua/?etm_term=17", externalCustomerId="X"), Who(external_id="X")),
    (message(url="https://s.ua/?etm_term=99999999999999999999"), Who()),
    ({"webId": "S", "orgId": 1, "externalCustomerId": 7, "phone": ""}, Who(external_id="7")),
    ({"webId": "S", "orgId": 1, "email": "a@x.ua", "phone": None}, Who(email="a@x.ua")),
)


@pytest.mark.parametrize(("raw", "who"), WHO, ids=str)
def test_whom_a_message_names(raw: dict[str, Any], who: Who):
    assert who_is(read_message(raw), UA) == who


@pytest.mark.parametrize(
    ("stated", "sent", "is_at"),
    [
        (MS - 60_000, None, NOW - timedelta(minutes=1)),
        (str(MS - 60_000), None, NOW - timedelta(minutes=1)),
        (float(MS - 60_000), None, NOW - timedelta(minutes=1)),
        (MS + 60_000, None, NOW),
        (MS - 400 * 86_400_000, None, NOW),
        (None, None, NOW),
        ("yesterday", MS, NOW),
        (float("nan"), MS, NOW),
        # Sent a moment ago by a clock that is right: its own time.
        (MS - 90_000, MS - 2_000, NOW - timedelta(seconds=90)),
        # Sent "an hour ago": the clock is wrong by an hour.
        (MS - 3_690_000, MS - 3_600_000, NOW - timedelta(seconds=90)),
        (MS + 3_510_000, MS + 3_600_000, NOW - timedelta(seconds=90)),
    ],
)
def test_when_it_happened(stated: Any, sent: int | None, is_at: datetime):
    assert occurred(read_message(message(datetime=stated)), NOW, sent) == is_at


def test_messages_of_one_page_keep_their_order():
    """However long each was on its way: within half a minute the page's clock is believed."""
    first = occurred(read_message(message(datetime=MS - 500)), NOW, MS - 20_000)
    second = occurred(read_message(message(datetime=MS - 400)), NOW, MS - 100)
    assert first < second


def test_no_visit_keeps_who_the_visitor_is_said_to_be():
    said = {
        "externalCustomerId": "X",
        "user_email": "a@x.ua",
        "user_phone": "1",
        "user_name": "A",
        "user_client_id": "card",
        "user_city": "Kyiv",
    }
    raw = {**message("CustomerData", user_email="a@x.ua"), "CustomerData": said, **said}
    assert params_of(read_message(raw)) == {
        "CustomerData": {"user_city": "Kyiv"},
        "user_city": "Kyiv",
    }


def test_a_token_is_read_from_its_own_message_only():
    push = {"WebPush": {"token": " T "}}
    assert token_of(read_message({**message("WebPush"), **push})) is not None
    assert token_of(read_message({**message("PageView"), **push})) is None
    assert token_of(read_message({**message("WebPush"), "WebPush": {"token": "null"}})) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                (
                    *(
                        "GeneralInfo",
                        "eventName",
                        "siteId",
                        "cookies",
                        "sc",
                        "datetime",
                        "messageId",
                    ),
                    *(
                        "batch",
                        "sentAt",
                        "webId",
                        "orgId",
                        "email",
                        "phone",
                        "Page",
                        "url",
                        "WebPush",
                    ),
                    *(
                        "CustomerData",
                        "externalCustomerId",
                        "user_email",
                        "user_es_contact_id",
                        "token",
                    ),
                )
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


reasons: set[str] = set()


@given(json_values)
@settings(deadline=None)
def test_whatever_comes_is_read_or_dropped_with_a_reason(body: Any):
    try:
        rows, sent = messages_in(body)
    except Dropped as dropped:
        reasons.add(dropped.reason)
        return
    for raw in rows:
        try:
            one = read_message(raw)
            visitor_of(one)
        except Dropped as dropped:
            reasons.add(dropped.reason)
            continue
        assert occurred(one, NOW, sent) <= NOW
        who_is(one, UA)
        params_of(one)
        token_of(one)
    assert reasons <= REASONS.keys()


@given(st.text(max_size=60))
def test_a_domain_is_read_the_same_again(text: str):
    domain = read_domain(text)
    if domain is not None:
        assert read_domain(domain) == domain
        assert is_page_of(
            f"https://{domain}" if ":" not in domain else f"http://[{domain}]", [domain]
        )
