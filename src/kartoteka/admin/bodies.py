"""Forms as browsers send them: read within limits, every value storable text."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qsl

from kartoteka.errors import InvalidRequest, TooLarge

MAX_FORM_BYTES = 2_000_000
MAX_FIELDS = 5_000
BODY_WAIT_S = 30.0


class ClientGone(Exception):
    """The browser hung up: nobody waits for an answer."""


class Fields:
    """The fields of a form or query; of a name that comes twice `one` is the last."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    def one(self, name: str, default: str = "") -> str:
        """The value, trimmed."""
        for key, value in reversed(self._pairs):
            if key == name:
                return value.strip()
        return default

    def raw(self, name: str) -> str:
        """The value as it is: a password may begin with a blank."""
        return next((value for key, value in reversed(self._pairs) if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every value of that name, without blank ones."""
        return [text for key, value in self._pairs if key == name and (text := value.strip())]

    def has(self, name: str) -> bool:
        """Whether the form has that field at all."""
        return any(key == name for key, _ in self._pairs)

    def flag(self, name: str) -> bool:
        """Whether a checkbox is set."""
        return self.one(name) not in ("", "0", "off", "false")

    def number(self, name: str, default: int = 0) -> int:
        """A whole number from 0, or the default for what is none."""
        text = self.one(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else default

    def starting(self, prefix: str) -> dict[str, str]:
        """Fields whose names begin so, by the rest of the name."""
        return {
            key.removeprefix(prefix): value.strip()
            for key, value in self._pairs
            if key.startswith(prefix)
        }

    def pairs(self) -> list[tuple[str, str]]:
        """All of it, in order."""
        return list(self._pairs)


def parse_fields(raw: bytes) -> Fields:
    """The fields of a urlencoded text. Raises `InvalidRequest`."""
    try:
        pairs = parse_qsl(
            raw.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except ValueError:
        raise InvalidRequest("The form is not valid: UTF-8, at most 5,000 fields.") from None
    return Fields([(_storable(name), _storable(value)) for name, value in pairs])


def _storable(text: str) -> str:
    """Without what no text of the database can hold; line ends as one sign."""
    if text.isascii() and "\r" not in text and "\x00" not in text:
        return text
    text = text.replace("\r\n", "\n").replace("\x00", "")
    return text.encode("utf-8", "replace").decode("utf-8")


async def read_form(receive: Any, headers: dict[bytes, bytes]) -> Fields:
    """The fields of the body. Raises `TooLarge`, `InvalidRequest`, `ClientGone`."""
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared[:16]) > MAX_FORM_BYTES:
        raise TooLarge("The form is too large.")
    parts: list[bytes] = []
    size, more = 0, True
    try:
        async with asyncio.timeout(BODY_WAIT_S):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > MAX_FORM_BYTES:
                    raise TooLarge("The form is too large.")
                more = message.get("more_body", False)
    except TimeoutError:
        raise InvalidRequest("The form did not arrive in time.") from None
    return parse_fields(b"".join(parts))
