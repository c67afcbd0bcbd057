"""Builds everything: what a worker serves, and what a database needs before anybody serves."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from kartoteka.access.accounts import Accounts
from kartoteka.access.bootstrap import FirstStart, first_start
from kartoteka.access.keys import KeyRing
from kartoteka.access.tokens import Tokens
from kartoteka.activity.event_types import EventTypes
from kartoteka.activity.orders.reads import Orders
from kartoteka.activity.retention import keep_house, make_partitions
from kartoteka.activity.sites.store import Sites
from kartoteka.activity.timeline import Timelines
from kartoteka.activity.visitors.signing import ClaimSigner
from kartoteka.activity.visitors.store import forget_old as forget_visitors
from kartoteka.api.asgi import build
from kartoteka.api.services import Services
from kartoteka.clock import Clock
from kartoteka.contacts.definitions import Definitions
from kartoteka.contacts.duplicate_search import Searches
from kartoteka.contacts.identity_reads import IdentityReads
from kartoteka.contacts.reads import Cards
from kartoteka.db.database import WRITER_OPTIONS, Database
from kartoteka.db.migrate import migrate
from kartoteka.errors import DatabaseUnavailable
from kartoteka.exports.housekeeping import clean_up_exports
from kartoteka.exports.opening import open_exports
from kartoteka.exports.runner import MOST_LANES as MOST_EXPORTS
from kartoteka.exports.runner import Runner as ExportRunner
from kartoteka.identity.store import digest_with
from kartoteka.imports.erased import Forgetting
from kartoteka.imports.folder import import_folder
from kartoteka.imports.leftovers import clean_up
from kartoteka.imports.runner import MOST_LANES, Runner
from kartoteka.imports.store import Imports
from kartoteka.intake.repeats import forget_old
from kartoteka.jobs.queue import Periodic, prepare_queue, run_worker
from kartoteka.log import logger
from kartoteka.outbound.client import Outbound
from kartoteka.pages import build_pages, forget_old_sessions, is_page
from kartoteka.segments.actions import SegmentActions
from kartoteka.segments.asking import Asking
from kartoteka.segments.jobs import SegmentJobs
from kartoteka.segments.store import Segments
from kartoteka.segments.verifying import check_activity
from kartoteka.settings import Settings
from kartoteka.webhooks.sending import Sending
from kartoteka.webhooks.sending import forget_old as forget_happenings
from kartoteka.webhooks.store import Webhooks
from kartoteka.writing import build_engine

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


async def prepare_database(database_url: str) -> list[str]:
    """Bring the database up to this version; the names of what was applied."""
    applied = await migrate(database_url)
    return [*applied, "jobs"] if await prepare_queue(database_url) else applied


async def set_up(settings: Settings, database_url: str) -> FirstStart | None:
    """Prepare the database and, in an empty one, make account, key and admin; None if it was not."""
    await prepare_database(database_url)
    database = await Database.open(database_url, max_size=2)
    try:
        await make_partitions(database, Clock())
        return await first_start(database, settings)
    finally:
        await database.close()


LIVE = "kartoteka live"
"""What the sessions that carry out single calls are called: imports make room for them."""


class Application:
    """The ASGI application of one worker: opens what it stands on at the start, closes it at the end.

    The start does not need the database: while it is away requests are answered with 503.
    """

    def __init__(self, settings: Settings, database_url: str) -> None:
        self._settings = settings
        self._database_url = database_url
        self._database: Database | None = None
        self._writers: Database | None = None
        self._services: Services | None = None
        self._admin: ASGIApp | None = None
        self._inside: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._admin is not None and is_page(scope):
            await self._admin(scope, receive, send)
        elif self._inside is not None:
            await self._inside(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._open()
        except Exception:  # noqa: BLE001  uvicorn ends the process; the reason belongs in the log
            logger.error("start_failed", exc_info=True)
            await send({"type": "lifespan.startup.failed"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _open(self) -> None:
        url = self._database_url
        self._database = await Database.open(url, min_size=0)
        self._writers = await Database.open(url, min_size=0, options=WRITER_OPTIONS, name=LIVE)
        self._services = compose(self._settings, self._database, self._writers)
        self._inside = build(self._services)
        self._admin = build_pages(self._settings, self._services)
        gc.collect()
        gc.freeze()  # what lives for ever is not looked at again (design/engine.md)
        gc.set_threshold(200_000, 10, 50)  # a call of a thousand orders is 60,000 objects

    async def _close(self) -> None:
        if self._services is not None:
            await self._services.discretion.close()
            await self._services.engine.close()
            await self._services.keys.close()
        for database in (self._database, self._writers):
            if database is not None:
                await database.close()


def compose(settings: Settings, database: Database, writers: Database) -> Services:
    """One of everything that the end points stand on; `writers` has the engine's connections."""
    clock = Clock()
    definitions, segments = Definitions(database), Segments(database)
    actions = SegmentActions(database, clock, definitions, segments)
    return Services(
        database=database,
        keyed=writers,
        clock=clock,
        engine=build_engine(writers, clock, digest_with(settings.secret_key)),
        keys=KeyRing(database, clock, settings.region),
        accounts=Accounts(database, clock, settings.region),
        tokens=Tokens(database, clock),
        definitions=definitions,
        cards=Cards(writers, database),
        identities=IdentityReads(writers, database),
        imports=Imports(database, clock, import_folder(settings)),
        exports=open_exports(settings, database, clock),
        segments=segments,
        segment_actions=actions,
        asking=Asking(database, clock, definitions, actions),
        webhooks=Webhooks(database, clock, allow_private=settings.allow_private_addresses),
        event_types=EventTypes(database, clock),
        timelines=Timelines(writers, clock),
        orders=Orders(writers),
        outbound=Outbound(allow_private=settings.allow_private_addresses),
        sites=Sites(database, clock),
        signer=ClaimSigner(settings.secret_key),
        digest=digest_with(settings.secret_key),
        trusted_proxies=settings.trusted_proxies,
    )


async def run_jobs(settings: Settings, database_url: str, stopping: asyncio.Event) -> None:
    """Background work until `stopping`; while the database is away it waits for it."""
    database = await Database.open(database_url, min_size=0)
    lanes = sum(MOST_LANES.values()) + MOST_EXPORTS
    leases = await Database.open(database_url, min_size=0, max_size=2 + lanes)
    writers = await Database.open(
        database_url, min_size=0, options=WRITER_OPTIONS, name="kartoteka jobs"
    )
    services = compose(settings, database, writers)
    engine = build_engine(writers, services.clock, digest_with(settings.secret_key))
    segment_jobs = SegmentJobs(database, services.clock, services.accounts.read, engine.submit)
    runner = Runner(
        database=database,
        leases=leases,
        engine=engine,
        imports=services.imports,
        accounts=services.accounts,
        definitions=services.definitions,
        clock=services.clock,
    )
    exporter = ExportRunner(
        database=database, leases=leases, exports=services.exports, clock=services.clock
    )
    forgetting = Forgetting(
        database,
        services.clock,
        digest_with(settings.secret_key),
        imports=services.imports,
        accounts=services.accounts,
        definitions=services.definitions,
    )
    searches = Searches(database, services.clock)
    periodic = [
        Periodic("forget_erased", "* * * * *", forgetting.look_through),
        Periodic(
            "clean_up_imports",
            "17 * * * *",
            partial(clean_up, database, services.clock, import_folder(settings)),
        ),
        Periodic(
            "clean_up_exports",
            "*/10 * * * *",
            partial(clean_up_exports, database, services.clock),
        ),
        Periodic("forget_happenings", "47 * * * *", partial(_forget_happenings, services)),
        Periodic("forget_repeats", "37 * * * *", partial(_forget_repeats, services)),
        Periodic("forget_visitors", "47 * * * *", partial(_forget_visitors, services)),
        Periodic(
            "keep_events",
            "23 2 * * *",
            partial(keep_house, database, services.clock, services.accounts),
        ),
        Periodic(
            "ask_for_duplicates", "41 3 * * *", partial(_ask_for_duplicates, services, searches)
        ),
        Periodic("check_segments", "53 2 * * *", partial(_check_segments, services)),
    ]
    gc.collect()
    gc.freeze()
    gc.set_threshold(500_000, 5, 20)  # two batches fit in between
    try:
        await asyncio.gather(
            runner.run(stopping),
            exporter.run(stopping),
            segment_jobs.run(stopping),
            searches.work(stopping),
            Sending(database, services.outbound, services.clock).run(stopping),
            _keep_working(database_url, periodic, stopping),
        )
    finally:
        for one in (database, leases, writers):
            await one.close()


async def _ask_for_duplicates(services: Services, searches: Searches) -> None:
    await searches.ask_for_all(account.account_id for account in await services.accounts.all())


async def _check_segments(services: Services) -> None:
    """Activity that is no longer kept is gone: who is in segments about it is asked again."""
    for account in await services.accounts.all():
        await check_activity(services.database, account.account_id, services.clock.now())


async def _forget_happenings(services: Services) -> None:
    accounts = [account.account_id for account in await services.accounts.all()]
    await forget_happenings(services.database, services.clock, accounts)


async def _forget_repeats(services: Services) -> None:
    accounts = [account.account_id for account in await services.accounts.all()]
    await forget_old(services.database, services.clock, accounts)
    await forget_old_sessions(services, accounts)


async def _forget_visitors(services: Services) -> None:
    accounts = [account.account_id for account in await services.accounts.all()]
    await forget_visitors(services.database, services.clock.now(), accounts)


async def _keep_working(
    database_url: str, periodic: Sequence[Periodic], stopping: asyncio.Event
) -> None:
    """The queue's worker, started again when the database was away."""
    while not stopping.is_set():
        try:
            await run_worker(database_url, periodic, stopping)
        except DatabaseUnavailable as error:
            logger.warning("jobs_wait_for_database", reason=error.message)
            await asyncio.sleep(1)


def create_app(settings: Settings, database_url: str) -> ASGIApp:
    """What a worker serves; `serving` looks this function up by its name."""
    return Application(settings, database_url)
