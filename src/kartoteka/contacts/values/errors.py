"""The error of a profile value that is not valid."""

from __future__ import annotations

from kartoteka.errors import InvalidRequest


class InvalidValue(InvalidRequest):
    """A value of the profile is not valid."""

    code = "invalid_value"

    def __init__(self, field: str, reason: str) -> None:
        """`reason` goes into answers and logs, so it never quotes the value."""
        super().__init__(f"{field} {reason}.", field=field)
        self.field = field
        self.reason = reason


class InvalidField(InvalidValue):
    """A value of a custom field is not valid; `field` is its `LIST.KEY`."""

    code = "invalid_field"
