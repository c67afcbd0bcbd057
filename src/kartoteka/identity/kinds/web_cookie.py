"""Web cookie: the visitor id that the tracker keeps in cookie `sc` (guide G5, decisions D34)."""

from __future__ import annotations

from kartoteka.identity.kinds.base import IdentifierKind
from kartoteka.identity.kinds.verbatim import verbatim

KIND = IdentifierKind(
    code=8,
    name="web_cookie",
    label="Web cookie",
    lasting=False,
    exclusive=True,
    normalise=verbatim("web_cookie"),
    examples=(("7e2c1f90a4", "7e2c1f90a4"), (" ", None), ("null", None), (None, None)),
)
