"""When the card was made and last changed (an accepted write that changed something)."""

from __future__ import annotations

from kartoteka.segments.conditions.base import ValueType, column, of_column

CONDITIONS = (
    of_column(
        "createdAt",
        "Fields",
        column("Created", "created_at", ValueType.DATE),
        {"operator": "in_last_days", "value": 30},
    ),
    of_column(
        "updatedAt",
        "Fields",
        column("Updated", "updated_at", ValueType.DATE),
        {"operator": "more_than_days_ago", "value": 365},
    ),
)
