"""How long the laws are hunted: `make test` asks the same each time, a hunt something else each time."""

from __future__ import annotations

import os

EXAMPLES = int(os.environ.get("KARTOTEKA_LAW_EXAMPLES", "0"))
"""Cases of each law; 0: as many as each says itself."""
