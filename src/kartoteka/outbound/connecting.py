"""Connecting to a host: resolved once, checked, and the checked address is the one dialled."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

import httpcore

from kartoteka.errors import LinkFailed, LinkRefused
from kartoteka.outbound.addresses import Address, is_open

Resolver = Callable[[str], Awaitable[Sequence[str]]]
"""From a host name to its addresses as text. Raises `OSError` when there is none."""

_THREADS = ThreadPoolExecutor(4, thread_name_prefix="resolve")
"""Own ones: a name server that does not answer must not hold up what else runs in threads."""
_MOST_TRIED = 3


async def look_up(host: str) -> list[str]:
    """The addresses of a name, by the system's resolver (also /etc/hosts), in its order."""
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(_THREADS, _look_up, host)
    return list(dict.fromkeys(found))


def _look_up(host: str) -> list[str]:
    # As bytes: Python's own codec for names refuses some that exist, such as those with `_`.
    entries = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
    return [str(place[0]) for *_, place in entries]


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """The network as one request sees it; httpcore asks it for connections by name.

    TLS is made by httpcore on the stream that this returns, with the *name* for SNI and for the
    certificate; so is the header Host.
    """

    def __init__(
        self, *, allow_private: bool, resolve: Resolver, network: httpcore.AsyncNetworkBackend
    ) -> None:
        self._allow_private = allow_private
        self._resolve = resolve
        self._network = network
        self._streams: list[httpcore.AsyncNetworkStream] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to an address of that host; raises `LinkRefused` before dialling any."""
        failure: Exception = httpcore.ConnectError()
        for address in (await self._checked(host, timeout))[:_MOST_TRIED]:
            try:
                stream = await self._network.connect_tcp(str(address), port, timeout)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                self._streams.append(stream)
                return stream
        raise failure

    async def aclose(self) -> None:
        """Close what was opened; httpcore forgets a stream when it is cancelled in the handshake."""
        for stream in self._streams:
            await stream.aclose()

    async def _checked(self, host: str, within_s: float | None) -> list[Address]:
        """All addresses of the host. One that is forbidden condemns them all.

        Whoever names public and private addresses at once tries to get in, or is set up wrongly;
        picking the public ones would make the outcome depend on the resolver's mood.
        """
        addresses = await self._addresses(host, within_s)
        if not all(is_open(one, allow_private=self._allow_private) for one in addresses):
            raise LinkRefused("The link leads to a private address.")
        return addresses

    async def _addresses(self, host: str, within_s: float | None) -> list[Address]:
        try:
            return [ip_address(host)]
        except ValueError:
            pass
        try:
            async with asyncio.timeout(within_s):
                found = await self._resolve(host)
            addresses = [ip_address(text.partition("%")[0]) for text in found]
        except TimeoutError:
            raise LinkFailed("The host of the link could not be looked up in time.") from None
        except (OSError, ValueError):
            raise LinkFailed("The host of the link is not known.") from None
        if not addresses:
            raise LinkFailed("The host of the link is not known.")
        return addresses
