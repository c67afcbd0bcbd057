"""The imports of the database and the folder that a command works on."""

from __future__ import annotations

import os

from kartoteka.cli.running import Access
from kartoteka.imports.folder import import_folder
from kartoteka.imports.store import Imports
from kartoteka.settings import load_settings


def importing(access: Access) -> Imports:
    """Imports as the server has them. Raises `SettingsError` when their folder cannot be made."""
    folder = import_folder(load_settings(os.environ))
    return Imports(access.database, access.clock, folder)
