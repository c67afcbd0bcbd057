"""What an empty account is told to do: a list that ticks itself, with snippets to copy."""

from __future__ import annotations

import msgspec

from kartoteka.access.apps import Apps
from kartoteka.access.model import ApiKey, App, KeyKind
from kartoteka.activity.sites.script import snippet
from kartoteka.admin.request import Request

HIDDEN = "steps_hidden"
"""The preference of whoever has read enough of it."""
_CONTACT = """\
curl -u :YOUR_KEY {address}/api/v1/contact \\
  -d '{{"externalCustomerId": "42", "firstName": "Ann",
       "channels": [{{"type": "email", "value": "ann@example.com"}}]}}'"""
_APP = """\
curl {address}/api/v1/user \\
  -H 'X-Reteno-Access-Key: YOUR_ACCESS_KEY' \\
  -d '{{"deviceId": "7D1C-40A9", "externalUserId": "42",
       "userAttributes": {{"firstName": "Ann"}}}}'"""


class Step(msgspec.Struct, frozen=True):
    """One line of the list."""

    name: str
    is_done: bool
    snippet: str = ""
    """To be copied; blank where a button leads on."""


async def first_steps(request: Request, *, has_contacts: bool, has_imports: bool) -> list[Step]:
    """The list as it stands now."""
    services, account_id = request.services, request.account_id
    keys = await services.key_admin(account_id).all()
    users = await services.users.all(account_id)
    sites = await services.sites.all(account_id)
    apps = await Apps(services.database, services.clock, account_id).all()
    visits = await services.lately.visits(account_id, request.at)
    address = address_of_server(request)
    script = snippet(address.partition("://")[2], sites[0].site_key) if sites else ""
    return [
        Step("call", _is_used(keys, KeyKind.SERVER), f"curl -u :YOUR_KEY {address}/api/v1/account/info"),
        Step("contact", has_contacts, _CONTACT.format(address=address)),
        Step("script", bool(visits), script),
        Step("app", _is_used(keys, KeyKind.APP), _APP.format(address=address) if _mobile(apps) else ""),
        Step("import", has_imports),
        Step("users", len(users) > 1),
    ]  # fmt: skip


def _is_used(keys: list[ApiKey], kind: KeyKind) -> bool:
    return any(key.kind == kind and key.last_used_at is not None for key in keys)


def _mobile(apps: list[App]) -> bool:
    return any(app.kind == "mobile" for app in apps)


def address_of_server(request: Request) -> str:
    """This server as the browser names it, for snippets."""
    host = request.headers.get(b"host", b"localhost").decode("latin-1")
    return f"{'https' if request.is_https else 'http'}://{host}"
