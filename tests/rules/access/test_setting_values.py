"""Settings of an account: declared once, read from text and JSON, refused with a reason."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.access.account_settings import AccountSettings
from kartoteka.access.setting_values import (
    SETTINGS,
    InvalidSetting,
    Value,
    as_text,
    effective,
    read_members,
    read_pairs,
    setting_rows,
)

DEFAULTS = [
    ("region", "UA"),
    ("never_identifiers", ()),
    ("phone_is_personal", False),
    ("keep_former_ids", True),
    ("absorb", "contained"),
    ("currency", "UAH"),
    ("time_zone", "UTC"),
    ("rate_limits", False),
    ("disable_unused_keys", False),
    ("refuse_repeats", False),
    ("signed_claims", False),
    ("allow_server_key_in_browser", False),
    ("visits_per_cookie", 10_000),
    ("respect_do_not_track", True),
    ("event_mapping", ()),
    ("delete_past_events", False),
    ("event_retention_months", 0),
    ("anonymous_retention_months", 13),
]


def test_every_setting_of_the_decisions_is_there_with_its_default() -> None:
    assert [(one.name, one.default) for one in SETTINGS.values()] == DEFAULTS


@pytest.mark.parametrize(
    ("pair", "name", "value"),
    [
        ("region=PL", "region", "PL"),
        (" absorb = anonymous ", "absorb", "anonymous"),
        ("rate_limits=on", "rate_limits", True),
        ("rate_limits=TRUE", "rate_limits", True),
        ("keep_former_ids=no", "keep_former_ids", False),
        ("keep_former_ids=0", "keep_former_ids", False),
        ("visits_per_cookie=0", "visits_per_cookie", 0),
        ("currency=EUR", "currency", "EUR"),
        ("event_mapping=card = email", "event_mapping", ("card = email",)),
        ("absorb=default", "absorb", None),
        ("never_identifiers=", "never_identifiers", ()),
        (
            "never_identifiers=guest@shop.example, shop.example,,guest@shop.example",
            "never_identifiers",
            ("guest@shop.example", "shop.example"),
        ),
    ],
)
def test_text_is_read(pair: str, name: str, value: Value | None) -> None:
    assert read_pairs([pair]) == {name: value}


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("region=Ukraine", "region must be two capital letters"),
        ("region=ua", "region must be two capital letters"),
        ("absorb=all", "absorb must be contained, anonymous or never"),
        ("absorb", "Write absorb=value; it must be contained, anonymous or never"),
        ("rate_limits=maybe", "rate_limits must be true or false"),
        ("rate_limits=", "rate_limits must be true or false"),
        ("visits_per_cookie=-1", "visits_per_cookie must be 0 to 1000000"),
        ("visits_per_cookie=1e3", "visits_per_cookie must be 0 to 1000000"),
        ("visits_per_cookie=1000001", "visits_per_cookie must be 0 to 1000000"),
        ("event_mapping=loyaltyCard=name", "event_mapping must be PARAMETER=FIELD"),
        ("anonymous_retention_months=0", "anonymous_retention_months must be 1 to 1200 months"),
        ("currency=euro", "currency must be three capital letters"),
        ("asorb=never", "no setting 'asorb'. Did you mean absorb?"),
        ("rate-limits=on", "no setting 'rate-limits'. Did you mean rate_limits?"),
        ("zzzzz=1", "There are region, never_identifiers"),
    ],
)
def test_text_that_cannot_be_is_refused_with_what_is_allowed(pair: str, said: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        read_pairs([pair])
    assert said in refused.value.message


def test_json_members_are_read_and_null_means_the_default_again() -> None:
    body = {"absorb": "never", "refuse_repeats": True, "region": None, "visits_per_cookie": 5}
    assert read_members(body) == body


@pytest.mark.parametrize(
    "body",
    [
        {"refuse_repeats": "true"},
        {"refuse_repeats": 1},
        {"visits_per_cookie": True},
        {"visits_per_cookie": 5.0},
        {"visits_per_cookie": "5"},
        {"absorb": ["never"]},
        {"absorb": {}},
        {"region": 5},
        {"never_identifiers": "guest@shop.example"},
        {"never_identifiers": [5]},
        {"never_identifiers": ["x" * 321]},
        {"never_identifiers": [f"{n}@shop.example" for n in range(1_001)]},
        {"": True},
        [],
        "absorb",
        None,
    ],
)
def test_json_of_another_type_is_refused(body: Any) -> None:
    with pytest.raises(InvalidSetting):
        read_members(body)


def test_a_refusal_never_quotes_the_value() -> None:
    with pytest.raises(InvalidSetting) as refused:
        read_members({"absorb": "alice@shop.example"})
    assert "alice" not in refused.value.message


def test_an_account_that_chose_nothing_has_the_defaults_and_the_region_of_the_installation() -> (
    None
):
    assert effective({}, "DE") == msgspec.structs.replace(AccountSettings(), region="DE")


def test_the_chosen_region_wins_over_that_of_the_installation() -> None:
    assert effective({"region": "UA"}, "DE").region == "UA"


def test_what_another_version_stored_is_left_out() -> None:
    assert effective({"unheard_of": 1, "absorb": "sometimes"}, "UA") == AccountSettings()


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "absorb": st.sampled_from(["contained", "anonymous", "never"]),
            "visits_per_cookie": st.integers(0, 1_000_000),
            "rate_limits": st.booleans(),
            "never_identifiers": st.lists(
                st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=9)
            ),
        },
    )
)
def test_what_json_sets_text_sets_too(body: dict[str, Any]) -> None:
    from_json = read_members(body)
    pairs = [f"{name}={as_text(value)}" for name, value in from_json.items() if value is not None]
    from_text = read_pairs(pairs)
    if from_json.get("never_identifiers") != ("default",):
        assert from_text == from_json


def test_the_docs_table_says_everything_about_every_setting() -> None:
    rows = setting_rows()
    assert [row.name for row in rows] == list(SETTINGS)
    for row in rows:
        assert all(msgspec.structs.astuple(row)[1:2] + msgspec.structs.astuple(row)[3:])
        assert row.meaning.endswith(".")
        assert row.consequence.endswith(".")
