"""What `activity` hands the engine."""

from __future__ import annotations

from kartoteka.activity.actions import enough, facts, named_by, record_event
from kartoteka.activity.erasing import erase
from kartoteka.activity.model import RecordEvent
from kartoteka.activity.partitions import prepare
from kartoteka.activity.store import READERS, after
from kartoteka.intake.deciding import Action, Part

ACTIVITY = Part(
    actions={RecordEvent: Action(record_event, named_by, facts, enough)},
    after=after,
    erase=erase,
    readers=READERS,
    prepare=prepare,
)
