"""Which request said each value of a card: kept on the card itself, so that it costs no row of its own.

`Card.proof` has a saying for each request: [names, at, request id, key id, method, matched by, rule],
names as in `TEXTS`, `field:<id>` for custom fields and `consent:<channel>` for consent. A value without
a saying came with the request that created the card; of a merge the absorbed card's id stands behind.
`[["unkeyed"], sides]` is no request's: `identity/sides.py` keeps it there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kartoteka.identity.model import TEXTS, Card, Origin

Saying = list[Any]
Proof = list[list[Any]]
_FIELDS = Card.__struct_fields__
_PLACES = tuple((name, _FIELDS.index(name)) for name in TEXTS)
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
    own = [name for name in names if not _came_with_a_merge(saying_of(card.proof, name), origin)]
    if own:
        note(card, own, origin, found_by, rule)


def prove_consent(
    card: Card, before: dict[str, int], origin: Origin, found_by: str | None, rule: str
) -> None:
    """The same where nothing but consent may have changed."""
    if names := [f"consent:{one}" for one in _differ(before, card.consent)]:
        note(card, names, origin, found_by, rule)


def saying_of(proof: Proof, name: str) -> Saying | None:
    """Who said that value last: the saying without its names."""
    for names, *saying in proof:
        if name in names:
            return saying
    return None


def inherit(card: Card, names: Iterable[str], origin: Origin, other: int) -> None:
    """These values came with a card that was absorbed."""
    at = origin.at.isoformat()
    saying = [at, origin.request_id, origin.key_id, origin.method, None, "absorbed", other]
    _add(card, list(names), saying)


def note(
    card: Card, names: Iterable[str], origin: Origin, found_by: str | None, rule: str | None
) -> None:
    """This request said these values."""
    at = origin.at.isoformat()
    saying = [at, origin.request_id, origin.key_id, origin.method, found_by, rule]
    _add(card, list(names), saying)


def _add(card: Card, names: list[str], saying: Saying) -> None:
    """What was said before of the same values is said no longer."""
    if not names:
        return
    older = []
    for before, *other in card.proof:
        if kept := [name for name in before if name not in names]:
            older.append([kept, *other])
    card.proof = [*older, [names, *saying]]


def _came_with_a_merge(saying: Saying | None, origin: Origin) -> bool:
    """Of this same request: it absorbed who had the value."""
    return saying is not None and len(saying) > 6 and saying[1] == origin.request_id


def _differ(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
