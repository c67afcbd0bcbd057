"""One request on its way through a page: who asks, what for, and how the answer is made."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from typing import Any, TypeVar

from kartoteka.access.account_settings import AccountSettings
from kartoteka.access.model import AccountContext
from kartoteka.access.sessions import Grant, Session
from kartoteka.access.users import Role
from kartoteka.admin.bodies import ClientGone, Fields, parse_fields
from kartoteka.admin.rendering import render
from kartoteka.admin.replies import Reply, html, redirect
from kartoteka.admin.routing import Page
from kartoteka.admin.services import Services
from kartoteka.contacts.model import Command, Outcome
from kartoteka.identity.kinds import Region
from kartoteka.identity.model import Origin

SESSION_COOKIE = "kartoteka_session"
ACCOUNT_COOKIE = "kartoteka_account"
THEME_COOKIE = "kartoteka_theme"
FLASH_COOKIE = "kartoteka_said"
METHOD = "admin"
"""How the identity history names what was done here; the audit log says by whom."""
NO_KEY = 0
Result = TypeVar("Result")


class Request:
    """What a page is given."""

    def __init__(
        self, services: Services, scope: Any, receive: Any, request_id: str, page: Page
    ) -> None:
        self.services = services
        self.page = page
        self.scope = scope
        self.receive = receive
        self.request_id = request_id
        self.params: dict[str, str] = {}
        self.form = Fields([])
        self.session: Session | None = None
        self.grant: Grant | None = None
        self._session_text = ""
        self.at: datetime = services.clock.now()

    @cached_property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.scope["headers"])

    @cached_property
    def query(self) -> Fields:
        return parse_fields(self.scope["query_string"])

    @cached_property
    def cookies(self) -> dict[str, str]:
        try:
            jar = SimpleCookie(self.headers.get(b"cookie", b"").decode("latin-1"))
        except CookieError:
            return {}
        return {name: morsel.value for name, morsel in jar.items()}

    @property
    def path(self) -> str:
        path: str = self.scope["path"]
        return path.rstrip("/")

    @property
    def address(self) -> str:
        return self.services.address_of(self.scope, self.headers)

    @property
    def is_https(self) -> bool:
        """Whether the browser speaks TLS, to us or to a proxy before us."""
        forwarded = self.headers.get(b"x-forwarded-proto", b"").partition(b",")[0].strip().lower()
        return self.scope.get("scheme") == "https" or forwarded == b"https"

    @property
    def is_part(self) -> bool:
        """Whether the script asks for a piece of the page, not the browser for all of it."""
        return b"hx-request" in self.headers

    @property
    def me(self) -> Grant:
        """Who is signed in, in the account that was chosen."""
        assert self.grant is not None
        return self.grant

    @property
    def account(self) -> AccountContext:
        return self.me.account

    @property
    def account_id(self) -> int:
        return self.me.account.account_id

    @property
    def settings(self) -> AccountSettings:
        return self.me.account.settings

    @property
    def region(self) -> Region:
        return Region(self.settings.region)

    def may(self, role: Role) -> bool:
        """Whether who is signed in has that role or more."""
        return self.grant is not None and self.grant.role.may(role)

    def enter(self, session: Session, text: str) -> None:
        """Take that session, whose cookie is `text`, and the account that was chosen before."""
        self.session, self._session_text = session, text
        chosen = self.cookies.get(ACCOUNT_COOKIE, "")
        grants = {str(one.account.account_id): one for one in session.grants}
        self.grant = grants.get(chosen, session.grants[0])

    @cached_property
    def csrf(self) -> str:
        """What forms carry: it belongs to this session in this account, and no other page can know it.

        A page that was opened before its user switched to another account writes into neither.
        """
        return self.csrf_in(self.grant.account.account_id if self.grant is not None else 0)

    def csrf_in(self, account_id: int) -> str:
        """What forms of this session carry in that account."""
        said = f"csrf\0{self._session_text}\0{account_id}"
        return hmac.new(self.services.secret_key.encode(), said.encode(), sha256).hexdigest()[:32]

    def id(self, name: str = "id") -> int:
        """A number of the path."""
        return int(self.params[name])

    def origin(self) -> Origin:
        """This request, as history keeps it."""
        return Origin(self.at, self.request_id, NO_KEY, METHOD)

    async def write(self, command: Command) -> Outcome:
        """Carry out one command in this account; back after the commit."""
        return await self.services.engine.submit(self.account, command)

    async def while_wanted(self, work: Awaitable[Result]) -> Result:
        """The result, unless the browser hangs up first: then the work is cancelled (`ClientGone`)."""
        task = asyncio.ensure_future(work)
        gone = asyncio.ensure_future(self._hung_up())
        try:
            await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            task.cancel()
            await asyncio.wait((task,))
            raise ClientGone
        finally:
            gone.cancel()

    async def _hung_up(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def note(self, action: str, subject: object = "", **details: Any) -> None:
        """A line of the audit log."""
        await self.services.users.note(
            self.account_id,
            self.me.user_id,
            login=self.me.login,
            action=action,
            subject=str(subject),
            request_id=self.request_id,
            details=details,
        )

    def render(self, template: str, http_status: int = 200, **values: Any) -> Reply:
        """The page out of that template."""
        return html(render(template, request=self, **values), http_status)

    def go(self, path: str, said: str | None = None) -> Reply:
        """To another page, which shows the text of that key once."""
        reply = redirect(path)
        if said is not None:
            self.set_cookie(reply, FLASH_COOKIE, said, max_age_s=60)
        return reply

    def set_cookie(
        self, reply: Reply, name: str, value: str, *, max_age_s: int | None = None
    ) -> None:
        """A cookie that scripts do not see and other sites do not send."""
        parts = [f"{name}={value}", "Path=/admin", "HttpOnly", "SameSite=Lax"]
        if max_age_s is not None:
            parts.append(f"Max-Age={max_age_s}")
        if self.is_https:
            parts.append("Secure")
        reply.with_header(b"set-cookie", "; ".join(parts).encode("latin-1"))
