"""Where the contact came from (decisions D20)."""

from __future__ import annotations

from kartoteka.segments.conditions.base import ValueType, column, of_column

SOURCES = ("API", "SUBSCRIPTION", "IMPORT", "ORDER", "EVENT", "MOBILE_SDK", "WEB", "MANUAL")

CONDITIONS = (
    of_column(
        "contactSource",
        "Fields",
        column("Source", "source", ValueType.CHOICE, choices={one: one for one in SOURCES}),
        {"operator": "one_of", "value": ["ORDER", "IMPORT"]},
    ),
)
