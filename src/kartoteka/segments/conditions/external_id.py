"""The External ID: *is empty* looks at the primary one only (guide G15, decisions D11)."""

from __future__ import annotations

from kartoteka.segments.conditions.base import column, of_column

CONDITIONS = (
    of_column(
        "externalCustomerId",
        "Fields",
        column("External ID", "external_id"),
        {"operator": "is_empty"},
    ),
)
