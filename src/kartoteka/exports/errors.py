"""What can go wrong with an export, in words for whoever set it up.

A message names tables, columns and hosts, never a value of a row and never a secret.
"""

from __future__ import annotations

from kartoteka.errors import Conflict, InvalidRequest, KartotekaError, NotFound


class ExportNotFound(NotFound):
    """Export not found: the account has none with this id."""


class RunNotFound(NotFound):
    """Run not found: the export has none with this id."""


class InvalidExport(InvalidRequest):
    """The export is not valid."""

    code = "invalid_export"


class ExportExists(Conflict):
    """There is an export of that name already, or one that writes to the same place."""

    code = "export_exists"


class TargetFailed(KartotekaError):
    """The target could not be written."""

    code = "export_target_failed"


class TargetUnreachable(TargetFailed):
    """The target does not answer."""

    code = "export_target_unreachable"


class TargetRefused(TargetFailed):
    """The target may not be used."""

    code = "export_target_refused"


class TargetDenied(TargetFailed):
    """The target did not let us in, or a right is missing there."""

    code = "export_target_denied"


class TargetFull(TargetFailed):
    """The target has no room left."""

    code = "export_target_full"


class TargetChanged(TargetFailed):
    """A table of the target is not what this export made."""

    code = "export_target_changed"


class TargetMissingExtra(TargetFailed):
    """This target needs packages that are not installed."""

    code = "export_extra_missing"


class SecretUnreadable(TargetFailed):
    """The stored credentials cannot be decrypted: KARTOTEKA_SECRET_KEY is another one.

    Enter the settings anew.
    """

    code = "export_secret_unreadable"


class Stopped(Exception):
    """The run was told to stop."""
