"""Identifier kinds: what a JSON value becomes before it is compared (decisions D1-D4)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.identity.kinds import (
    BY_CODE,
    BY_NAME,
    DEFAULT_REGION,
    DEVICE,
    EMAIL,
    EXTERNAL_ID,
    KINDS,
    PHONE,
    WEB_COOKIE,
    IdentifierKind,
    InvalidIdentifier,
    Region,
)
from kartoteka.identity.kinds.key import value_key
from kartoteka.identity.kinds.phone import is_region

UA = DEFAULT_REGION
VERBATIM = [kind for kind in KINDS if not kind.lasting]

# Lone surrogates pass a JSON decoder as escapes, so texts here hold any code point at all.
any_text = st.text(st.characters(codec=None, exclude_categories=[]), max_size=60)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=4,
)
near_misses = st.text(st.sampled_from("aZ0.@-+ _'\x00\u00a0\ud800éПİßΣ٣"), max_size=40)
addresses = st.builds(
    "{}@{}.{}".format,
    st.text(st.sampled_from("abcXYZ019.+_'-"), min_size=1, max_size=12),
    st.text(st.sampled_from("abXY09-."), min_size=1, max_size=12),
    st.sampled_from(["com", "UA", "co.uk", "укр", "museum"]),
)
kinds = st.sampled_from(KINDS)


def by_name(kind: IdentifierKind) -> str:
    return kind.name


def test_the_kinds_and_their_codes_are_those_of_the_database() -> None:
    """Codes are stored, so no kind may ever change its own (decisions D1)."""
    assert {kind.name: kind.code for kind in KINDS} == {
        "external_id": 1,
        "email": 2,
        "phone": 3,
        "mobile_token": 4,
        "web_token": 5,
        "telegram_token": 6,
        "device": 7,
        "web_cookie": 8,
    }
    assert all(BY_CODE[kind.code] is BY_NAME[kind.name] is kind for kind in KINDS)


def test_only_email_and_phone_are_shared_and_only_they_and_the_external_id_last() -> None:
    """Guide G2, decisions D2."""
    assert {kind.name for kind in KINDS if not kind.exclusive} == {"email", "phone"}
    assert {kind.name for kind in KINDS if kind.lasting} == {"external_id", "email", "phone"}


@pytest.mark.parametrize("kind", KINDS, ids=by_name)
def test_every_example_of_a_kind_is_true(kind: IdentifierKind) -> None:
    for given_value, stored in kind.examples:
        assert kind.normalise(given_value, UA) == stored, given_value


@pytest.mark.parametrize("kind", KINDS, ids=by_name)
@pytest.mark.parametrize("blank", [None, "", " ", "\u00a0", " \u00a0\t", "null", "NULL", " Null "])
def test_blank_and_null_mean_absent_everywhere(kind: IdentifierKind, blank: object) -> None:
    """Decisions D3."""
    assert kind.normalise(blank, UA) is None


@pytest.mark.parametrize("kind", KINDS, ids=by_name)
@pytest.mark.parametrize("value", [True, False, 1.5, [], ["a"], {}, "a\x00b", "a\ud800b"])
def test_what_no_identifier_can_be_is_refused(kind: IdentifierKind, value: object) -> None:
    """NUL and lone surrogates cannot be stored; lists, objects and booleans are no texts."""
    with pytest.raises(InvalidIdentifier) as refused:
        kind.normalise(value, UA)
    assert refused.value.kind == kind.name
    assert refused.value.code == "invalid_identifier"


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("000123", "000123"),
        ("a b", "a b"),
        ("'; drop table", "'; drop table"),
        (0, "0"),
        (-1, "-1"),
        (2**63, "9223372036854775808"),
        ("\ufeffTV1\u202f", "TV1"),
        ("x" * 255, "x" * 255),
        (" " + "x" * 255 + " ", "x" * 255),
        ("клієнт-7", "клієнт-7"),
    ],
)
def test_an_external_id_is_kept_as_its_owner_wrote_it(value: object, stored: str) -> None:
    """Decisions D3."""
    assert EXTERNAL_ID.normalise(value, UA) == stored


@pytest.mark.parametrize("value", ["x" * 256, 10**300, "a\tb", "a\nb", "a\x85b", "\x7fa", 7.0])
def test_an_external_id_has_up_to_255_characters_and_no_control_character(value: object) -> None:
    """Decisions D3."""
    with pytest.raises(InvalidIdentifier):
        EXTERNAL_ID.normalise(value, UA)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("ALICE+news@Example.com", "alice+news@example.com"),
        ("o'hara@example.co.uk", "o'hara@example.co.uk"),
        ("a@b.museum", "a@b.museum"),
        ("alice@MÜNCHEN.example", "alice@xn--mnchen-3ya.example"),
        ("ПОШТА@ПОШТА.УКР", "пошта@xn--80a1acn3a.xn--j1amh"),
        ("e\u0301va@example.com", "éva@example.com"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
    ],
)
def test_an_email_is_lower_case_with_its_domain_as_a_label(value: str, stored: str) -> None:
    """Decisions D4."""
    assert EMAIL.normalise(value, UA) == stored


@pytest.mark.parametrize(
    "value",
    [
        *(
            "alice",
            "alice@",
            "@example.com",
            "alice@example",
            "alice@@example.com",
            "a b@example.com",
        ),
        *("alice@exa mple.com", "alice@.com", "alice@example..com", "alice@-example.com"),
        *("alice@example.com.", ".alice@example.com", "alice.@example.com", "al..ice@example.com"),
        *(
            "alice@127.0.0.1",
            "alice@[127.0.0.1]",
            "<alice@example.com>",
            "a@example.com,b@example.com",
        ),
        *(
            "a" * 65 + "@example.com",
            "a@" + "b" * 64 + ".com",
            "a@" + "b." * 130 + "com",
            "a\n@example.com",
        ),
        *("alice\u200b@example.com", "alice@xn--a.com", "alice@exa_mple.com", 5),
    ],
)
def test_what_is_no_email_is_refused(value: object) -> None:
    with pytest.raises(InvalidIdentifier):
        EMAIL.normalise(value, UA)


@pytest.mark.parametrize(
    ("value", "region", "stored"),
    [
        ("0942583691", "UA", "380942583691"),
        ("+7 916 123-45-67", "UA", "79161234567"),
        ("79161234567", "UA", "79161234567"),
        ("(202) 456-1111", "US", "12024561111"),
        ("2024561111", "US", "12024561111"),
        ("011380942583691", "US", "380942583691"),
        ("00380942583691", "US", "380942583691"),
        ("0049 30 123456", "DE", "4930123456"),
        ("030 123456", "DE", "4930123456"),
        ("+39 06 698 12345", "UA", "390669812345"),
        ("\u202a+380942583691\u202c", "UA", "380942583691"),
        ("\uff0b３８０９４２５８３６９１", "UA", "380942583691"),
        (380942583691, "UA", "380942583691"),
    ],
)
def test_a_phone_is_read_in_its_region_first_and_then_internationally(
    value: object, region: str, stored: str
) -> None:
    """Decisions D4."""
    assert PHONE.normalise(value, Region(region)) == stored


@pytest.mark.parametrize(
    "value",
    [
        *(
            "12",
            "+",
            "00",
            "0000000000",
            "+380",
            "1-800-FLOWERS",
            "tel:+380942583691",
            "380942583691 x5",
        ),
        *("++380942583691", "380+942583691", "+00380942583691", -380942583691, "1" * 65),
        *("+380 11 111 11 11 11", "²³⁴⁵⁶⁷⁸"),
    ],
)
def test_what_is_no_phone_is_refused(value: object) -> None:
    with pytest.raises(InvalidIdentifier):
        PHONE.normalise(value, UA)


@pytest.mark.parametrize("region", ["UA", "DE", "US", "JP"])
@pytest.mark.parametrize("stored", ["380942583691", "4930123456", "12024561111", "376312345"])
def test_a_stored_phone_with_a_plus_is_the_same_in_every_region(stored: str, region: str) -> None:
    """Without the plus Germany, for one, reads most foreign digits as its own (decisions D4)."""
    assert PHONE.normalise("+" + stored, Region(region)) == stored


def test_bare_digits_that_are_valid_in_the_region_are_read_there_first() -> None:
    """Decisions D4: the first valid reading counts."""
    assert PHONE.normalise("541123456789", Region("DE")) == "49541123456789"
    assert PHONE.normalise("541123456789", UA) == "541123456789"


def test_a_region_is_one_that_has_phone_numbers() -> None:
    assert is_region("UA")
    assert not is_region("ua")
    assert not is_region("ZZ")


@pytest.mark.parametrize("kind", VERBATIM, ids=by_name)
def test_tokens_devices_and_cookies_are_compared_letter_by_letter(kind: IdentifierKind) -> None:
    """Decisions D4: verbatim, at most 4,096 characters; a number is no token."""
    assert kind.normalise("Ab:C d/é\t ", UA) == "Ab:C d/é\t "
    assert kind.normalise("x" * 4096, UA) == "x" * 4096
    for value in ("x" * 4097, 12345):
        with pytest.raises(InvalidIdentifier):
            kind.normalise(value, UA)


@pytest.mark.parametrize("kind", KINDS, ids=by_name)
def test_a_huge_value_is_refused_like_any_other(kind: IdentifierKind) -> None:
    """A JSON integer may be longer than Python agrees to print; a text may be a megabyte."""
    for value in (10**5000, -(10**5000), "a" * 1_000_000, "1" * 1_000_000, "@" * 1_000_000):
        with pytest.raises(InvalidIdentifier):
            kind.normalise(value, UA)


@given(kinds, json_values | near_misses)
def test_any_json_value_is_normalised_absent_or_refused_by_our_own_error(
    kind: IdentifierKind, value: Any
) -> None:
    message = ""
    try:
        stored = kind.normalise(value, UA)
    except InvalidIdentifier as error:
        stored, message = None, str(error)
    assert stored is None or stored.encode().decode() == stored != ""
    # A message that quoted the value would bring personal values into logs.
    assert not isinstance(value, str) or len(value) < 8 or value not in message


@given(kinds, near_misses | addresses | any_text)
def test_normalising_twice_changes_nothing(kind: IdentifierKind, value: str) -> None:
    try:
        stored = kind.normalise(value, UA)
    except InvalidIdentifier:
        return
    assert kind.normalise(stored, UA) == stored


@given(addresses)
def test_upper_and_lower_case_are_the_same_email(address: str) -> None:
    try:
        stored = EMAIL.normalise(address, UA)
    except InvalidIdentifier:
        with pytest.raises(InvalidIdentifier):
            EMAIL.normalise(address.upper(), UA)
        return
    assert stored == EMAIL.normalise(address.upper(), UA) == EMAIL.normalise(address.title(), UA)


@given(st.sampled_from(["67", "50", "63", "94", "73"]), st.integers(0, 9_999_999))
def test_every_spelling_of_a_phone_is_the_same_phone(operator: str, subscriber: int) -> None:
    """With and without plus, with 00, as the region's number, as a JSON number (decisions D4)."""
    national = f"{operator}{subscriber:07}"
    digits = "380" + national
    spellings = [digits, "+" + digits, "00" + digits, "0" + national, int(digits)]
    assert {PHONE.normalise(spelling, UA) for spelling in spellings} == {digits}


@given(st.integers(0, 10), st.integers(0, 10**30))
def test_leading_zeros_of_an_external_id_survive(zeros: int, number: int) -> None:
    """Decisions D3."""
    text = "0" * zeros + str(number)
    assert EXTERNAL_ID.normalise(text, UA) == text
    assert EXTERNAL_ID.normalise(number, UA) == str(number)


@pytest.mark.parametrize("value", ["", "TV12790", "x" * 500, "é" * 250])
def test_a_value_of_up_to_500_bytes_is_its_own_key(value: str) -> None:
    assert value_key(value) == value


@pytest.mark.parametrize("value", ["x" * 501, "é" * 251, "x" * 4096, "sha256:", "sha256:abc"])
def test_a_longer_value_is_keyed_by_its_digest(value: str) -> None:
    key = value_key(value)
    assert key.startswith("sha256:")
    assert len(key) == 71


def test_a_value_that_spells_the_key_of_another_does_not_share_it() -> None:
    long_token = "x" * 501
    assert value_key(value_key(long_token)) != value_key(long_token)


def test_device_and_cookie_of_the_same_text_are_different_kinds() -> None:
    assert DEVICE != WEB_COOKIE
    assert len({DEVICE, WEB_COOKIE}) == 2
