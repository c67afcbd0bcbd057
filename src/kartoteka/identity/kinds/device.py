"""Device: the id that the mobile SDK gives to one installed app (`deviceId`, decisions D1, D34)."""

from __future__ import annotations

from kartoteka.identity.kinds.base import IdentifierKind
from kartoteka.identity.kinds.verbatim import verbatim

KIND = IdentifierKind(
    code=7,
    name="device",
    label="Device",
    lasting=False,
    exclusive=True,
    normalise=verbatim("device"),
    examples=(
        ("b6f0c3d2-6f6e-4d9c-9d4f-0a7c2f9d8e11", "b6f0c3d2-6f6e-4d9c-9d4f-0a7c2f9d8e11"),
        (" ", None),
        ("null", None),
        (None, None),
    ),
)
