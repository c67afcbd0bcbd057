"""What a segment is, and what happens in it."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

import msgspec

from kartoteka.errors import Conflict, InvalidRequest, NotFound


class SegmentType(StrEnum):
    """How contacts come into it."""

    STATIC = "Static"
    """A list: they are put on it and taken off."""
    DYNAMIC = "Dynamic"
    """By conditions."""
    COMBINED = "Combined"
    """By conditions that are memberships of other segments and nothing else."""


class Segment(msgspec.Struct, frozen=True):
    """A set of contacts with a name."""

    id: int
    name: str
    type: SegmentType


class State(StrEnum):
    """Where a version of a definition is in its life. Stored in `segment_version.state`."""

    FILLING = "filling"
    """Contacts are evaluated range by range; what writers change meanwhile is marked."""
    SETTLING = "settling"
    """Everybody is evaluated; the marks of writers are cleared away."""
    SERVING = "serving"
    """It answers who is in the segment."""
    OLD = "old"
    """Another version took its place; its rows are taken away."""


class Kind(IntEnum):
    """What happened to a contact. Stored in `happening.kind`."""

    ENTERED = 1
    LEFT = 2
    CREATED = 3
    UPDATED = 4
    MERGED = 5
    REMOVED = 6


class Definition(msgspec.Struct, frozen=True):
    """A dynamic segment as a request describes it; conditions are JSON, already checked."""

    name: str
    condition: dict[str, Any]
    exclude: dict[str, Any] | None
    resolved: dict[str, Any]
    purpose: str = ""
    tags: tuple[str, ...] = ()

    @property
    def type(self) -> SegmentType:
        """Combined where all conditions are memberships."""
        sides = [self.condition] + ([self.exclude] if self.exclude else [])
        combined = all(leaf.get("field") == "segment" for side in sides for leaf in leaves(side))
        return SegmentType.COMBINED if combined else SegmentType.DYNAMIC


class Stored(msgspec.Struct, frozen=True):
    """A segment of any type as it stands; a list has no conditions."""

    id: int
    name: str
    type: SegmentType
    purpose: str
    tags: tuple[str, ...]
    created_at: datetime
    leaving: str | None
    version_id: int | None = None
    """The version that serves, None while the first one is filled."""
    condition: dict[str, Any] | None = None
    """Of the newest definition."""
    exclude: dict[str, Any] | None = None
    resolved: dict[str, Any] | None = None
    state: State | None = None
    """Of the newest definition."""
    newest_id: int | None = None
    seen: int = 0
    expected: int = 0
    filled_at: datetime | None = None
    serving: dict[str, Any] | None = None
    """The resolved conditions of the version that serves."""


def leaves(node: dict[str, Any]) -> list[dict[str, Any]]:
    """The conditions of a tree that hold no others."""
    if "all" in node or "any" in node:
        parts = node.get("all") or node.get("any") or []
        return [leaf for part in parts for leaf in leaves(part)]
    return leaves(node["not"]) if "not" in node else [node]


class SegmentNotFound(NotFound):
    """Segment not found: there is none with this id."""


class SegmentNotStatic(InvalidRequest):
    """Only static segments take contacts by id; others have conditions."""

    code = "segment_not_static"


class SegmentHasNoCondition(InvalidRequest):
    """A list has no conditions: only its name, purpose and tags can change."""

    code = "segment_has_no_condition"


class SegmentNotReady(Conflict):
    """The segment is still being filled: try again when its state is ready."""

    code = "segment_not_ready"


class SegmentIsDeleted(Conflict):
    """The segment is being deleted with its contacts: it cannot be changed any more."""

    code = "segment_is_deleted"


class SegmentNameTaken(Conflict):
    """There is a list of this name already."""

    code = "segment_name_taken"


class SegmentInUse(Conflict):
    """Another segment's conditions name this segment: change or delete that one first."""

    code = "segment_in_use"


class TooManySegments(InvalidRequest):
    """An account has at most 1,000 dynamic segments."""

    code = "too_many_segments"
