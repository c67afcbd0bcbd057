"""Kartoteka's own id of a contact: *greater than 0* is everyone (wire 8.3)."""

from __future__ import annotations

from kartoteka.segments.conditions.base import ValueType, column, of_column

CONDITIONS = (
    of_column(
        "id",
        "Fields",
        column("Contact ID", "contact_id", ValueType.NUMBER),
        {"operator": "greater", "value": 0},
    ),
)
