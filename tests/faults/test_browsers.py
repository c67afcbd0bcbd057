"""Random stories of one browser on the real engine: each visit is the person's whom the rules name, once.

The oracle is a second telling of decisions D36 and D37 in forty lines: stretches of time, each of
somebody, of nobody, open to the first who comes, or waiting for one person.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from kartoteka.activity.mobile.form import AppCall
from kartoteka.activity.mobile.model import AppUpdate
from kartoteka.activity.model import Source
from kartoteka.activity.visitors.model import Claim, LogOut, Step, Visit, Visited, Who
from kartoteka.activity.visitors.store import forget_old
from kartoteka.identity.kinds import EXTERNAL_ID, WEB_COOKIE
from kartoteka.identity.model import Identifier
from tests.conftest import fresh_database
from tests.faults.conftest import Shop, open_shop
from tests.faults.holding import first_then
from tests.rules.stories import add, contact, origin, remove

START = datetime(2026, 1, 5, tzinfo=UTC)
PEOPLE = "ABC"
_numbers = itertools.count(1)

steps = st.lists(
    st.one_of(
        st.just(("visit", "")),
        st.just(("logout", "")),
        st.tuples(st.sampled_from(("claim", "post", "link", "remove")), st.sampled_from(PEOPLE)),
    ),
    min_size=4,
    max_size=16,
)


class Stretch:
    """`whose`: a person, None for nobody yet (`open`) or for ever; `waits`: whom it waits for."""

    def __init__(self, *, whose: str | None = None, waits: str | None = None, open_: bool = False):
        self.whose, self.waits, self.open = whose, waits, open_

    def give(self, whose: str | None) -> None:
        self.whose, self.waits, self.open = whose, None, False


class Oracle:
    """What the rules say of one browser and three people."""

    def __init__(self) -> None:
        self.stretches = [Stretch(open_=True)]
        self.holder: str | None = None
        self.claimed: str | None = None
        self.live: set[str] = set()
        self.visits: list[Stretch] = []

    def visit(self, _: str) -> None:
        self.visits.append(self.stretches[-1])

    def logout(self, _: str) -> None:
        waits = self.holder is None and self.claimed is not None and self.stretches[-1].waits
        if self.holder is not None or waits:
            self.stretches.append(Stretch())
            self.holder = None

    def remove(self, who: str) -> None:
        self.live.discard(who)

    def post(self, who: str) -> None:
        came = who not in self.live
        self.live.add(who)
        if came and self.claimed == who:
            if self.stretches[-1].waits == who and self.holder is None:
                self.holder = who
            self._settle(who)
            self.claimed = None

    def link(self, who: str) -> None:
        """A keyed call with the cookie: what waits for others goes on waiting."""
        if self.holder is None:
            self._take_open(who)
        self.holder = who
        self.post(who)
        self._go_on(who)

    def claim(self, who: str) -> None:
        if who in self.live:
            if self.claimed is not None:
                self._settle(who if self.claimed == who else None)
                self.claimed = None
            if self.holder is None:
                self._take_open(who)
            self.holder = who
            self._go_on(who)
        elif self.claimed == who and self.holder is None:
            if self.stretches[-1].waits != who:
                self.stretches.append(Stretch(waits=who))
        else:
            fresh = self.holder is None and self.claimed is None
            if self.claimed is not None:
                self._settle(None)
            if not (fresh and self.stretches[-1].open):
                self.stretches.append(Stretch(waits=who))
            for one in self.stretches if fresh else ():
                if one.open:
                    one.open, one.waits = False, who
            self.holder, self.claimed = None, who

    def _take_open(self, who: str) -> None:
        for one in self.stretches:
            if one.open:
                one.give(who)

    def _settle(self, who: str | None) -> None:
        for one in self.stretches:
            if one.waits is not None:
                one.give(who)

    def _go_on(self, who: str) -> None:
        if self.stretches[-1].whose != who:
            self.stretches.append(Stretch(whose=who))


class Browser:
    """The same against the database: a minute between the steps."""

    def __init__(self, shop: Shop, name: int) -> None:
        self.shop = shop
        self.cookie = Identifier(WEB_COOKIE.code, f"BROWSER-{name}")
        self.name = name
        self.at = START + timedelta(days=name % 20)
        self.ids: dict[int, str] = {}

    async def do(self, what: str, who: str) -> None:
        self.at += timedelta(minutes=1)
        external_id = f"{who}-{self.name}"
        says: dict[str, Callable[[], Step]] = {
            "visit": lambda: Visit(f"V{self.name}", "", self.at, {}),
            "logout": lambda: LogOut(self.at),
            "claim": lambda: Claim(Who(external_id=external_id), self.at),
        }
        if what in says:
            await self.shop.send(self._visited(says[what]()), self.at)
        elif what == "remove":
            if external_id in self.ids.values():
                await self.shop.send(remove(x=external_id), self.at)
        else:
            cookie = {"cookie": self.cookie.value} if what == "link" else {}
            self.ids[await self.shop.id(add(x=external_id, **cookie), self.at)] = external_id

    def _visited(self, step: Step) -> Visited:
        return Visited(origin=origin(), visitor=self.cookie, steps=(step,), source=Source.WEB)

    def visits(self) -> list[str | None]:
        """Whose each visit is, in the order of time."""
        rows = self.shop.rows(
            "select (select c.contact_id from contacts_of(e.account_id, array[e.owner_id]) c) "
            "from event e where e.type_key = %(key)s order by e.occurred",
            key=f"V{self.name}",
        )
        return [None if one is None else self.ids[one][0] for (one,) in rows]


def test_every_visit_is_the_persons_whom_the_rules_name(postgres_url: str) -> None:
    with fresh_database(postgres_url) as url, asyncio.Runner() as runner:
        opening = open_shop(url)
        shop = runner.run(opening.__aenter__())

        @given(st.sets(st.sampled_from(PEOPLE)), steps)
        @settings(
            max_examples=80, deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )
        def tell(known: set[str], story: list[tuple[str, str]]) -> None:
            oracle, browser = Oracle(), Browser(shop, next(_numbers))
            for what, who in [*(("post", who) for who in sorted(known)), *story]:
                getattr(oracle, what)(who)
                runner.run(browser.do(what, who))
            assert browser.visits() == [stretch.whose for stretch in oracle.visits]

        try:
            tell()
            shop.check()
        finally:
            runner.run(opening.__aexit__(None, None, None))


def _claim(cookie: str, who: Who, at: datetime) -> Visited:
    one = Identifier(WEB_COOKIE.code, cookie)
    steps = (Visit("Seen", "", at, {}), Claim(who, at))
    return Visited(origin=origin(), visitor=one, steps=steps, source=Source.WEB)


async def test_a_claim_and_its_contact_that_come_at_once_find_each_other(
    two_shops: tuple[Shop, Shop],
) -> None:
    """In two processes: whoever is second sees the other (docs/decisions/0014, 0017)."""
    one, other = two_shops
    for number in range(25):
        x, email = f"RACE-{number}", f"race-{number}@example.com"
        who = (Who(external_id=x), Who(email=email), Who(external_id=x, email=email))[number % 3]
        at = one.clock.now()
        said, made = await asyncio.gather(
            one.send(_claim(f"C-{number}", who, at)), other.send(add(x=x, email=email))
        )
        assert said.answer["stored"] == 1
        assert one.holders(WEB_COOKIE.code, f"C-{number}") == [made.resolution.contact_id]
    rows = one.rows(
        "select count(*), count(distinct c.contact_id) from event e "
        "cross join lateral contacts_of(e.account_id, array[e.owner_id]) c where type_key = 'Seen'"
    )
    assert rows == [(25, 25)]
    assert one.rows("select count(*) from claim") == [(0,)]


@pytest.mark.parametrize("claim_is_first", [True, False])
@pytest.mark.parametrize("by", ["external ID", "e-mail", "contact id"])
async def test_a_claim_that_meets_the_restore_of_its_contact_takes_effect(
    two_shops: tuple[Shop, Shop], by: str, claim_is_first: bool
) -> None:
    """D36: a claim changes nothing of the removed card, yet who waits for its lock must see the claim."""
    one, _ = two_shops
    person = await one.id(add(x="BACK", email="back@example.com"))
    await one.send(remove(person))
    who = {
        "external ID": Who(external_id="BACK"),
        "e-mail": Who(email="back@example.com"),
        "contact id": Who(contact_id=person),
    }[by]
    claim, restore = _claim("C-BACK", who, one.clock.now()), add(x="BACK", first="Alice")
    order = (claim, restore) if claim_is_first else (restore, claim)
    table = "claim" if claim_is_first else "identity_history"
    await first_then(two_shops, *order, tables=[table])
    assert one.holders(WEB_COOKIE.code, "C-BACK") == [person]
    assert one.rows("select count(*) from claim") == [(0,)]


async def test_a_contact_that_an_untrusted_app_made_takes_no_claim_up(shop: Shop) -> None:
    """D36: a claim that waits takes effect by a keyed call, here by the first that writes the contact."""
    said = contact(x="APPS", device="D")
    call = AppCall(said.person.changeable[0], None, said)
    await shop.send(_claim("C-APPS", Who(external_id="APPS"), shop.clock.now()))
    made = await shop.id(AppUpdate(origin=origin(), call=call, trusted=False))
    assert shop.holders(EXTERNAL_ID.code, "APPS") == [made]
    assert shop.holders(WEB_COOKIE.code, "C-APPS") != [made]
    await shop.send(add(x="APPS"))
    assert shop.holders(WEB_COOKIE.code, "C-APPS") == [made]
    assert shop.rows("select count(*) from claim") == [(0,)]


async def test_claims_that_nobody_comes_for_end(shop: Shop) -> None:
    """D36: they wait 30 days; what waited with them, and for them, goes."""
    now = shop.clock.now()
    await shop.send(_claim("OLD", Who(email="old@example.com", phone="380501112200"), now), now)
    await shop.send(_claim("NEW", Who(email="new@example.com"), now + timedelta(days=2)))
    accounts = [shop.account.account_id]
    await forget_old(shop.engine.database, now + timedelta(days=31), accounts)
    waiting = shop.rows("select value_key from claim")
    stubs = shop.rows("select value_key from identifier where kind in (2, 3) order by 1")
    assert (waiting, stubs) == ([("NEW",)], [("new@example.com",)])
    late = await shop.id(add(email="old@example.com", phone="380501112200"))
    assert shop.holders(WEB_COOKIE.code, "OLD") != [late]
    soon = await shop.id(add(email="new@example.com"))
    assert shop.holders(WEB_COOKIE.code, "NEW") == [soon]
