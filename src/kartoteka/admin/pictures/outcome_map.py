"""What one request would come to: its identifiers left, the card in the middle, others right."""

from __future__ import annotations

import msgspec

from kartoteka.contacts.model import ContactInput
from kartoteka.identity.kinds import BY_CODE
from kartoteka.identity.model import Resolution

WIDTH = 690
ROW, TOP = 34, 48
CARD_X, CARD_WIDTH = 300, 150
OTHER_X = 540


class Line(msgspec.Struct, frozen=True):
    """An identifier of the request, and its line to the card."""

    kind: str
    value: str
    y: int
    decides: bool
    """By this one the card was found."""
    lasting: bool


class Other(msgspec.Struct, frozen=True):
    """Another card that something comes from."""

    contact_id: int
    y: int
    words: str
    """`absorbed`, or the kind of what moves."""
    is_absorbed: bool


class OutcomeMap(msgspec.Struct, frozen=True):
    """Everything with its place."""

    width: int
    height: int
    card_y: int
    card_x: int
    card_width: int
    other_x: int
    lines: tuple[Line, ...]
    others: tuple[Other, ...]


def outcome_map(resolution: Resolution, contact: ContactInput) -> OutcomeMap:
    """The picture of one resolution."""
    identifiers = list(contact.person.all())
    lines = tuple(
        Line(
            BY_CODE[one.kind].name,
            one.value,
            TOP + ROW * index,
            BY_CODE[one.kind].name == resolution.matched_by,
            BY_CODE[one.kind].lasting,
        )
        for index, one in enumerate(identifiers)
    )
    given: list[tuple[int, str, bool]] = [(one, "absorbed", True) for one in resolution.absorbed]
    given += [(one.from_contact_id, one.kind, False) for one in resolution.moved]
    others = tuple(
        Other(contact_id, TOP + ROW * 2 * index, words, absorbed)
        for index, (contact_id, words, absorbed) in enumerate(given)
    )
    last = max([TOP, *(one.y for one in lines), *(one.y for one in others)])
    return OutcomeMap(
        WIDTH, last + 48, (TOP + last) // 2, CARD_X, CARD_WIDTH, OTHER_X, lines, others
    )
