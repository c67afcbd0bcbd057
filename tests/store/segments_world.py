"""Random conditions on random contacts, and what must hold of them after every step."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from kartoteka.segments.conditions.consent import STATES

TEXTS = ("Ann", "Bob", "Анна", "علي", "an", "é", "a_b%", 'q"\\')
TOWNS = ("Kyiv", "Lviv", "O'Neil")
CODES = {"text": 1, "number": 2, "decimal": 3, "date": 4, "time": 5, "tags": 6, "choice": 7}
DATES = ("2024-02-29", "2024-03-05", "2023-03-01", "2030-12-31", "0001-01-01", "9999-12-31")
TAGS = ("red", "green", "blue")


def text_tests(field: str, values: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    one = st.sampled_from(values)
    return st.one_of(
        st.builds(
            lambda op, value: {"field": field, "operator": op, "value": value},
            st.sampled_from(
                ("equals", "not_equals", "contains", "not_contains", "starts_with", "ends_with")
            ),
            one,
        ),
        st.builds(
            lambda op, value: {"field": field, "operator": op, "value": value},
            st.sampled_from(("one_of", "not_one_of")),
            st.lists(one, min_size=1, max_size=3),
        ),
        set_tests(field),
    )


def set_tests(field: str, **more: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(("is_set", "is_empty")).map(
        lambda op: {"field": field, **more, "operator": op}
    )


def number_tests(said: dict[str, Any], values: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    one = st.sampled_from(values)
    return st.one_of(
        st.builds(
            lambda op, value: {**said, "operator": op, "value": value},
            st.sampled_from(("equals", "not_equals", "greater", "less")),
            one,
        ),
        st.tuples(one, one).map(
            lambda two: {**said, "operator": "between", "value": sorted(two, key=float)}
        ),
    )


def date_tests(said: dict[str, Any]) -> st.SearchStrategy[Any]:
    days = st.sampled_from((1, 2, 7, 30, 365))
    dates = ("2024-02-29", "2024-03-01", "2024-03-05T10:30", "2024-03-01T00:00:00Z")
    one = st.sampled_from(dates)
    return st.one_of(
        st.builds(
            lambda op, value: {**said, "operator": op, "value": value},
            st.sampled_from(("in_last_days", "more_than_days_ago", "in_next_days")),
            days,
        ),
        st.builds(
            lambda op, value: {**said, "operator": op, "value": value},
            st.sampled_from(("equals", "not_equals", "greater", "less")),
            one,
        ),
        st.tuples(one, one).map(lambda two: {**said, "operator": "between", "value": sorted(two)}),
        st.sampled_from((0, 1, 7, 365)).map(
            lambda value: {**said, "operator": "anniversary", "value": value}
        ),
        st.sampled_from(("is_set", "is_empty")).map(lambda op: {**said, "operator": op}),
    )


def custom(kind: str) -> dict[str, Any]:
    return {"field": "custom", "id": CODES[kind]}


_STATES = st.sampled_from(tuple(STATES))
TEXT_LEAVES = st.one_of(
    set_tests("externalCustomerId"),
    text_tests("firstName", TEXTS),
    text_tests("lastName", TEXTS),
    text_tests("town", TOWNS),
    text_tests("email", ("a@x.example", "b@y.example", "a", "x.example")),
    text_tests("emailDomain", ("x.example", "y.example")),
    text_tests("sms", ("+380 67", "380671234501", "502")),
    text_tests("languageCode", ("uk", "en-US")),
    st.sampled_from(("API", "SUBSCRIPTION", "IMPORT")).map(
        lambda source: {"field": "contactSource", "operator": "equals", "value": source}
    ),
)
FIELD_LEAVES = st.one_of(
    number_tests({"field": "id"}, (0, 1, 1001, 2002)),
    number_tests(custom("number"), (0, -5, 7, "7.0")),
    number_tests(custom("decimal"), ("0.1", 1.5, 100)),
    text_tests("firstName", TEXTS),
    st.sampled_from(TAGS).map(lambda tag: {**custom("tags"), "operator": "contains", "value": tag}),
    st.lists(st.sampled_from(TAGS), min_size=1).map(
        lambda tags: {**custom("tags"), "operator": "not_one_of", "value": tags}
    ),
)
DATE_LEAVES = st.one_of(
    date_tests({"field": "createdAt"}),
    date_tests({"field": "updatedAt"}),
    date_tests(custom("date")),
    date_tests(custom("time")),
)
TOKEN_LEAVES = st.one_of(
    *(set_tests(key) for key in ("mobilePush", "webPush", "device", "webCookie", "telegram")),
    set_tests("mobilePush", app="app-1"),
)
CONSENT_LEAVES = st.one_of(
    st.builds(
        lambda channel, state: {
            "field": "consent",
            "channel": channel,
            "operator": "equals",
            "value": state,
        },
        st.sampled_from(("email", "sms")),
        _STATES,
    ),
    _STATES.map(
        lambda state: {
            "field": "category",
            "category": "news",
            "operator": "not_equals",
            "value": state,
        }
    ),
)
LIST_LEAVES = st.sampled_from(("member", "not_member")).map(
    lambda op: {"field": "segment", "id": 1, "operator": op}
)
_FILTERS = st.sampled_from(
    (
        None,
        [{"name": "price", "operator": "greater", "value": 10}],
        [{"name": "price", "operator": "equals", "value": "12.50"}],
        [{"name": "colour", "operator": "not_equals", "value": "red"}],
    )
)


def _events(key: str, days: int | None, filters: Any) -> dict[str, Any]:
    said: dict[str, Any] = {"field": key} if key != "event" else {"field": key, "type": "seen"}
    if days is not None:
        said["inLastDays"] = days
    return said if filters is None else {**said, "params": filters}


_COUNTED = st.builds(
    _events,
    st.sampled_from(("event", "event", "pageViews", "productViews")),
    st.sampled_from((None, 1, 7, 30)),
    _FILTERS,
)
ACTIVITY_LEAVES = st.one_of(
    st.sampled_from(
        (
            {"field": "orderCount"},
            {"field": "orderCount", "status": "any"},
            {"field": "orderSum"},
            {"field": "orderSum", "currency": "EUR"},
            {"field": "orderAverage"},
        )
    ).flatmap(lambda said: number_tests(said, (0, 1, 2, 10, "12.50", 30))),
    st.sampled_from(({"field": "lastOrderDate"}, {"field": "firstOrderDate"})).flatmap(date_tests),
    _COUNTED.flatmap(lambda said: number_tests(said, (0, 1, 2))),
    st.sampled_from(
        ({"field": "firstEvent", "type": "seen"}, {"field": "lastEvent", "type": "seen"})
    ).flatmap(date_tests),
)
LEAVES = st.one_of(
    ACTIVITY_LEAVES,
    TEXT_LEAVES,
    FIELD_LEAVES,
    DATE_LEAVES,
    TOKEN_LEAVES,
    CONSENT_LEAVES,
    LIST_LEAVES,
)


def _joined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        several.map(lambda parts: {"all": parts}),
        several.map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    )


CONDITIONS = st.recursive(LEAVES, _joined, max_leaves=5)
"""`segment` 1 is a list."""
