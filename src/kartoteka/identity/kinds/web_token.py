"""Web push token: what a browser's push service calls one subscription (guide G2)."""

from __future__ import annotations

from kartoteka.identity.kinds.base import IdentifierKind
from kartoteka.identity.kinds.verbatim import verbatim

KIND = IdentifierKind(
    code=5,
    name="web_token",
    label="Web push token",
    lasting=False,
    exclusive=True,
    normalise=verbatim("web_token"),
    examples=(("BBx9-web-push", "BBx9-web-push"), (" ", None), ("null", None), (None, None)),
)
