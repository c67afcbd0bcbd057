"""Which request said each value of a card: kept on the card itself, so that it costs no row of its own.

`Card.proof` is {name: [at, request id, key id, method, matched by, rule]}, names as in `NAMES`,
`field:<id>` for custom fields and `consent:<channel>` for consent. A value without an entry came with
the request that created the card; one that a merge brought has the absorbed card's id as a seventh.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kartoteka.identity.model import Card, Origin

NAMES = (
    "first_name",
    "last_name",
    "contact_key",
    "language_code",
    "time_zone",
    "region",
    "town",
    "address",
    "postcode",
)
_FIELDS = Card.__struct_fields__
_PLACES = tuple((name, _FIELDS.index(name)) for name in NAMES)
_CUSTOM, _CONSENT = _FIELDS.index("fields"), _FIELDS.index("consent")


def prove(
    card: Card, before: tuple[Any, ...], origin: Origin, found_by: str | None, rule: str | None
) -> None:
    """Remember who said the values that are not what they were; `before` is the card as a tuple."""
    names = [name for name, place in _PLACES if before[place] != getattr(card, name)]
    if before[_CUSTOM] is not card.fields:
        names += [f"field:{one}" for one in _differ(before[_CUSTOM], card.fields)]
    if before[_CONSENT] is not card.consent:
        names += [f"consent:{one}" for one in _differ(before[_CONSENT], card.consent)]
    own = [name for name in names if not _came_with_a_merge(card.proof.get(name), origin)]
    if own:
        note(card, own, origin, found_by, rule)


def prove_consent(
    card: Card, before: dict[str, int], origin: Origin, found_by: str | None, rule: str
) -> None:
    """The same where nothing but consent may have changed."""
    if names := [f"consent:{one}" for one in _differ(before, card.consent)]:
        note(card, names, origin, found_by, rule)


def inherit(card: Card, names: Iterable[str], origin: Origin, other: int) -> None:
    """These values came with a card that was absorbed."""
    at = origin.at.isoformat()
    entry = [at, origin.request_id, origin.key_id, origin.method, None, "absorbed", other]
    card.proof = {**card.proof, **dict.fromkeys(names, entry)}


def note(
    card: Card, names: Iterable[str], origin: Origin, found_by: str | None, rule: str | None
) -> None:
    """This request said these values."""
    at = origin.at.isoformat()
    entry = [at, origin.request_id, origin.key_id, origin.method, found_by, rule]
    card.proof = {**card.proof, **dict.fromkeys(names, entry)}


def _came_with_a_merge(entry: list[Any] | None, origin: Origin) -> bool:
    """Of this same request: it absorbed who had the value."""
    return entry is not None and len(entry) > 6 and entry[1] == origin.request_id


def _differ(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
