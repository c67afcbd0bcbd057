"""One request from the first byte to the last: who calls, may they, the answer, the log line."""

from __future__ import annotations

import asyncio
import itertools
import re
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from time import perf_counter
from typing import Any

from kartoteka.access.keys import require
from kartoteka.api.answers import Answer
from kartoteka.api.bodies import ClientGone, Receive
from kartoteka.api.call import Call
from kartoteka.api.cors import for_pages
from kartoteka.api.dry_runs import refuse_no_dry_run
from kartoteka.api.errors import InternalError, error_answer, status_of
from kartoteka.api.protocol import AT_ONCE
from kartoteka.api.routing import Route
from kartoteka.api.services import Services
from kartoteka.errors import KartotekaError
from kartoteka.log import RequestLine, log_request, logger

Send = Callable[[Any], Awaitable[None]]

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:+/=@-]{1,64}")
BODY = "http.response.body"
CLIENT_GONE = 499
"""What the log calls a request whose client hung up; nobody is answered."""


class Edge:
    """Runs the end points of every route; the hot ones and Litestar's alike."""

    def __init__(self, services: Services) -> None:
        self.services = services
        # A random word for this process and a number: unique without asking for randomness each time.
        self._process = secrets.token_hex(5)
        self._numbers = itertools.count(1)
        self._log = logger.bind()

    async def run(
        self, route: Route, params: dict[str, str], scope: Any, receive: Any, send: Send
    ) -> None:
        """Answer one request of that route."""
        started = perf_counter()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        call = Call(
            self.services,
            route,
            params=params,
            scope=scope,
            receive=receive,
            headers=headers,
            request_id=self.request_id(headers),
        )
        try:
            answer = await self._answer(call)
        except ClientGone:
            self._observe(call, CLIENT_GONE, started)
            return
        if route.cors:
            answer = for_pages(answer, headers)
        if answer.stream is None:
            self._observe(call, answer.status, started)
            if not _sent_at_once(scope, send, answer, call.request_id):
                await send_answer(send, answer, call.request_id)
            return
        # A stream may be cut off by either side, and its time is that of the whole.
        self._observe(call, await self._stream(call, answer, answer.stream, send), started)

    async def _stream(
        self, call: Call, answer: Answer, stream: AsyncGenerator[bytes, None], send: Send
    ) -> int:
        """Send a body as it is made; the status that the log gives to what came of it.

        What fails in the middle cannot be answered any more: without a last piece the server closes
        the connection, and the client sees that some is missing.
        """
        gone = asyncio.ensure_future(_gone(call.receive))
        await send(answer_head(answer, call.request_id))
        try:
            async with aclosing(stream):
                async for piece in stream:
                    if gone.done():
                        return CLIENT_GONE
                    await send({"type": BODY, "body": piece, "more_body": True})
                    if call.scope["method"] == "HEAD":
                        break
        except Exception:  # noqa: BLE001 - as in _answer
            self._log.exception("failed", route=call.route.path, request_id=call.request_id)
            return status_of(InternalError())
        finally:
            gone.cancel()
        await send({"type": BODY, "body": b""})
        return answer.status

    async def refuse(self, error: KartotekaError, scope: Any, send: Send) -> None:
        """Answer a request that no route takes."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        request_id = self.request_id(headers)
        answer = error_answer(error, scope["path"], self.services.clock.now())
        self._log.info(
            "request",
            method=scope["method"][:16],
            route="unmatched",
            status=answer.status,
            request_id=request_id,
        )
        self.services.metrics.observe("unmatched", answer.status, 0.0)
        await send_answer(send, answer, request_id)

    def request_id(self, headers: dict[bytes, bytes]) -> str:
        """The caller's own id if it is a sane one, else a new one."""
        given = headers.get(b"x-request-id")
        if given is not None and _REQUEST_ID.fullmatch(given):
            return given.decode("ascii")
        return f"{self._process}-{next(self._numbers):x}"

    async def _answer(self, call: Call) -> Answer:
        route = call.route
        try:
            if route.right is not None:
                await self._admit(call)
                if call.scope["query_string"]:
                    refuse_no_dry_run(call)
            return await route.endpoint(call)
        except KartotekaError as error:
            return error_answer(error, call.scope["path"], call.at)
        except ClientGone:
            raise
        except Exception:  # noqa: BLE001 - the last resort, logged
            # The log keeps the type of the error and where it passed, never its words.
            self._log.exception("failed", route=route.path, request_id=call.request_id)
            return error_answer(InternalError(), call.scope["path"], call.at)

    async def _admit(self, call: Call) -> None:
        """Who calls, whether the key reaches this far, and how often it did this second."""
        assert call.route.right is not None
        authorization = call.headers.get(b"authorization")
        text = None if authorization is None else authorization.decode("latin-1")
        caller = await self.services.keys.authenticate(text)
        call.caller = caller
        require(caller, call.route.right)
        if caller.account.settings.rate_limits:
            self.services.limits.count(caller.account.account_id, call.route.pool)

    def _observe(self, call: Call, status: int, started: float) -> None:
        """One log line, one count: the template of the path, never its values."""
        seconds = perf_counter() - started
        route, caller = call.route, call.caller
        self.services.metrics.observe(route.operation, status, seconds)
        log_request(
            RequestLine(
                route.method,
                route.path,
                status,
                round(seconds * 1000, 1),
                call.request_id,
                None if caller is None else caller.key_id,
            )
        )


def _sent_at_once(scope: Any, send: Send, answer: Answer, request_id: str) -> bool:
    """Whether the server took the answer in one piece: one with no headers but those of `answer_head`."""
    at_once = scope.get("extensions", {}).get(AT_ONCE)
    if at_once is None or answer.headers:
        return False
    lines = b"content-length: %d\r\nx-request-id: %b\r\n" % (
        len(answer.body),
        request_id.encode("ascii"),
    )
    if answer.content_type is not None:
        lines += b"content-type: %b\r\n" % answer.content_type
    taken: bool = at_once(send, answer.status, lines, answer.body)
    return taken


async def send_answer(send: Send, answer: Answer, request_id: str) -> None:
    """Send it, with its length and the request's id."""
    await send(answer_head(answer, request_id))
    await send({"type": BODY, "body": answer.body})


def answer_head(answer: Answer, request_id: str) -> dict[str, Any]:
    """The first message of an answer; a stream has no length."""
    headers = [(b"x-request-id", request_id.encode("ascii")), *answer.headers]
    if answer.stream is None:
        headers.insert(0, (b"content-length", b"%d" % len(answer.body)))
    if answer.content_type is not None:
        headers.append((b"content-type", answer.content_type))
    return {"type": "http.response.start", "status": answer.status, "headers": headers}


async def _gone(receive: Receive) -> None:
    """Back when the client has hung up; what it still sends of a body is of no interest."""
    while (await receive())["type"] != "http.disconnect":
        pass
