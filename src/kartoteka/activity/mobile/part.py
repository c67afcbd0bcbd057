"""What the mobile SDK hands the engine."""

from __future__ import annotations

from kartoteka.activity.mobile.claims import claim_by_app
from kartoteka.activity.mobile.model import AppUpdate
from kartoteka.activity.mobile.trusted import update_by_app
from kartoteka.contacts.model import Outcome
from kartoteka.identity.model import Key
from kartoteka.identity.working_set import WorkingSet
from kartoteka.intake.deciding import Action, Part


def app_update(ws: WorkingSet, command: AppUpdate) -> Outcome:
    """By a trusted app a keyed call; by any other a claim, and the few things of D36."""
    return update_by_app(ws, command) if command.trusted else claim_by_app(ws, command)


def named_by(command: AppUpdate) -> tuple[list[Key], list[int]]:
    """The identifiers of device and person."""
    return [one.key for one in command.call.contact.person.all()], []


MOBILE = Part(actions={AppUpdate: Action(app_update, named_by)})
