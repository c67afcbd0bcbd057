"""What `contacts` hands the engine: every command of a contact method."""

from __future__ import annotations

from kartoteka.contacts.actions import ACTIONS
from kartoteka.contacts.erasing import erase
from kartoteka.contacts.lookups import named_by
from kartoteka.contacts.store import after
from kartoteka.intake.deciding import Action, Part

CONTACTS = Part(
    actions={command: Action(decide, named_by) for command, decide in ACTIONS.items()},
    after=after,
    erase=erase,
)
