"""Multipart bodies as they come in pieces: the file is whole on disk, or nothing of it is."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import zlib
from pathlib import Path
from typing import Any

import pytest

from kartoteka.api import unpacking
from kartoteka.api.bodies import ClientGone, InvalidBody
from kartoteka.api.errors import BodyTooSlow
from kartoteka.api.uploads import Form, is_form, receive_form
from kartoteka.errors import KartotekaError, TooLarge, UnsupportedMedia
from kartoteka.imports.arrivals import EmptyFile

HEADERS = {b"content-type": b"multipart/form-data; boundary=XX"}
FILE = b"email,firstName\r\nalice@example.com,Alice\r\n"
OPTIONS = b'{"unique": "email"}'


def part(name: str, content: bytes, file_name: str | None = None) -> bytes:
    file = "" if file_name is None else f'; filename="{file_name}"'
    head = f'--XX\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + content + b"\r\n"


END = b"--XX--\r\n"
WHOLE = part("file", FILE, "people.csv") + part("options", OPTIONS) + END


async def receive(
    body: bytes,
    folder: Path,
    *,
    headers: dict[bytes, bytes] | None = None,
    piece_bytes: int = 65_536,
    gone: bool = False,
) -> Form:
    """Send the body in pieces of that size; `gone`: the client hangs up in place of the end."""
    pieces = [body[at : at + piece_bytes] for at in range(0, len(body), piece_bytes)] or [b""]
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": one, "more_body": True} for one in pieces
    ]
    if gone:
        messages.append({"type": "http.disconnect"})
    messages[-1]["more_body"] = False
    waiting = iter(messages)

    async def next_message() -> dict[str, Any]:
        return next(waiting)

    return await receive_form(next_message, HEADERS | (headers or {}), folder)


def content_of(form: Form) -> bytes:
    return Path(form.file.path).read_bytes()


def mode_of(form: Form) -> int:
    return Path(form.file.path).stat().st_mode & 0o777


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("piece_bytes", [1, 7, 64, 65_536])
async def test_a_file_arrives_in_pieces_of_any_size(tmp_path: Path, piece_bytes: int):
    form = await receive(WHOLE, tmp_path, piece_bytes=piece_bytes)
    assert form.options == {"unique": "email"}
    assert content_of(form) == FILE
    assert (form.file.name, form.file.size) == ("people.csv", len(FILE))
    assert form.file.digest == hashlib.sha256(FILE).hexdigest()
    assert Path(form.file.path).parent == tmp_path
    assert mode_of(form) == 0o600


async def test_the_parts_may_come_in_any_order_and_others_are_ignored(tmp_path: Path):
    body = part("options", OPTIONS) + part("note", b"hello") + part("file", FILE, "a.csv") + END
    form = await receive(body, tmp_path)
    assert (form.options, form.file.size) == ({"unique": "email"}, len(FILE))


async def test_without_options_there_are_none(tmp_path: Path):
    assert (await receive(part("file", FILE, "a.csv") + END, tmp_path)).options == {}


async def test_a_name_may_be_coded_as_older_clients_do(tmp_path: Path):
    head = b"--XX\r\nContent-Disposition: form-data; name=\"file\"; filename*=UTF-8''%D0%AF.csv\r\n\r\n"
    form = await receive(head + FILE + b"\r\n" + END, tmp_path)
    assert form.file.name == "Я.csv"


async def test_a_file_may_hold_what_looks_like_a_boundary(tmp_path: Path):
    content = b"--X\r\n--XY\r\n\r\n--X" * 5_000
    form = await receive(part("file", content, "a.csv") + END, tmp_path, piece_bytes=13)
    assert content_of(form) == content


async def test_a_large_file_is_written_as_it_comes(tmp_path: Path):
    content = bytes(range(256)) * 20_000
    form = await receive(part("file", content, "a.csv") + END, tmp_path)
    assert form.file.digest == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("encoding", "pack"), [(b"gzip", gzip.compress), (b"deflate", zlib.compress)]
)
async def test_a_body_may_be_compressed(tmp_path: Path, encoding: bytes, pack: Any):
    headers = {b"content-encoding": encoding}
    form = await receive(pack(WHOLE), tmp_path, headers=headers, piece_bytes=5)
    assert content_of(form) == FILE


async def test_gzip_may_come_as_several_members(tmp_path: Path):
    body = gzip.compress(WHOLE[:40]) + gzip.compress(WHOLE[40:])
    form = await receive(body, tmp_path, headers={b"content-encoding": b"gzip"}, piece_bytes=9)
    assert content_of(form) == FILE


@pytest.mark.parametrize(
    ("body", "headers", "error"),
    [
        (b"", {}, InvalidBody),
        (WHOLE[:-4], {}, InvalidBody),
        (WHOLE[:60], {}, InvalidBody),
        (b"no multipart at all", {}, InvalidBody),
        (part("options", OPTIONS) + END, {}, InvalidBody),
        (part("file", FILE, "a.csv") * 2 + END, {}, InvalidBody),
        (part("options", b"{}") * 2 + part("file", FILE, "a.csv") + END, {}, InvalidBody),
        (part("file", FILE, "a.csv") + part("options", b"{") + END, {}, InvalidBody),
        (part("file", FILE, "a.csv") + part("options", b'"\\u0000"') + END, {}, InvalidBody),
        (part("file", b"", "a.csv") + END, {}, EmptyFile),
        (part("file", FILE, "a.csv") + part("options", b" " * 1_000_001) + END, {}, TooLarge),
        (b"".join(part(f"p{n}", b"") for n in range(40)) + END, {}, InvalidBody),
        (b"--XX\r\nContent-Disposition: attachment\r\n\r\nx\r\n" + END, {}, InvalidBody),
        (WHOLE, {b"content-type": b"multipart/form-data"}, InvalidBody),
        (WHOLE, {b"content-type": b"multipart/form-data; boundary=YY"}, InvalidBody),
        (WHOLE, {b"content-encoding": b"br"}, UnsupportedMedia),
        (WHOLE, {b"content-encoding": b"gzip"}, InvalidBody),
        (gzip.compress(WHOLE)[:-9], {b"content-encoding": b"gzip"}, InvalidBody),
        (WHOLE, {b"content-length": b"400000000"}, TooLarge),
    ],
    ids=[
        *("nothing", "cut off", "cut off in the file", "no multipart", "no file", "two files"),
        *("options twice", "options are no JSON", "options with NUL", "empty file"),
        *("options too large", "too many parts", "no form-data", "no boundary"),
        *("another boundary", "brotli", "no gzip", "gzip cut off", "said to be too large"),
    ],
)
async def test_what_cannot_be_read_is_refused_and_leaves_nothing(
    tmp_path: Path, body: bytes, headers: dict[bytes, bytes], error: type[KartotekaError]
):
    with pytest.raises(error):
        await receive(body, tmp_path, headers=headers)
    assert left_in(tmp_path) == []


async def test_a_file_is_counted_while_it_comes(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("kartoteka.api.uploads.MAX_FILE_BYTES", 1_000)
    monkeypatch.setattr("kartoteka.api.uploads._BESIDE_BYTES", 200)
    with pytest.raises(TooLarge):
        await receive(part("file", b"x" * 1_300, "a.csv") + END, tmp_path, piece_bytes=100)
    assert left_in(tmp_path) == []


async def test_a_bomb_is_stopped_by_its_size_unpacked(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("kartoteka.api.uploads.MAX_FILE_BYTES", 3_000_000)
    body = gzip.compress(part("file", b"\x00" * 50_000_000, "a.csv") + END)
    assert len(body) < 100_000
    with pytest.raises(TooLarge):
        await receive(body, tmp_path, headers={b"content-encoding": b"gzip"})
    assert left_in(tmp_path) == []


async def test_a_client_that_hangs_up_leaves_nothing(tmp_path: Path):
    with pytest.raises(ClientGone):
        await receive(part("file", b"x" * 5_000_000, "a.csv"), tmp_path, gone=True)
    assert left_in(tmp_path) == []


async def test_a_client_that_falls_silent_is_not_waited_for(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(unpacking, "IDLE_S", 0.05)
    messages = iter([{"type": "http.request", "body": WHOLE[:90], "more_body": True}])

    async def silent() -> Any:
        if (message := next(messages, None)) is None:
            await asyncio.sleep(60)
        return message

    with pytest.raises(BodyTooSlow):
        await receive_form(silent, HEADERS, tmp_path)
    assert left_in(tmp_path) == []


async def test_a_slow_client_is_waited_for_as_long_as_it_sends(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(unpacking, "IDLE_S", 0.2)
    pieces = [WHOLE[at : at + 30] for at in range(0, len(WHOLE), 30)]
    messages = iter(pieces)
    left = len(pieces)

    async def slow() -> Any:
        nonlocal left
        await asyncio.sleep(0.06)
        left -= 1
        return {"type": "http.request", "body": next(messages), "more_body": left > 0}

    assert len(pieces) * 0.06 > 0.2
    form = await receive_form(slow, HEADERS, tmp_path)
    assert form.file.size == len(FILE)


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (b"multipart/form-data; boundary=x", True),
        (b"Multipart/Form-Data;boundary=x", True),
        (b"application/json", False),
        (b"", False),
    ],
)
def test_what_counts_as_a_form(content_type: bytes, expected: bool):
    assert is_form({b"content-type": content_type}) is expected
