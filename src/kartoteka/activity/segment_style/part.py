"""What the Segment-style API hands the engine."""

from __future__ import annotations

from kartoteka.activity.keyed import Said, update_person
from kartoteka.activity.segment_style.model import Identify
from kartoteka.contacts.model import Outcome
from kartoteka.identity.model import Key
from kartoteka.identity.policies import IDENTIFY
from kartoteka.identity.working_set import WorkingSet
from kartoteka.intake.deciding import Action, Part


def identify(ws: WorkingSet, command: Identify) -> Outcome:
    """A keyed call that may create always (D17): a person with traits."""
    said = Said(
        command.contact, IDENTIFY, command.origin, command.occurred, creates=command.creates
    )
    return update_person(ws, said)


def named_by(command: Identify) -> tuple[list[Key], list[int]]:
    """The person's identifiers."""
    return [one.key for one in command.contact.person.all()], []


SEGMENT_STYLE = Part(actions={Identify: Action(identify, named_by)})
