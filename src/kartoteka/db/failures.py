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

BUSY: tuple[type[StatementFailed], ...] = (errors.LockNotAvailable, errors.QueryCanceled)
"""Somebody holds what we need for longer than we wait; nothing is wrong with the command."""

UniqueViolation = errors.UniqueViolation
BadValue = errors.DataError
"""The database refused a value: the command is poison, not the database gone."""

__all__ = ["BUSY", "RETRYABLE", "BadValue", "StatementFailed", "UniqueViolation"]
