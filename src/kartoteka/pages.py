"""The pages under /admin on the parts that a server has: the API's, and people who sign in."""

from __future__ import annotations

from collections.abc import MutableMapping
from functools import partial
from typing import Any

from kartoteka.access.sessions import Sessions
from kartoteka.access.users import Users
from kartoteka.activity.lately import Lately
from kartoteka.admin.application import Admin
from kartoteka.admin.services import Services as AdminServices
from kartoteka.api.limits import address_of
from kartoteka.api.services import Services
from kartoteka.api.uploads import receive_upload
from kartoteka.contacts.browsing import Browsing
from kartoteka.settings import Settings


def is_page(scope: MutableMapping[str, Any]) -> bool:
    """Whether the pages answer it: everything under /admin."""
    path: str = scope.get("path", "")
    return scope["type"] == "http" and (path == "/admin" or path.startswith("/admin/"))


def build_pages(settings: Settings, services: Services) -> Admin:
    """The pages as an ASGI application."""
    database, clock = services.database, services.clock
    return Admin(
        AdminServices(
            database=database,
            keyed=services.keyed,
            clock=clock,
            engine=services.engine,
            keys=services.keys,
            accounts=services.accounts,
            users=Users(database, clock),
            sessions=Sessions(database, clock, settings.region),
            definitions=services.definitions,
            cards=services.cards,
            browsing=Browsing(services.keyed, database),
            identities=services.identities,
            imports=services.imports,
            exports=services.exports,
            segments=services.segments,
            segment_actions=services.segment_actions,
            asking=services.asking,
            timelines=services.timelines,
            lately=Lately(database),
            orders=services.orders,
            event_types=services.event_types,
            sites=services.sites,
            webhooks=services.webhooks,
            outbound=services.outbound,
            receive_upload=receive_upload,
            address_of=partial(address_of, trusted=services.trusted_proxies),
            secret_key=settings.secret_key,
        )
    )


async def forget_old_sessions(services: Services, account_ids: list[int]) -> None:
    """Take away sessions that have run out and failures that no longer count."""
    sessions = Sessions(services.database, services.clock, "UA")
    await sessions.forget_old(account_ids)
