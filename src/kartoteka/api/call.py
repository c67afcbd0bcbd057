"""One request on its way through an end point: who calls, what it says, what it may do."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from kartoteka.access.model import AccountContext, Caller, Rights
from kartoteka.api.bodies import Receive, parse_object, read_body
from kartoteka.api.routing import Route
from kartoteka.api.services import Services
from kartoteka.contacts.model import Command, Outcome, Repeat
from kartoteka.errors import Forbidden, InvalidRequest, NotFound
from kartoteka.identity.model import Origin

MAX_ID = 2**63 - 1
MAX_PARAMETERS = 100
MAX_IDEMPOTENCY_KEY_CHARS = 255
REPEAT_WINDOW_S = 60
"""Wire 1.5: the same request within one minute is a repeat."""

_YES = frozenset(("true", "1", "yes", "on"))
_NO = frozenset(("false", "0", "no", "off", ""))


class InvalidParameter(InvalidRequest):
    """A parameter of the request is not valid."""

    code = "invalid_parameter"


class Call:
    """What an end point is given. `params` are those of the path, decoded."""

    __slots__ = (
        "_query",
        "at",
        "body",
        "caller",
        "headers",
        "params",
        "receive",
        "request_id",
        "route",
        "scope",
        "services",
    )

    def __init__(
        self,
        services: Services,
        route: Route,
        *,
        params: dict[str, str],
        scope: Any,
        receive: Receive,
        headers: dict[bytes, bytes],
        request_id: str,
    ) -> None:
        self.services = services
        self.route = route
        self.params = params
        self.scope = scope
        self.receive = receive
        self.headers = headers
        self.request_id = request_id
        self.at: datetime = services.clock.now()
        self.caller: Caller | None = None
        self.body = b""
        self._query: dict[str, str] | None = None

    @property
    def account(self) -> AccountContext:
        return self.require_caller().account

    def require_caller(self) -> Caller:
        """The caller of a route that needs a right."""
        assert self.caller is not None
        return self.caller

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters; of several with one name the last counts."""
        if self._query is None:
            raw = self.scope["query_string"]
            self._query = dict(_parse_query(raw)) if raw else {}
        return self._query

    def query_list(self, name: str) -> list[str]:
        """The elements of a list with commas between; a parameter that is repeated adds its own."""
        raw = self.scope["query_string"]
        texts = [text for known, text in _parse_query(raw) if known == name] if raw else []
        return [part for text in texts for one in text.split(",") if (part := one.strip())]

    def flag(self, name: str) -> bool:
        """A parameter that is true or false (also 1 or 0, as PHP spells it), false when absent."""
        if not self.scope["query_string"]:
            return False
        text = self.query.get(name, "").strip().lower()
        if text in _YES:
            return True
        if text in _NO:
            return False
        raise InvalidParameter(f"{name} must be true or false.")

    def path_id(self, name: str = "id") -> int:
        """A contact id of the path. Raises `NotFound` for one that no contact can have."""
        text = self.params[name]
        if not (text.isascii() and text.isdigit()):
            raise InvalidParameter(f"The {name} in the path must be a number.")
        if len(text) > 19 or not 0 < int(text) <= MAX_ID:
            raise NotFound("Contact not found: no contact has this id.")
        return int(text)

    def path_text(self, name: str, max_chars: int) -> str:
        """A text of the path, within its length and storable."""
        text = self.params[name]
        if not text.strip() or len(text) > max_chars or not _is_storable(text):
            raise InvalidParameter(f"The {name} in the path is not valid.")
        return text

    async def json_object(self, elements: str | None = None) -> dict[str, Any]:
        """The JSON object of the body. Raises what `bodies` raises.

        An empty body is an empty object where the route lets it be empty. `elements`: the member
        whose elements each stand for themselves.
        """
        self.body = await read_body(self.receive, self.headers, self.route.max_body_bytes)
        if self.route.body_optional and not self.body.strip():
            return {}
        return parse_object(self.body, self.headers.get(b"content-type"), elements)

    async def write(self, command: Command) -> Outcome:
        """Carry out one command for the caller's account; back after the commit."""
        return await self.services.engine.submit(self.account, command)

    def origin(self) -> Origin:
        """This request, as history keeps it."""
        return Origin(self.at, self.request_id, self.require_caller().key_id, self.route.operation)

    def needs(self, right: Rights) -> None:
        """Raises `Forbidden` when the key's rights do not reach: for what a parameter asks for."""
        if self.require_caller().rights < right:
            raise Forbidden

    def repeat(self, *, refusable: bool = False, part: int | None = None) -> Repeat | None:
        """How a repeat of this request is recognised (decisions D22), None if nobody asked.

        `refusable`: the method knows the vendor's 409. `part`: which command of a call with several.
        """
        key = self.headers.get(b"idempotency-key")
        refuse = refusable and self.account.settings.refuse_repeats
        if key is None and not refuse:
            return None
        text = None if key is None else _idempotency_key(key)
        if text is not None and part is not None:
            text = f"{text}#{part}"
        return Repeat(self._digest(part), text, REPEAT_WINDOW_S if refuse else 0)

    def _digest(self, part: int | None) -> bytes:
        digest = hashlib.sha256()
        for one in (
            self.scope["method"].encode(),
            self.scope["path"].rstrip("/").encode("utf-8", "surrogatepass"),
            self.scope["query_string"],
            str((self.require_caller().key_id, part)).encode(),
            self.body,
        ):
            digest.update(b"%d:" % len(one))
            digest.update(one)
        return digest.digest()


def _parse_query(raw: bytes) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(
            raw.decode("utf-8"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except ValueError:
        raise InvalidParameter("The query is not valid: UTF-8, at most 100 parameters.") from None
    if not all(_is_storable(text) for pair in pairs for text in pair):
        raise InvalidParameter("The query contains the character NUL.")
    return pairs


def _is_storable(text: str) -> bool:
    if text.isascii():
        return "\x00" not in text
    return "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def _idempotency_key(raw: bytes) -> str:
    text = raw.decode("latin-1").strip()
    if (
        not text
        or len(text) > MAX_IDEMPOTENCY_KEY_CHARS
        or not (text.isascii() and text.isprintable())
    ):
        raise InvalidParameter(
            f"Idempotency-Key must be 1 to {MAX_IDEMPOTENCY_KEY_CHARS} printable ASCII characters."
        )
    return text
