"""The proof of decisions D31: random contacts, random conditions, random operations through the engine.

After each step membership as it stands = the condition as SQL over everybody = `holds_for` in Python.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kartoteka.access.accounts import Accounts
from kartoteka.activity.visitors.model import Claim, Visit, Visited, Who
from kartoteka.clock import FixedClock
from kartoteka.contacts.definitions import Definitions, NewField
from kartoteka.contacts.model import EmptyList
from kartoteka.contacts.values.custom_fields import FieldType
from kartoteka.db.database import WRITER_OPTIONS, Database
from kartoteka.errors import KartotekaError
from kartoteka.identity.kinds import WEB_COOKIE
from kartoteka.identity.model import Identifier
from kartoteka.identity.store import digest_with
from kartoteka.intake.engine import Engine
from kartoteka.segments.actions import SegmentActions
from kartoteka.segments.filling import QUERIES as FILLING
from kartoteka.segments.filling import Filling
from kartoteka.segments.model import Kind
from kartoteka.segments.store import Segments
from kartoteka.segments.verifying import verify
from kartoteka.segments.waking import wake
from kartoteka.writing import build_engine
from tests.faults.conftest import Shop
from tests.hunting import EXAMPLES
from tests.rules import stories
from tests.store.segments_world import CODES, CONDITIONS, DATES, TAGS, TEXTS, TOWNS

_names = itertools.count(1)
STANDS = """
    select s.segment_id, s.version_id, m.contact_id
    from segment s
    left join segment_match m on m.account_id = s.account_id and m.version_id = s.version_id
    where s.account_id = %(account_id)s and s.version_id is not null
      and not exists (
          select from segment_version v
          where v.account_id = s.account_id and v.segment_id = s.segment_id
            and v.version_id <> s.version_id
      )
"""
"""Segments of one version: of which no edit is under way."""
TOLD = """
    select happening_id, segment_id, kind, contact_id
    from happening
    where account_id = %(account_id)s and happening_id > %(after)s and segment_id is not null
    order by xid, happening_id
"""
TYPES = {
    "text": FieldType.TEXTFIELD,
    "number": FieldType.NUMBER,
    "decimal": FieldType.DECIMAL,
    "date": FieldType.DATE,
    "time": FieldType.DATETIME,
    "tags": FieldType.TAGS,
    "choice": FieldType.TEXTAREA,
}


class World(Shop):
    """One account with its segments; all that hypothesis may do to it is a method `do_…`."""

    def __init__(self, url: str, database: Database, engine: Engine, account: Any) -> None:
        super().__init__(url, engine, account)
        self.clock = engine.clock  # type: ignore[assignment]
        self.database = database
        self.definitions = Definitions(database)
        self.segments = Segments(database)
        self.filling = Filling(database, self.clock, rows_in_a_range=2)
        self.actions = SegmentActions(
            database, self.clock, self.definitions, self.segments, self.filling
        )
        self.fields: dict[int, int] = {}
        self.list_id = 0
        self.made: list[int] = []
        self.stood: dict[int, tuple[int, set[int]]] = {}
        self.told_to = 0
        self.known: list[int] = []

    async def begin(self, zone: str) -> None:
        chosen = "update account set settings = jsonb_build_object('time_zone', %(zone)s::text)"
        await self.database.execute(
            f"{chosen} where account_id = %(id)s", zone=zone, id=self.account.account_id
        )
        for kind, type_ in TYPES.items():
            new = NewField(kind, type_, key=kind.upper())
            field = await self.definitions.add(self.account.account_id, new)
            self.fields[CODES[kind]] = field.id
        self.list_id = await self.actions.add_list(self.account.account_id, {"name": "News"})

    def real(self, node: Any) -> Any:
        """The condition with the ids of this account."""
        if isinstance(node, list):
            return [self.real(one) for one in node]
        if not isinstance(node, dict):
            return node
        if node.get("field") == "custom":
            return {**node, "id": self.fields[node["id"]]}
        if node.get("field") == "segment":
            return {**node, "id": self.list_id}
        return {name: self.real(value) for name, value in node.items()}

    async def do(self, step: tuple[Any, ...]) -> None:
        with contextlib.suppress(KartotekaError):  # refused: nothing changed
            await getattr(self, f"do_{step[0]}")(*step[1:])

    def said(self, person: dict[str, Any]) -> dict[str, Any]:
        said = {name: value for name, value in person.items() if value is not None}
        fields = said.pop("fields", {})
        return {**said, "fields": {str(self.fields[code]): text for code, text in fields.items()}}

    async def do_add(self, *people: dict[str, Any]) -> None:
        for answer in await self.together(*(stories.add(**self.said(one)) for one in people)):
            if not isinstance(answer, BaseException):
                self.known.append(answer.resolution.contact_id)  # type: ignore[arg-type]

    async def do_subscribe(self, person: dict[str, Any], keys: tuple[str, ...]) -> None:
        said = self.said(person)
        await self.send(stories.subscribe(groups=("News",), subscriptions=keys, **said))

    async def do_put(self, number: int, person: dict[str, Any], clear: str) -> None:
        if self.known:
            contact_id = self.known[number % len(self.known)]
            await self.send(stories.put(contact_id, clear=clear, **self.said(person)))

    async def do_merge(self, keep: int, absorb: int) -> None:
        if self.known:
            ids = [self.known[number % len(self.known)] for number in (keep, absorb)]
            await self.send(stories.merge(*ids))

    async def do_undo(self, number: int) -> None:
        """Of a merge by hand or by a rule."""
        merges = self.rows(
            "select history_id from identity_history where account_id = %(account_id)s"
            " and action = 'absorbed' order by history_id",
            account_id=self.account.account_id,
        )
        if merges:
            await self.send(stories.undo(merges[-1 - number % len(merges)][0]))

    async def do_remove(self, number: int, erase: bool) -> None:
        if self.known:
            how = stories.erase if erase else stories.remove
            await self.send(how(self.known[number % len(self.known)]))

    async def do_list(self, number: int, join: bool) -> None:
        if self.known:
            how = stories.attach if join else stories.detach
            await self.send(how(self.list_id, self.known[number % len(self.known)]))

    async def do_event(self, whom: dict[str, str], days: float, params: dict[str, Any]) -> None:
        at = self.clock.now() - timedelta(days=days)
        await self.send(stories.event(at=at, params=params, **whom))

    async def do_visit(self, cookie: str, page: str, days: float, params: dict[str, Any]) -> None:
        now = self.clock.now()
        visit = Visit(page, "SKU-1", now - timedelta(days=days), params)
        visitor = Identifier(WEB_COOKIE.code, cookie)
        command = Visited(origin=stories.origin(now), visitor=visitor, steps=(visit,), source=2)
        await self.send(command)

    async def do_claim(self, cookie: str, x: str) -> None:
        now = self.clock.now()
        claim = Claim(Who(external_id=x), now)
        visitor = Identifier(WEB_COOKIE.code, cookie)
        await self.send(
            Visited(origin=stories.origin(now), visitor=visitor, steps=(claim,), source=2)
        )

    async def do_order(
        self, number: str, whom: dict[str, str], status: str, cost: Any, days: float
    ) -> None:
        date = self.clock.now() - timedelta(days=days)
        said = {"status": status, "cost": cost, "date": date, "currency": "EUR"}
        await self.send(stories.order(number, **said, **whom))

    async def do_delete_order(self, number: str) -> None:
        await self.send(stories.delete_order(number))

    async def do_empty(self) -> None:
        command = EmptyList(
            origin=stories.origin(self.clock.now()),
            segment_id=self.list_id,
            first=1,
            last=2**60,
        )
        await self.send(command)

    async def do_pass(self, days: float) -> None:
        self.clock.advance(timedelta(days=days))  # type: ignore[attr-defined]

    async def do_segment(self, condition: Any, exclude: Any) -> None:
        body = {"name": "S", "condition": self.real(condition), "exclude": self.real(exclude)}
        self.made.append(await self.actions.create(self.account.account_id, body))

    async def do_nest(self, number: int) -> None:
        if self.made:
            of = self.made[number % len(self.made)]
            condition = {"field": "segment", "id": of, "operator": "not_member"}
            body = {"name": "N", "condition": condition}
            self.made.append(await self.actions.create(self.account.account_id, body))

    async def do_edit(self, number: int, condition: Any) -> None:
        if self.made:
            of = self.made[number % len(self.made)]
            body = {"condition": self.real(condition)}
            await self.actions.change(self.account.account_id, of, body)

    async def do_fill(self) -> None:
        """What jobs do: a range of each version, or the old ones away."""
        for _, version_id, state in await self.database.fetch(FILLING["versions_to_do"]):
            if state == "old":
                await self.filling.drop(self.account.account_id, version_id)
            else:
                await self.filling.advance(self.account.account_id, version_id, 0)

    async def check(self) -> None:  # type: ignore[override]
        now = self.clock.now()
        await wake(self.database, self.account.account_id, now)
        async for verdict in verify(self.database, self.account.account_id, now):
            assert verdict.is_exact, verdict
            assert not verdict.due
        self.check_told()

    def check_told(self) -> None:
        """Who entered and left since the last look explains who is in each segment now."""
        account = {"account_id": self.account.account_id}
        stands: dict[int, tuple[int, set[int]]] = {}
        for segment_id, version_id, contact_id in self.rows(STANDS, **account):
            members = stands.setdefault(segment_id, (version_id, set()))[1]
            members |= {contact_id} - {None}
        told = self.rows(TOLD, **account, after=self.told_to)
        for segment_id, (version_id, now) in stands.items():
            before = self.stood.get(segment_id)
            if before is None or before[0] != version_id:
                continue  # edited: who came and went by that is told part by part
            members = set(before[1])
            for _, of, kind, contact_id in told:
                if of == segment_id:
                    assert (contact_id in members) is (kind == Kind.LEFT), (kind, contact_id)
                    members ^= {contact_id}
            assert members == now
        self.stood = stands
        self.told_to = max((row[0] for row in told), default=self.told_to)


FIELDS = st.fixed_dictionaries(
    {},
    optional={
        1: st.sampled_from(TEXTS),
        2: st.sampled_from(("0", "-5", "7")),
        3: st.sampled_from(("0.1", "1.5", "100", "-0.25")),
        4: st.sampled_from(DATES),
        5: st.sampled_from(("2024-03-05T10:30", "2024-02-29T00:00", "2025-01-01T23:59")),
        6: st.lists(st.sampled_from(TAGS), min_size=1, unique=True).map(",".join),
    },
)


def maybe(*values: str) -> st.SearchStrategy[str | None]:
    return st.none() | st.sampled_from(values)


PEOPLE = st.fixed_dictionaries(
    {
        "x": maybe("A", "B", "C"),
        "email": maybe("a@x.example", "b@y.example"),
        "phone": maybe("380671234501", "380671234502"),
        "token": maybe("T1", "T2"),
        "web": maybe("W1"),
        "device": maybe("D1", "D2"),
        "cookie": maybe("S1", "S2"),
        "first": maybe(*TEXTS[:5]),
        "last": maybe(*TEXTS[5:]),
        "town": maybe(*TOWNS),
        "language_code": maybe("uk", "en-US"),
        "fields": FIELDS,
    }
)
WHOM = st.sampled_from(
    ({"x": "A"}, {"x": "B"}, {"email": "a@x.example"}, {"device": "D1"}, {"token": "T1"})
)
AGO = st.sampled_from((0.0, 0.9, 6.9, 20.0, -2.0))
PARAMS = st.sampled_from(({}, {"price": 12.5}, {"price": "12.50", "colour": "red"}, {"price": 7}))
ORDERS = st.sampled_from(("O1", "O2"))
ACTIVITY = st.one_of(
    st.tuples(st.just("event"), WHOM, AGO, PARAMS),
    st.tuples(st.just("event"), WHOM, AGO, PARAMS),
    st.tuples(
        st.just("visit"),
        st.sampled_from(("S1", "S2")),
        st.sampled_from(("PageView", "ProductPage")),
        st.sampled_from((0.0, 0.9, 6.9)),
        PARAMS,
    ),
    st.tuples(st.just("claim"), st.sampled_from(("S1", "S2")), st.sampled_from(("A", "B"))),
    st.tuples(
        st.just("order"),
        ORDERS,
        WHOM,
        st.sampled_from(("DELIVERED", "DELIVERED", "CANCELLED")),
        st.sampled_from((1, "12.50", 10)),
        AGO,
    ),
    st.tuples(st.just("delete_order"), ORDERS),
)
NUMBERS = st.integers(0, 7)
CLEARS = st.sampled_from(("", "externalCustomerId", "email,sms", "firstName,mobilepush", "town"))
STEPS = st.one_of(
    ACTIVITY,
    ACTIVITY,
    st.lists(PEOPLE, min_size=1, max_size=4).map(lambda people: ("add", *people)),
    st.tuples(st.just("subscribe"), PEOPLE, st.sampled_from(((), ("news",)))),
    st.tuples(st.just("put"), NUMBERS, PEOPLE, CLEARS),
    st.tuples(st.just("merge"), NUMBERS, NUMBERS),
    st.tuples(st.just("undo"), st.integers(0, 2)),
    st.tuples(st.just("remove"), NUMBERS, st.booleans()),
    st.tuples(st.just("list"), NUMBERS, st.booleans()),
    st.just(("empty",)),
    st.tuples(st.just("pass"), st.sampled_from((0.3, 1.0, 6.5, 30.0, 365.0))),
    st.tuples(st.just("segment"), CONDITIONS, st.none() | CONDITIONS),
    st.tuples(st.just("segment"), CONDITIONS, st.none()),
    st.tuples(st.just("nest"), NUMBERS),
    st.tuples(st.just("edit"), NUMBERS, CONDITIONS),
    st.just(("fill",)),
    st.just(("fill",)),
)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as opened:
        yield opened


@settings(
    max_examples=EXAMPLES or 40,
    deadline=None,
    derandomize=not EXAMPLES,
    phases=[Phase.explicit, Phase.generate],  # a failure takes minutes to shrink
    report_multiple_bugs=False,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
        HealthCheck.data_too_large,
    ],
)
@given(
    zone=st.sampled_from(("UTC", "Europe/Kyiv", "America/St_Johns", "Pacific/Apia")),
    conditions=st.lists(CONDITIONS, min_size=2, max_size=5),
    people=st.lists(PEOPLE, min_size=2, max_size=4),
    steps=st.lists(STEPS, min_size=8, max_size=24),
)
def test_membership_is_exact_after_every_step(
    database_url: str,
    runner: asyncio.Runner,
    zone: str,
    conditions: list[Any],
    people: list[Any],
    steps: list[Any],
) -> None:
    async def live() -> None:
        database = await Database.open(database_url)
        writers = await Database.open(database_url, options=WRITER_OPTIONS)
        try:
            clock = FixedClock(stories.START)
            account = await Accounts(database, clock).create(f"world {next(_names)}")
            engine = build_engine(writers, clock, digest_with("a secret of the tests"))
            world = World(database_url, database, engine, account)
            await world.begin(zone)
            for condition in conditions:
                await world.do_segment(condition, None)
            await world.do(("add", *people))
            for step in steps:
                await world.do(step)
                await world.check()
            for _ in range(20):
                await world.do_fill()
            await world.check()
        finally:
            await database.close()
            await writers.close()

    runner.run(live())
