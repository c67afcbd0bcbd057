"""Bodies of requests about exports, read and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from kartoteka.exports.datasets import BY_NAME, read_datasets
from kartoteka.exports.errors import InvalidExport
from kartoteka.exports.model import Options
from kartoteka.exports.targets import BY_NAME as TARGETS
from kartoteka.exports.targets.base import Checked, Surroundings, TargetKind

SHORTEST_INTERVAL_S = 60
LONGEST_INTERVAL_S = 366 * 86_400
_MOST_NAME_CHARS = 100
_INTERVAL = re.compile(r"(\d{1,9})\s*(s|m|h|d|w)?", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A new export, as it was asked for."""

    name: str
    kind: TargetKind
    checked: Checked
    datasets: tuple[str, ...]
    options: Options
    interval_s: int
    paused: bool = False


def read_new(body: Mapping[str, Any], surroundings: Surroundings) -> Asked:
    """Raises `InvalidExport`, `TargetRefused`. Looks names up: not for the event loop."""
    kind = read_target(body.get("target"))
    return Asked(
        name=read_name(body.get("name")),
        kind=kind,
        checked=kind.read(read_settings(body.get("settings")), surroundings),
        datasets=tuple(BY_NAME)
        if body.get("datasets") is None
        else read_datasets(body["datasets"]),
        options=read_options(body.get("options")),
        interval_s=read_interval(body["interval"])
        if body.get("interval") is not None
        else kind.default_interval_s,
        paused=read_flag(body, "paused"),
    )


def read_target(raw: object) -> TargetKind:
    """The kind of target of that name."""
    if not isinstance(raw, str) or raw not in TARGETS:
        raise InvalidExport(f"target must be one of {', '.join(TARGETS)}.")
    return TARGETS[raw]


def read_settings(raw: object) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise InvalidExport("settings must be an object.")
    return raw


def read_name(raw: object) -> str:
    text = raw.strip() if isinstance(raw, str) else ""
    if not text or len(text) > _MOST_NAME_CHARS or not text.isprintable():
        raise InvalidExport(f"name must be a text of 1 to {_MOST_NAME_CHARS} characters.")
    return text


def read_interval(raw: object) -> int:
    """Seconds: `30m`, `1h`, `1d`, or a number of seconds."""
    match = None
    if isinstance(raw, str):
        match = _INTERVAL.fullmatch(raw.strip().lower())
    elif isinstance(raw, int) and not isinstance(raw, bool):
        match = _INTERVAL.fullmatch(str(raw))
    seconds = int(match[1]) * _SECONDS[match[2] or "s"] if match else 0
    if not SHORTEST_INTERVAL_S <= seconds <= LONGEST_INTERVAL_S:
        raise InvalidExport(
            "interval must be from 1m to 366d, such as 15m, 1h or 1d; a bare number is seconds."
        )
    return seconds


def interval_text(seconds: int) -> str:
    """`1h`, as it would be given."""
    for unit in ("w", "d", "h", "m"):
        if seconds % _SECONDS[unit] == 0:
            return f"{seconds // _SECONDS[unit]}{unit}"
    return f"{seconds}s"


def read_options(raw: object) -> Options:
    if raw is None:
        return Options()
    if not isinstance(raw, dict) or not set(raw) <= {"keepRemoved"}:
        raise InvalidExport("options may have keepRemoved: true or false.")
    return Options(keep_removed=read_flag(raw, "keepRemoved"))


def read_flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise InvalidExport(f"{name} must be true or false.")
    return value
