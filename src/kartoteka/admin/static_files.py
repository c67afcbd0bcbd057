"""Styles, script, fonts and icons: read once, served under a name that changes with their bytes."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from importlib import resources
from typing import Any

import msgspec

TYPES = {
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "svg": b"image/svg+xml",
    "woff2": b"font/woff2",
}
FOR_EVER = b"public, max-age=31536000, immutable"


class Asset(msgspec.Struct, frozen=True):
    """One file, ready to be sent."""

    body: bytes
    packed: bytes | None
    """The same in gzip, where that is smaller."""
    content_type: bytes
    mark: str
    """Twelve characters of its SHA-256: its address ends with them."""


@cache
def assets() -> dict[str, Asset]:
    """All files by their path under `static/`."""
    found: dict[str, Asset] = {}
    _walk(resources.files(__package__).joinpath("static"), "", found)
    return found


def _walk(folder: Any, prefix: str, found: dict[str, Asset]) -> None:
    for entry in folder.iterdir():
        if entry.is_dir():
            _walk(entry, f"{prefix}{entry.name}/", found)
        elif (kind := entry.name.rpartition(".")[2]) in TYPES:
            body = entry.read_bytes()
            packed = None if kind == "woff2" else gzip.compress(body, 9, mtime=0)
            mark = hashlib.sha256(body).hexdigest()[:12]
            found[prefix + entry.name] = Asset(body, packed, TYPES[kind], mark)


@cache
def address_of(name: str) -> str:
    """Where a page finds the file; another version has another address."""
    return f"/admin/static/{name}?v={assets()[name].mark}"
