"""Bodies of attach and detach: whom they name, and what may never be taken for everybody."""

from __future__ import annotations

from typing import Any

import pytest

from kartoteka.contacts.forms.members import InvalidMembers, Members, read_members
from kartoteka.identity.kinds import DEFAULT_REGION, InvalidIdentifier

NAMED: list[tuple[dict[str, Any], Members]] = [
    ({"contactIds": [3, 1, 3]}, Members((3, 1))),
    ({"contactIds": ["3", " 1 "]}, Members((3, 1))),
    ({"contactIds": [2**63 - 1]}, Members((2**63 - 1,))),
    ({"contactIds": [1, 0, -1, 2**63, "9" * 30]}, Members((1,), nobody=3)),
    ({"contactIds": [1], "externalCustomerIds": None}, Members((1,))),
    ({"contactIds": [1], "externalCustomerIds": []}, Members((1,))),
    ({"contactIds": [1], "unknown": "member"}, Members((1,))),
    ({"contactIds": []}, Members()),
    ({"externalCustomerIds": []}, Members()),
    ({"contactIds": [], "externalCustomerIds": None}, Members()),
    ({"contactIds": [], "externalCustomerIds": []}, Members()),
    ({"externalCustomerIds": ["a", "A", "a"]}, Members(external_ids=("a", "A"))),
    ({"externalCustomerIds": [" a ", 42, "042"]}, Members(external_ids=("a", "42", "042"))),
    ({"externalCustomerIds": ["a", "", None]}, Members(external_ids=("a",), nobody=1)),
    ({"externalCustomerIds": ["null", "guest", "000"]}, Members(nobody=3)),
    ({"contactIds": list(range(1, 501))}, Members(tuple(range(1, 501)))),
]


@pytest.mark.parametrize(("body", "expected"), NAMED, ids=lambda value: str(value)[:60])
def test_whom_a_body_names(body, expected):
    assert read_members(body, DEFAULT_REGION) == expected


def test_only_a_body_that_says_nothing_names_everybody():
    assert read_members({}, DEFAULT_REGION) is None


@pytest.mark.parametrize(
    "body",
    [
        {"contactIds": None},
        {"externalCustomerIds": None},
        {"contactIds": None, "externalCustomerIds": None},
        {"ids": [1]},
        {"contactids": [1]},
        {"contactIds": 7},
        {"contactIds": ""},
        {"contactIds": {}},
        {"contactIds": False},
        {"externalCustomerIds": "a"},
        {"contactIds": [1], "externalCustomerIds": ["a"]},
        {"contactIds": list(range(501))},
        {"externalCustomerIds": ["a"] * 501},
        {"contactIds": ["x"]},
        {"contactIds": ["-1"]},
        {"contactIds": [""]},
        {"contactIds": ["\u0661"]},
        {"contactIds": [1.0]},
        {"contactIds": [True]},
        {"contactIds": [None]},
        {"contactIds": [[1]]},
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_not_clear_is_refused(body):
    with pytest.raises(InvalidMembers):
        read_members(body, DEFAULT_REGION)


@pytest.mark.parametrize("value", [1.5, True, [], {}, "x" * 256, "a\nb"], ids=repr)
def test_an_external_id_that_nobody_may_have_is_refused(value):
    """Decisions D3."""
    with pytest.raises(InvalidIdentifier):
        read_members({"externalCustomerIds": ["a", value]}, DEFAULT_REGION)
