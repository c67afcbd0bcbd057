"""Never-identifiers: values that stand for nobody find nobody (decisions D6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.identity.kinds import (
    DEFAULT_REGION,
    DEVICE,
    EMAIL,
    EXTERNAL_ID,
    KINDS,
    PHONE,
    WEB_COOKIE,
    IdentifierKind,
)
from kartoteka.identity.never import (
    NEVER_IDENTIFIERS,
    InvalidNeverIdentifier,
    NeverIdentifiers,
    is_never,
    parse_never_identifiers,
)

UA = DEFAULT_REGION


@pytest.mark.parametrize(
    "value",
    [
        *("null", "undefined", "(null)", "none", "nil", "guest", "anonymous", "unknown", "test"),
        *(
            "BLACKLISTED",
            "True",
            "-1",
            "0",
            "000",
            "0.0",
            "-",
            "--",
            "\u2014",
            "_",
            "[object Object]",
        ),
        *("00000000-0000-0000-0000-000000000000", "{00000000-0000-0000-0000-000000000000}"),
        *("NaN", "(not set)", " guest ", "9774D56D682E549C"),
    ],
)
def test_a_value_that_stands_for_nobody_is_no_external_id_token_device_or_cookie(
    value: str,
) -> None:
    for kind in KINDS:
        assert is_never(kind, value) == kind.exclusive


@pytest.mark.parametrize(
    "value",
    [
        "1",
        "007",
        "10",
        "-2",
        "tester",
        "guest-17",
        "nullable",
        "00000000-0000-0000-0000-000000000001",
    ],
)
def test_a_value_that_may_name_one_person_is_kept(value: str) -> None:
    assert not any(is_never(kind, value) for kind in KINDS)


def test_the_list_is_in_lower_case_so_that_every_entry_can_match() -> None:
    assert {word for word in NEVER_IDENTIFIERS if word != word.strip().lower()} == set()


@given(
    st.sampled_from(sorted(NEVER_IDENTIFIERS)), st.sampled_from([EXTERNAL_ID, DEVICE, WEB_COOKIE])
)
def test_case_does_not_matter(word: str, kind: IdentifierKind) -> None:
    assert is_never(kind, word.upper())
    assert is_never(kind, word.title())


def test_an_account_lists_its_own_emails_domains_and_phones() -> None:
    never = parse_never_identifiers(
        [
            "Guest@Shop.example",
            "@kiosk.example",
            "till.example",
            "+380 94 258-36-91",
            "пошта.укр",
            " ",
        ],
        UA,
    )
    assert never == NeverIdentifiers(
        emails=frozenset(["guest@shop.example"]),
        domains=frozenset(["kiosk.example", "till.example", "xn--80a1acn3a.xn--j1amh"]),
        phones=frozenset(["380942583691"]),
    )


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("guest@shop.example", True),
        ("alice@shop.example", False),
        ("alice@kiosk.example", True),
        ("alice@branch.kiosk.example", False),
        ("alice@notkiosk.example", False),
    ],
)
def test_an_email_matches_by_address_or_by_its_whole_domain(value: str, found: bool) -> None:
    never = parse_never_identifiers(["guest@shop.example", "@kiosk.example"], UA)
    assert never.matches(EMAIL, value) is found


def test_only_emails_and_phones_match_the_list_of_an_account() -> None:
    never = parse_never_identifiers(["guest@shop.example", "0942583691"], UA)
    assert never.matches(PHONE, "380942583691")
    assert not never.matches(PHONE, "380942583692")
    assert not never.matches(EXTERNAL_ID, "guest@shop.example")
    assert not never.matches(WEB_COOKIE, "380942583691")


@pytest.mark.parametrize("entry", ["guest", "a@b@c.example", "+380", "@", "http://shop.example"])
def test_an_entry_that_is_none_of_these_is_refused_by_its_position(entry: str) -> None:
    with pytest.raises(InvalidNeverIdentifier) as refused:
        parse_never_identifiers(["shop.example", entry], UA)
    assert refused.value.position == 2
    assert entry not in str(refused.value).replace("mail address", "")
