"""Commands of the Segment-style API."""

from __future__ import annotations

from datetime import datetime

from kartoteka.contacts.model import Command, ContactInput


class Identify(Command, kw_only=True):
    """A keyed `identify`, or what `group` and `alias` say of a person (decisions D17)."""

    contact: ContactInput
    occurred: datetime
    creates: bool = True
