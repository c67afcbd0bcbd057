"""What `visitors` hands the engine: two parts, one on each side of `activity`."""

from __future__ import annotations

from kartoteka.activity.visitors.actions import facts, named_by, visited
from kartoteka.activity.visitors.due import take_up
from kartoteka.activity.visitors.model import Visited
from kartoteka.activity.visitors.store import READERS, before, behind
from kartoteka.intake.deciding import Action, Part

CLAIMED_SPANS = Part(actions={}, after=before)
"""Before `activity`: what waits for a claim is open to nobody else."""

VISITORS = Part(
    actions={Visited: Action(visited, named_by, facts)},
    after=behind,
    readers=READERS,
    follow=take_up,
)
