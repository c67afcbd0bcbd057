"""The folder in which files lie until they are imported."""

from __future__ import annotations

from pathlib import Path

from kartoteka.errors import SettingsError
from kartoteka.settings import Settings


def import_folder(settings: Settings) -> Path:
    """The folder, made if need be, for this user only. Raises `SettingsError`."""
    folder = settings.import_dir or settings.data_dir / "imports"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"KARTOTEKA_IMPORT_DIR: {folder} cannot be made: {error.strerror}."
        ) from error
    return folder.absolute()
