"""Requests to addresses that users give. Link imports, webhooks and exports go out through here.

What is promised, and why, stands in decision 0010.
"""

from __future__ import annotations

import asyncio
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
from kartoteka.outbound.connecting import CheckedNetwork, Resolver, look_up
from kartoteka.outbound.failures import BROKEN, told_plainly
from kartoteka.outbound.links import Link, follow, read_link
from kartoteka.outbound.model import Answered, Downloaded
from kartoteka.outbound.naming import file_name
from kartoteka.outbound.part_file import PartFile
from kartoteka.outbound.unpacking import unpacking

MAX_BYTES = 100_000_000
WITHIN_S = 60.0
_CONNECT_S = 10.0
_MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_BLOCK_BYTES = 262_144
_PIECES_A_TURN = 64
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

    def headers_for(self, link: Link) -> dict[str, str]:
        """The headers to send there; an Authorization of the caller's own goes first."""
        headers = {"Host": link.authority, "User-Agent": _AGENT, "Connection": "close"}
        if link.login and not any(name.lower() == "authorization" for name in self.headers):
            headers["Authorization"] = link.login
        return headers | self.headers

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
                await _save(response, file)
            headers = _headers(response)
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
            content, cut = await _beginning(response, max_bytes)
            return Answered(response.status, _headers(response), content, cut)

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


async def _save(response: httpcore.Response, file: PartFile) -> None:
    headers = _headers(response)
    announced = headers.get("content-length", "")
    file.refuse_longer(int(announced) if announced.isdecimal() else 0)
    unpack = unpacking(headers.get("content-encoding", ""))
    async for block in _blocks(response):
        await asyncio.to_thread(file.take, block, unpack)
    await asyncio.to_thread(file.keep, unpack)


async def _beginning(response: httpcore.Response, max_bytes: int) -> tuple[bytes, bool]:
    """The body up to that length, and whether it was cut.

    A connection that breaks only cuts: the status says already what became of the request.
    """
    body = bytearray()
    try:
        async for piece in _pieces(response):
            body += piece
            if len(body) > max_bytes:
                return bytes(body[:max_bytes]), True
    except BROKEN:
        return bytes(body), True
    return bytes(body), False


async def _blocks(response: httpcore.Response) -> AsyncIterator[bytes]:
    """The body in blocks large enough for a thread each."""
    block = bytearray()
    try:
        async for piece in _pieces(response):
            block += piece
            if len(block) >= _BLOCK_BYTES:
                yield bytes(block)
                block.clear()
    except BROKEN:
        raise LinkFailed("The connection to the link broke off before all had arrived.") from None
    yield bytes(block)


async def _pieces(response: httpcore.Response) -> AsyncIterator[bytes]:
    """The body as it comes; others have their turn even when it comes in chunks of a byte."""
    count = 0
    async for piece in response.aiter_stream():
        yield piece
        count += 1
        if count % _PIECES_A_TURN == 0:
            await asyncio.sleep(0)


def _redirect(response: httpcore.Response, call: _Call) -> str | None:
    if response.status not in _REDIRECTS or call.method not in ("GET", "HEAD"):
        return None
    return _headers(response).get("location")


def _is_sound(name: str, value: str) -> bool:
    return bool(
        name.lower() not in _OURS and _SOUND_NAME.fullmatch(name) and _SOUND_VALUE.fullmatch(value)
    )


def _headers(response: httpcore.Response) -> dict[str, str]:
    return {name.decode("ascii").lower(): _text(value) for name, value in response.headers}


def _text(value: bytes) -> str:
    """Headers are Latin-1 by the rules and UTF-8 in life."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
