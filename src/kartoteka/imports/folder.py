"""The folder in which files lie until they are imported."""

from __future__ import annotations

from pathlib import Path

from kartoteka.errors import DatabaseUnavailable
from kartoteka.settings import Settings


class FolderUnusable(DatabaseUnavailable):
    """The import folder cannot be used: nothing was stored."""

    code = "import_folder_unusable"


def import_folder(settings: Settings) -> Path:
    """Where it is; `made` makes it when the first file comes."""
    return (settings.import_dir or settings.data_dir / "imports").absolute()


def made(folder: Path) -> Path:
    """The folder, made if need be, for this user only. Raises `FolderUnusable`."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise FolderUnusable(
            f"The import folder cannot be made ({error.strerror}); KARTOTEKA_IMPORT_DIR names it."
        ) from error
    return folder
