"""What a failed statement means, for callers that must not know the driver."""

from __future__ import annotations

from psycopg import Error as StatementFailed
from psycopg import errors

RETRYABLE: tuple[type[StatementFailed], ...] = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.UniqueViolation,
)
"""Run the batch again on fresh data (design/engine.md): somebody else was quicker."""

UniqueViolation = errors.UniqueViolation
BadValue = errors.DataError
"""The database refused a value: the command is poison, not the database gone."""

__all__ = ["RETRYABLE", "BadValue", "StatementFailed", "UniqueViolation"]
