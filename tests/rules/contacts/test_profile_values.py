"""Address, language, time zone and plain text of a card (wire 1.4, 2.3, 2.7, decisions D16)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.contacts.values.address import Address, clean_address, clean_address_part
from kartoteka.contacts.values.errors import InvalidValue
from kartoteka.contacts.values.language import clean_language
from kartoteka.contacts.values.text import clean_text
from kartoteka.contacts.values.time_zone import clean_time_zone

any_text = st.text(st.characters(codec=None, exclude_categories=[]), max_size=40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=4,
)
tags = st.text(st.sampled_from("ABdeknus04-_x "), max_size=20)


def short_text(value: object) -> str | None:
    return clean_text(value, "contactKey", max_chars=20)


def town(value: object) -> str | None:
    return clean_address_part("town", value)


CLEANERS = [short_text, town, clean_language, clean_time_zone]
every_cleaner = pytest.mark.parametrize("clean", CLEANERS)


@every_cleaner
@pytest.mark.parametrize("blank", [None, "", " \u00a0", "null", "NULL"])
def test_blank_and_null_are_absent(clean: Callable[[object], str | None], blank: object) -> None:
    """Decisions D16."""
    assert clean(blank) is None


@every_cleaner
@pytest.mark.parametrize("value", [True, [], {}, ["uk"], "a\x00b", "a\ud800", "\x07", "x" * 5000])
def test_what_cannot_be_stored_is_refused(
    clean: Callable[[object], str | None], value: object
) -> None:
    with pytest.raises(InvalidValue) as refused:
        clean(value)
    assert refused.value.code == "invalid_value"


@every_cleaner
@given(value=json_values | tags)
def test_any_json_value_is_cleaned_absent_or_refused_by_our_own_error(
    clean: Callable[[object], str | None], value: Any
) -> None:
    try:
        cleaned = clean(value)
    except InvalidValue:
        return
    assert clean(cleaned) == cleaned
    assert cleaned is None or cleaned.encode().decode() == cleaned.strip() != ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" a  b ", "a  b"),
        (65012, "65012"),
        (-1, "-1"),
        (5.0, "5"),
        (0.25, "0.25"),
        (1e-7, "0.0000001"),
    ],
)
def test_a_number_stands_for_its_digits(value: object, text: str) -> None:
    """Wire 1.4: clients send numbers where the contract says text."""
    assert short_text(value) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300, 10**400, -(10**400)])
def test_a_number_that_no_text_holds_is_refused(value: float) -> None:
    with pytest.raises(InvalidValue):
        short_text(value)


def test_a_number_of_any_length_is_refused_by_our_own_error() -> None:
    """Python prints no more than 4,300 digits of an integer."""
    with pytest.raises(InvalidValue):
        short_text(10**5000)


def test_an_address_keeps_the_parts_that_say_something() -> None:
    given_address = {
        "region": " ",
        "town": " Київ ",
        "address": "Хрещатик 1\nкв. 2",
        "postcode": 1001,
    }
    assert clean_address(given_address | {"countryCode": "UA"}) == Address(
        town="Київ", address="Хрещатик 1\nкв. 2", postcode="1001"
    )


@pytest.mark.parametrize("raw", [None, {}, {"town": ""}, {"town": None, "countryCode": "UA"}])
def test_an_address_that_says_nothing_is_absent(raw: object) -> None:
    assert clean_address(raw) is None


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ("Kyiv", "address"),
        ([], "address"),
        ({"town": []}, "address.town"),
        ({"region": "x" * 256}, "address.region"),
    ],
)
def test_an_address_names_the_part_that_is_wrong(raw: object, field: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        clean_address(raw)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        ("uk", "uk"),
        ("UK", "uk"),
        ("en-us", "en-US"),
        ("en_UK", "en-UK"),
        ("es-419", "es-419"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("ZH-CMN-HANS-CN", "zh-cmn-Hans-CN"),
        ("de-CH-1996", "de-CH-1996"),
        ("sl-rozaj-biske", "sl-rozaj-biske"),
        ("en-US-u-islamcal-x-OWN", "en-US-u-islamcal-x-own"),
        (" fil ", "fil"),
    ],
)
def test_a_language_gets_its_usual_spelling(value: str, tag: str) -> None:
    """RFC 5646 2.1.1."""
    assert clean_language(value) == tag


@pytest.mark.parametrize(
    "value", ["english", "u", "en-", "-en", "en--US", "en-U", "укр", "e1", "en-US-", 1]
)
def test_what_is_no_language_tag_is_refused(value: object) -> None:
    with pytest.raises(InvalidValue):
        clean_language(value)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("Europe/Kyiv", "Europe/Kyiv"),
        ("europe/kiev", "Europe/Kiev"),
        ("Etc/GMT+03", "Etc/GMT+3"),
        ("Etc/GMT-12", "Etc/GMT-12"),
        ("etc/gmt-03", "Etc/GMT-3"),
        ("UTC", "UTC"),
        (" America/New_York ", "America/New_York"),
    ],
)
def test_a_time_zone_is_one_of_the_database(value: str, name: str) -> None:
    cleaned = clean_time_zone(value)
    assert cleaned == name
    assert ZoneInfo(cleaned).key == name


@pytest.mark.parametrize(
    "value", ["Kyiv", "Factory", "../etc/passwd", "/etc/localtime", "Etc/GMT+99", 3]
)
def test_what_is_no_time_zone_is_refused(value: object) -> None:
    with pytest.raises(InvalidValue):
        clean_time_zone(value)
