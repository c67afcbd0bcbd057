"""Mobile push token: what a phone's push service calls one installed app (guide G4)."""

from __future__ import annotations

from kartoteka.identity.kinds.base import IdentifierKind
from kartoteka.identity.kinds.verbatim import verbatim

KIND = IdentifierKind(
    code=4,
    name="mobile_token",
    label="Mobile push token",
    lasting=False,
    exclusive=True,
    normalise=verbatim("mobile_token"),
    examples=(("fcm-7dK3:APA91bH", "fcm-7dK3:APA91bH"), (" ", None), ("null", None), (None, None)),
)
