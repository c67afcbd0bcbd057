"""Which contacts a call puts on a list or takes off it: a body of attach and detach (wire 3.14).

Naming none at all empties the list, so only a body that says nothing may mean that: none, or `{}`. An
empty list of ids means that there is nothing to do, and null or an unknown member alone is a mistake.
"""

from __future__ import annotations

from typing import Any

import msgspec

from kartoteka.errors import InvalidRequest
from kartoteka.identity.kinds import EXTERNAL_ID, Region
from kartoteka.identity.never import is_never

MAX_MEMBERS = 500
_MAX_ID = 2**63 - 1
_IDS, _EXTERNAL_IDS = "contactIds", "externalCustomerIds"


class InvalidMembers(InvalidRequest):
    """Name the contacts by contactIds or by externalCustomerIds."""

    code = "invalid_members"


class Members(msgspec.Struct, frozen=True):
    """Contacts by one kind of id, each once; `nobody`: how many ids no contact can have."""

    contact_ids: tuple[int, ...] = ()
    external_ids: tuple[str, ...] = ()
    nobody: int = 0


def read_members(body: dict[str, Any], region: Region) -> Members | None:
    """Whom the body names; None when it is empty.

    Raises `InvalidMembers`, and `InvalidIdentifier` for an External ID that decisions D3 refuses.
    """
    if not body:
        return None
    ids, external_ids = _list_of(body, _IDS), _list_of(body, _EXTERNAL_IDS)
    if ids and external_ids:
        raise InvalidMembers("One call takes contactIds or externalCustomerIds, not both.")
    if ids is None and external_ids is None:
        raise InvalidMembers(
            "The body has neither a list contactIds nor a list externalCustomerIds."
        )
    return _by_id(ids) if ids else _by_external_id(external_ids or [], region)


def _list_of(body: dict[str, Any], name: str) -> list[Any] | None:
    given = body.get(name)
    if given is None:
        return None
    if not isinstance(given, list):
        raise InvalidMembers(f"{name} must be a list.")
    if len(given) > MAX_MEMBERS:
        raise InvalidMembers(f"{name} may have at most {MAX_MEMBERS} elements.")
    return given


def _by_id(given: list[Any]) -> Members:
    numbers = dict.fromkeys(_number(one, place) for place, one in enumerate(given, start=1))
    ids = tuple(one for one in numbers if 0 < one <= _MAX_ID)
    return Members(contact_ids=ids, nobody=len(numbers) - len(ids))


def _number(raw: object, place: int) -> int:
    text = raw.strip() if isinstance(raw, str) else raw
    if isinstance(text, str) and text.isascii() and text.isdigit():
        return int(text) if len(text) < 20 else _MAX_ID + 1
    if type(text) is not int:
        raise InvalidMembers(f"Element {place} of {_IDS} must be a contact id, a number.")
    return text


def _by_external_id(given: list[Any], region: Region) -> Members:
    """Blank ones and never-identifiers stand for nobody (decisions D6, D24)."""
    values = dict.fromkeys(EXTERNAL_ID.normalise(one, region) for one in given)
    known = tuple(one for one in values if one is not None and not is_never(EXTERNAL_ID, one))
    return Members(external_ids=known, nobody=len(values) - len(known))
