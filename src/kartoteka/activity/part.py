"""What `activity` hands the engine."""

from __future__ import annotations

from kartoteka.activity.partitions import prepare
from kartoteka.activity.store import READERS, after, erase
from kartoteka.intake.deciding import Part

ACTIVITY = Part(actions={}, after=after, erase=erase, readers=READERS, prepare=prepare)
