"""Requests to addresses that users give. Link imports, webhooks and exports go out through here.

What is promised, and why, stands in decision 0010.
"""

from __future__ import annotations

import logging
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path

import certifi
import httpcore
import msgspec

from kartoteka import __version__
from kartoteka.errors import LinkFailed, LinkRefused
from kartoteka.outbound.bodies import beginning, headers_of, save
from kartoteka.outbound.connecting import CheckedNetwork, Resolver, look_up
from kartoteka.outbound.failures import told_plainly
from kartoteka.outbound.links import Link, follow, read_link
from kartoteka.outbound.model import Answered, Downloaded
from kartoteka.outbound.naming import file_name
from kartoteka.outbound.part_file import PartFile

MAX_BYTES = 100_000_000
WITHIN_S = 60.0
_CONNECT_S = 10.0
_MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_SOUND_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SOUND_VALUE = re.compile(r"[\t\x20-\x7e]*")
_OURS = ("host", "content-length", "transfer-encoding", "connection", "user-agent")
_AGENT = f"Kartoteka/{__version__}"
# When debugging it writes the headers of answers, and a redirect's Location may be a secret.
logging.getLogger("httpcore").setLevel(logging.WARNING)


class _Call(msgspec.Struct, frozen=True):
    """What is sent, to wherever the link leads."""

    method: str
    headers: dict[str, str]
    body: bytes | None = None

    def headers_for(self, link: Link) -> list[tuple[str | bytes, str | bytes]]:
        """The headers to send there; an Authorization of the caller's own goes first."""
        headers = {"Host": link.authority, "User-Agent": _AGENT, "Connection": "close"}
        if link.login and not any(name.lower() == "authorization" for name in self.headers):
            headers["Authorization"] = link.login
        return list((headers | self.headers).items())

    def without_secrets(self) -> _Call:
        """The same for another origin, which must not see what the caller's headers say."""
        kept = {n: v for n, v in self.headers.items() if n in ("Accept", "Accept-Encoding")}
        return msgspec.structs.replace(self, headers=kept)


class Outbound:
    """The way out. Reads no proxy, no netrc and no cookie; keeps no connection.

    `resolve`, `network` and `tls` are other people's parts: tests bring their own.
    """

    def __init__(
        self,
        *,
        allow_private: bool,
        resolve: Resolver = look_up,
        network: httpcore.AsyncNetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allow_private = allow_private
        self._resolve = resolve
        self._network = network or httpcore.AnyIOBackend()
        self._given_tls = tls

    async def download(
        self, link: str, to: Path, *, max_bytes: int = MAX_BYTES, within_s: float = WITHIN_S
    ) -> Downloaded:
        """Fetch the file behind a link into that path, following redirects.

        The path exists only if all of it arrived. Raises `LinkRefused` (not gone there) and
        `LinkFailed` (gone there in vain); neither quotes the link.
        """
        asked = read_link(link)
        call = _Call("GET", {"Accept": "*/*", "Accept-Encoding": "gzip"})
        with PartFile(to, max_bytes) as file:
            async with told_plainly(within_s), self._answer(asked, call) as (response, last):
                if response.status != 200:
                    raise LinkFailed(f"The link answers {response.status}.")
                await save(response, file)
            headers = headers_of(response)
            return Downloaded(
                size=file.size,
                digest=file.digest,
                content_type=headers.get("content-type", "").partition(";")[0].strip().lower(),
                name=file_name(headers.get("content-disposition", ""), asked, last),
            )

    async def request(
        self,
        method: str,
        link: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        max_bytes: int = 1_000_000,
        within_s: float = 30.0,
    ) -> Answered:
        """Send one request with a small body; whatever status comes back is the answer.

        Only GET and HEAD follow redirects, and another origin gets none of `headers`. Of a longer
        body than `max_bytes` the beginning is answered. Raises `LinkRefused` and `LinkFailed`.
        """
        sent = dict(headers or {})
        if not all(_is_sound(name, value) for name, value in sent.items()):
            raise LinkRefused("The request to the link has a header that is not valid.")
        is_reading = method in ("GET", "HEAD")
        call = _Call(method, sent, body if is_reading else body or b"")
        async with told_plainly(within_s), self._answer(read_link(link), call) as (response, _):
            content, cut = await beginning(response, max_bytes)
            return Answered(response.status, headers_of(response), content, cut)

    @asynccontextmanager
    async def _answer(
        self, link: Link, call: _Call
    ) -> AsyncIterator[tuple[httpcore.Response, Link]]:
        """The answer that is no redirect, its body still to be read, and where it came from."""
        for _ in range(_MOST_REDIRECTS + 1):
            async with self._hop(link, call) as response:
                location = _redirect(response, call)
                if location is None:
                    yield response, link
                    return
            there = follow(link, location)
            if there.origin != link.origin:
                call = call.without_secrets()
            link = there
        raise LinkFailed(f"The link redirects more than {_MOST_REDIRECTS} times.")

    @asynccontextmanager
    async def _hop(self, link: Link, call: _Call) -> AsyncIterator[httpcore.Response]:
        """One request on a connection of its own, so that each host is resolved and checked anew."""
        network = CheckedNetwork(
            allow_private=self._allow_private, resolve=self._resolve, network=self._network
        )
        # In parts, not as text: nothing reads the link a second time.
        url = httpcore.URL(scheme=link.scheme, host=link.host, port=link.port, target=link.target)
        connection = httpcore.AsyncHTTPConnection(
            origin=url.origin,
            ssl_context=self._tls if link.scheme == "https" else None,
            network_backend=network,
        )
        try:
            async with connection.stream(
                call.method,
                url,
                headers=call.headers_for(link),
                content=call.body,
                extensions={"timeout": {"connect": _CONNECT_S}},
            ) as response:
                yield response
        finally:
            await connection.aclose()
            await network.aclose()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Certificates that the system trusts, and those of certifi where it knows none."""
        if self._given_tls is not None:
            return self._given_tls
        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
        return context


def _is_sound(name: str, value: str) -> bool:
    return bool(
        name.lower() not in _OURS and _SOUND_NAME.fullmatch(name) and _SOUND_VALUE.fullmatch(value)
    )


def _redirect(response: httpcore.Response, call: _Call) -> str | None:
    if response.status not in _REDIRECTS or call.method not in ("GET", "HEAD"):
        return None
    return headers_of(response).get("location")
