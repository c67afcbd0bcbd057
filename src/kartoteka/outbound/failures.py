"""What went wrong outside, in sentences for people; never with anything of the link in them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpcore

from kartoteka.errors import KartotekaError, LinkFailed, LinkRefused

BROKEN = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    ssl.SSLError,  # httpcore lets those of a connection that stands pass
)


@asynccontextmanager
async def told_plainly(within_s: float) -> AsyncIterator[None]:
    """At most that many seconds for everything inside; its errors come out as `LinkFailed`.

    Raised `from None`: the causes quote addresses and what was sent.
    """
    try:
        async with asyncio.timeout(within_s):
            yield
    except TimeoutError:
        raise LinkFailed(f"The link did not answer in full within {within_s:g} seconds.") from None
    except BROKEN as error:
        raise _told(error) from None


def _told(error: Exception) -> KartotekaError:
    match error:
        case httpcore.ConnectTimeout():
            return LinkFailed("The host of the link does not answer.")
        case httpcore.ConnectError(__cause__=ssl.SSLCertVerificationError()):
            return LinkFailed("The certificate of the link's host is not valid.")
        case httpcore.ConnectError(__cause__=ssl.SSLError()):
            return LinkFailed("No secure connection to the link's host can be made.")
        case httpcore.ConnectError():
            return LinkFailed("The host of the link cannot be reached.")
        case httpcore.LocalProtocolError():
            return LinkRefused("The request to the link has a header that is not valid.")
        case httpcore.RemoteProtocolError():
            return LinkFailed("What answers at the link does not speak HTTP.")
    return LinkFailed("The connection to the link broke off.")
