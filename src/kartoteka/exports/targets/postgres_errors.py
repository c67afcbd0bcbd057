"""What PostgreSQL says, in words: never its own text, which quotes rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from kartoteka.db.failures import StatementFailed
from kartoteka.exports.errors import (
    TargetChanged,
    TargetDenied,
    TargetFailed,
    TargetFull,
    TargetUnreachable,
)

_WHERE = re.compile(r"COPY (\S+?), line \d+(?:, column (\w+))?")
_CONNECT_HINTS = (
    ("password authentication failed", "The user or password is not right."),
    ("no password supplied", "The server asks for a password; the connection string has none."),
    ("does not exist", "The server knows no such database or user."),
    ("pg_hba.conf", "The server does not let this user in from this machine (pg_hba.conf)."),
    (
        "does not match host name",
        (
            "The server's certificate is of another host than the connection string names; "
            "sslmode=verify-ca does not look at the name."
        ),
    ),
    (
        "certificate verify failed",
        (
            "The server's certificate is out of date, or signed by nobody who is trusted here; "
            "rootCertificate takes the certificate of whoever signed it."
        ),
    ),
    ("certificate", "The server's certificate cannot be checked."),
    ("does not support SSL", "The server does not support TLS; sslmode asks for it."),
    ("SSL", "The TLS connection failed."),
    ("Connection refused", "Nobody listens at this host and port."),
    ("timeout expired", "The host does not answer within 10 seconds."),
    ("too many clients", "The server has no connection left."),
    ("starting up", "The server is starting; the next run tries again."),
)
_DENIED = ("28", "42501", "3D000")


@contextmanager
def in_words(doing: str) -> Iterator[None]:
    """Raises `TargetFailed` with a sentence instead of psycopg's errors."""
    try:
        yield
    except StatementFailed as error:
        raise _translated(error, doing) from error


def _translated(error: StatementFailed, doing: str) -> TargetFailed:
    state = error.sqlstate or ""
    if not state or state.startswith(("28", "3D")):
        return _not_connected(error, doing)
    if state.startswith(("08", "57P")):
        return _cut(doing)
    if state == "42501":
        return TargetDenied(f"A right is missing while {doing}{_of(error)}; grant it to the user.")
    if state.startswith("53"):
        what = "Its disk is full" if state == "53100" else "It is out of memory or connections"
        return TargetFull(f"{what}, said the target database while {doing}.")
    if state == "55P03":
        return TargetFailed(
            f"Somebody locks the table for more than 60 seconds, while {doing}; the next run tries "
            "again."
        )
    if state.startswith(("22", "23", "42")):
        return TargetChanged(
            f"The table does not take what its columns should, while {doing}{_of(error)} "
            f"(SQLSTATE {state}). Undo what was changed there, or drop the table: the next run "
            "makes it anew."
        )
    return TargetFailed(f"The target database refused ({state}), while {doing}.")


def _not_connected(error: StatementFailed, doing: str) -> TargetFailed:
    text = str(error)
    for sign, words in _CONNECT_HINTS:
        if sign in text:
            denied = sign in (
                "password authentication failed",
                "no password supplied",
                "does not exist",
            )
            denied = denied or sign == "pg_hba.conf"
            return TargetDenied(words) if denied else TargetUnreachable(words)
    if doing == "connecting":
        return TargetUnreachable("The target database cannot be reached.")
    return _cut(doing)


def _cut(doing: str) -> TargetFailed:
    return TargetUnreachable(
        f"The connection to the target database broke while {doing}; nothing of this table is half "
        "written, and the next run goes on."
    )


def _of(error: StatementFailed) -> str:
    """Where, without a value: table, column and constraint by name."""
    diag = error.diag
    column = diag.column_name
    if column is None and (match := _WHERE.search(diag.context or "")):
        column = match[2]
    parts = [f"column {column}"] if column else []
    if diag.constraint_name:
        parts.append(f"constraint {diag.constraint_name}")
    return f", {' and '.join(parts)}" if parts else ""
