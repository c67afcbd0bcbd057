"""What segments are made of. A new condition is a file beside these and a line in `CONDITIONS`."""

from __future__ import annotations

from typing import Final

from kartoteka.segments.conditions import (
    consent,
    contact_id,
    custom_field,
    dates,
    email,
    events,
    external_id,
    membership,
    orders,
    phone,
    profile,
    source,
    tokens,
)
from kartoteka.segments.conditions.base import Condition

CONDITIONS: Final[tuple[Condition, ...]] = (
    *external_id.CONDITIONS,
    *contact_id.CONDITIONS,
    *profile.CONDITIONS,
    *source.CONDITIONS,
    *dates.CONDITIONS,
    *custom_field.CONDITIONS,
    *email.CONDITIONS,
    *phone.CONDITIONS,
    *tokens.CONDITIONS,
    *consent.CONDITIONS,
    *membership.CONDITIONS,
    *orders.CONDITIONS,
    *events.CONDITIONS,
)
BY_KEY: Final = {one.key: one for one in CONDITIONS}
