"""Commands of the mobile SDK's end points."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from kartoteka.activity.mobile.form import AppCall
from kartoteka.contacts.model import Command
from kartoteka.identity.model import Identifier


class AppUpdate(Command, kw_only=True):
    """POST /api/v1/device or /user: whose the app's device is, and what is known of that person."""

    call: AppCall
    trusted: bool
    """The app is marked trusted: a keyed call. Else only claims, and the few things of D36."""
    occurred: datetime | None = None
    """When what came with it happened; None: now. Devices and tokens follow it (D12)."""
    creates: bool = True
    """False for events, which create nobody (decisions D17)."""

    new_ids: ClassVar[int] = 8

    @property
    def is_keyed(self) -> bool:
        return self.trusted


class PushSaid(Command, kw_only=True):
    """PUT /api/v1/interactions/{id}/status: what became of a push message."""

    token: Identifier
    interaction: str
    status: str
    occurred: datetime
    params: dict[str, Any]
    message: bytes

    @property
    def is_keyed(self) -> bool:
        return False

    def moments(self) -> Sequence[datetime]:
        """When it was delivered, opened or clicked."""
        return (self.occurred,)
