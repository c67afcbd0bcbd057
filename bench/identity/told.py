"""What a life is made of: commands with the name of the person who was really there."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

import msgspec

from kartoteka.activity.visitors.model import LogOut, Visit
from kartoteka.contacts.model import Command
from tests.rules import stories

START = datetime(2026, 3, 1, 9, 0, tzinfo=stories.START.tzinfo)
LABEL = "label"
NOBODY = ""


class Told(msgspec.Struct):
    """One request as it arrives."""

    at: datetime
    command: Command
    who: str
    """Who was really there."""
    names_them: bool = False
    """Whether it says something that is this person's alone: an External ID, an own e-mail."""
    joins: bool = False
    """A contact call: what it comes to is the person's card."""


class Believed(msgspec.Struct):
    """Whose a cookie or device is, as far as anybody could know from what was said."""

    marks: list[tuple[datetime, str]] = []

    def says(self, at: datetime, who: str) -> None:
        self.marks.append((at, who))

    def at(self, moment: datetime) -> str:
        """The person last named before; before the first one, the first one (D37)."""
        marks = sorted(self.marks)
        before = [who for since, who in marks if since <= moment]
        if before:
            return before[-1]
        return marks[0][1] if marks else NOBODY


class Life:
    """Some people and what they share; every value bears the number of the life."""

    def __init__(self, kind: str, number: int, chance: random.Random) -> None:
        self.kind = kind
        self.number = number
        self.chance = chance
        self.now = START + timedelta(minutes=chance.randrange(60 * 24 * 20))
        self.told: list[Told] = []
        self.believed: dict[str, Believed] = {}
        self.visits: dict[str, tuple[str, str, datetime]] = {}
        """Of each visit: who really, by which cookie or device, when."""

    def name(self, word: str) -> str:
        return f"{word}-{self.kind}-{self.number}"

    def mail(self, word: str) -> str:
        return f"{word}.{self.kind}.{self.number}@example.com"

    def phone(self, place: int = 0) -> str:
        return f"38067{crc32(self.name(str(place)).encode()) % 10_000_000:07}"

    def later(self, least: int = 1, most: int = 600) -> datetime:
        """A while goes by, in minutes."""
        self.now += timedelta(minutes=self.chance.randint(least, most))
        return self.now

    # What is said.

    def post(self, who: str, *, names_them: bool = True, **said: Any) -> None:
        """POST contact by the shop's server."""
        self._contact(stories.add, who, names_them, said)

    def subscribe(self, who: str, *, names_them: bool = True, **said: Any) -> None:
        self._contact(stories.subscribe, who, names_them, said)

    def put_on_file(self, who: str, *, names_them: bool = True, **said: Any) -> None:
        """A row of a bulk call, unique by e-mail."""
        by = stories.rules("email")
        self._contact(lambda **values: stories.row(by, **values), who, names_them, said)

    def order(self, who: str, *, names_them: bool = True, **said: Any) -> None:
        at = self.later()
        number = f"O-{self.kind}-{self.number}-{len(self.told)}"
        command = stories.order(number, date=at, **said)
        self.told.append(Told(at, command, who, names_them, joins=True))
        self._link(who, said, at)

    def erase(self, who: str, *, x: str) -> None:
        at = self.later()
        self.told.append(Told(at, stories.erase(x=x), who))
        for carrier in self.believed.values():
            if carrier.at(at) == who:
                carrier.says(at, NOBODY)

    def visit(self, who: str, *, cookie: str) -> None:
        """A page, by a browser."""
        at = self.later(1, 60)
        label = {LABEL: self._label(who, cookie, at)}
        step = Visit("PageView", "", at, label)
        self._happened(stories.visited(step, cookie=cookie), who, at)

    def claim(self, who: str, *, cookie: str, **whom: str) -> None:
        """The page says who is there."""
        at = self.later(1, 60)
        self._happened(stories.visited(stories.claim(at, **whom), cookie=cookie), who, at)
        self.believed.setdefault(cookie, Believed([])).says(at, who)

    def log_out(self, who: str, *, cookie: str) -> None:
        at = self.later(1, 60)
        self._happened(stories.visited(LogOut(at), cookie=cookie), who, at)
        marks = self.believed.setdefault(cookie, Believed([]))
        if marks.marks:  # of a visitor whom nobody knows it says nothing
            marks.says(at, NOBODY)

    def did(self, who: str, *, device: str, arrives: datetime | None = None) -> None:
        """An app's event; `arrives`: its queue was offline until then."""
        at = self.later(1, 60)
        command = stories.event(params={LABEL: self._label(who, device, at)}, device=device, at=at)
        self._happened(command, who, arrives or at)

    def _contact(
        self, make: Callable[..., Command], who: str, names_them: bool, said: dict[str, Any]
    ) -> None:
        at = self.later()
        self.told.append(Told(at, make(**said), who, names_them, joins=True))
        self._link(who, said, at)

    def _link(self, who: str, said: dict[str, Any], at: datetime) -> None:
        for name in ("cookie", "device"):
            if name in said:
                self.believed.setdefault(said[name], Believed([])).says(at, who)

    def _label(self, who: str, carrier: str, at: datetime) -> str:
        label = f"seen-{self.kind}-{self.number}-{len(self.visits)}"
        self.visits[label] = (who, carrier, at)
        return label

    def _happened(self, command: Command, who: str, at: datetime) -> None:
        self.told.append(Told(at, command, who))
