"""What one cookie or device did and said, step by step (decisions D36, D37)."""

from __future__ import annotations

import msgspec

from kartoteka.activity.model import Happened, Kind
from kartoteka.activity.spans import count_event, log_out, owner_at, spans_of, wait_for
from kartoteka.activity.visitors.claims import add_token, claim, prepare
from kartoteka.activity.visitors.model import VISITOR, Claim, LogOut, PushToken, Visit, Visited
from kartoteka.activity.visitors.waiting import WAITING, end_session
from kartoteka.contacts.model import Outcome
from kartoteka.identity.history import Journal
from kartoteka.identity.kinds import WEB_TOKEN
from kartoteka.identity.model import Identifier, Key, Resolution
from kartoteka.identity.working_set import WorkingSet

Fact = tuple[str, object]


def visited(ws: WorkingSet, command: Visited) -> Outcome:
    """Carry out the steps in their order. `answer` counts visits: {"stored", "capped", "repeated"}."""
    _ask(ws, command)
    journal = Journal(ws, command.origin)
    counts = {"stored": 0, "capped": 0, "repeated": 0}
    for step in command.steps:
        match step:
            case Visit():
                counts[_store(ws, command, step)] += 1
            case Claim():
                claim(ws, command.visitor, step.who, step.at, journal)
            case LogOut():
                if not end_session(ws, command.visitor, step.at, journal):
                    log_out(ws, command.visitor, step.at, journal)
            case PushToken():
                add_token(ws, command.visitor, _token(command, step), step.at, journal)
    return Outcome(Resolution(), answer=counts)


def _ask(ws: WorkingSet, command: Visited) -> None:
    """Everything before the first change: `Missing` runs the command again from its start."""
    ws.stub(command.visitor.key)
    prepare(ws, command.visitor, [step for step in command.steps if isinstance(step, Claim)])
    for step in command.steps:
        if isinstance(step, Visit) and step.message is not None:
            ws.fact("message", step.message)
        if isinstance(step, PushToken):
            one = _token(command, step)
            ws.holders(one.key)
            spans_of(ws, one.key)


def _store(ws: WorkingSet, command: Visited, visit: Visit) -> str:
    """Write one visit down for whoever had the cookie at its time; what became of it."""
    if visit.message is not None:
        if ws.fact("message", visit.message):
            return "repeated"
        ws.effect("message", visit.message)
        ws.know("message", visit.message, True)
    visitor = command.visitor
    owner = owner_at(ws, visitor, visit.occurred)
    if owner is None:
        owner = wait_for(ws, visitor, command.origin.at)
    if not count_event(ws, visitor.key, owner):
        return "capped"
    happened = Happened(
        owner,
        visit.kind,
        command.source,
        visit.type_key,
        visit.key_value,
        visit.occurred,
        command.origin.at,
        visitor.key,
        visit.params,
    )
    ws.effect("happened", happened)
    if visit.kind == Kind.EVENT:
        ws.effect("event_type", visit.type_key)
    return "stored"


def _token(command: Visited, step: PushToken) -> Identifier:
    attributes = {**step.attributes, VISITOR: command.visitor.value}
    return Identifier(WEB_TOKEN.code, step.token, attributes=attributes)


def named_by(command: Visited) -> tuple[list[Key], list[int]]:
    """The cookie, and whom claims name."""
    keys, ids = [command.visitor.key], []
    for step in command.steps:
        if isinstance(step, Claim):
            keys += [one.key for one in step.who.identifiers()]
            ids += [step.who.contact_id] if step.who.contact_id is not None else []
        elif isinstance(step, PushToken):
            keys.append(_token(command, step).key)
    return keys, ids


def facts(command: Visited) -> list[Fact]:
    """Spans, messages and the waiting claim, so that they come with the first read."""
    found: list[Fact] = [("spans", command.visitor.key), (WAITING, command.visitor.key)]
    for step in command.steps:
        if isinstance(step, Visit) and step.message is not None:
            found.append(("message", step.message))
        elif isinstance(step, Claim):
            found += [("spans", one.key) for one in step.who.identifiers()]
        elif isinstance(step, PushToken):
            found.append(("spans", _token(command, step).key))
    return found


def in_parts(command: Visited, most: int) -> list[Visited]:
    """Commands of at most so many steps that are no visits each, in their order."""
    parts: list[Visited] = []
    steps: list[object] = []
    turns = 0
    for step in command.steps:
        turns += not isinstance(step, Visit)
        if turns > most:
            parts.append(msgspec.structs.replace(command, steps=tuple(steps)))
            steps, turns = [], 1
        steps.append(step)
    return [*parts, msgspec.structs.replace(command, steps=tuple(steps))]
