"""Choices of drop-down lists, as (value, text)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kartoteka.admin import texts
from kartoteka.identity.kinds import IdentifierKind
from kartoteka.segments.model import Segment


def channel_options(kinds: Sequence[IdentifierKind]) -> list[tuple[str, str]]:
    return [(kind.name, kind.label) for kind in kinds]


def source_options(sources: Sequence[str]) -> list[tuple[str, Any]]:
    return [(source, texts.text(f"source.{source}")) for source in sources]


def list_options(lists: Sequence[Segment]) -> list[tuple[int, str]]:
    return [(one.id, one.name) for one in lists]


def value_options(values: Sequence[str]) -> list[tuple[str, str]]:
    return [("", "–"), *((value, value) for value in values)]
