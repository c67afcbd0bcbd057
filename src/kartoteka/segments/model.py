"""What a segment is."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from kartoteka.errors import InvalidRequest, NotFound


class SegmentType(StrEnum):
    """How contacts come into it."""

    STATIC = "Static"
    """A list: they are put on it and taken off."""
    DYNAMIC = "Dynamic"
    """By conditions."""


class Segment(msgspec.Struct, frozen=True):
    """A set of contacts with a name."""

    id: int
    name: str
    type: SegmentType


class SegmentNotFound(NotFound):
    """Segment not found: there is none with this id."""


class SegmentNotStatic(InvalidRequest):
    """Only static segments take contacts by id; others have conditions."""

    code = "segment_not_static"
