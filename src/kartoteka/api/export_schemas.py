"""Schemas of exports and their runs, as OpenAPI shows them."""

from __future__ import annotations

from typing import Any

from kartoteka.api.routing import Parameter, Schema
from kartoteka.exports.datasets import BY_NAME
from kartoteka.exports.model import RunState, State
from kartoteka.exports.targets import BY_NAME as TARGETS

_TEXT: Schema = {"type": "string"}
_MAYBE: Schema = {"type": ["string", "null"]}
_WHEN: Schema = {"type": ["string", "null"], "format": "date-time"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_ID: Schema = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}


def _object(required: str, **members: Any) -> Schema:
    return {"type": "object", "required": required.split(), "properties": members}


_NAME = {"description": "1 to 100 characters, unique.", "examples": ["warehouse"]}
_SETTINGS = {
    "description": "PostgreSQL: `url` (URI or key=value), `schema`, `rootCertificate` (PEM). BigQuery: "
    "`project`, `dataset`, `credentials` (the service account's JSON), `location`, `endpoint`. Files: "
    "`format` (parquet or csv) and `folder`, or `url` (s3://bucket/path), `accessKey`, `secretKey`, "
    "`region`, `endpoint`.",
    "examples": [{"url": "postgresql://export:secret@db.example:5432/shop", "schema": "public"}],
}
_DATASETS = {
    "description": f"Which data sets; all if not given: {', '.join(BY_NAME)}.",
    "examples": [["contacts", "devices", "orders"]],
}
_OPTIONS = {
    "description": "`keepRemoved`: removed contacts stay, marked by the column contactStatus.",
    "examples": [{"keepRemoved": False}],
}
_INTERVAL = {
    "description": "How often: 15m, 1h, 1d, or seconds. Default 1h; BigQuery 1d.",
    "examples": ["1h"],
}
_PAUSED = {"description": "true: it runs when it is told to.", "examples": [False]}

NEW: Schema = {
    "type": "object",
    "required": ["name", "target", "settings"],
    "properties": {
        "name": _NAME,
        "target": {"description": f"One of {', '.join(TARGETS)}.", "examples": ["postgres"]},
        "settings": _SETTINGS,
        "datasets": _DATASETS,
        "options": _OPTIONS,
        "interval": _INTERVAL,
        "paused": _PAUSED,
    },
}
CHANGE: Schema = {
    "type": "object",
    "properties": {
        "name": _NAME,
        "settings": _SETTINGS,
        "datasets": _DATASETS,
        "options": _OPTIONS,
        "interval": _INTERVAL,
        "paused": _PAUSED,
        "newColumns": {
            "description": "true: columns that were added after this export was made.",
            "examples": [True],
        },
    },
}
RUN: Schema = _object(
    "id exportId state by full rows bytes datasets error code createdAt",
    id=_ID,
    exportId=_ID,
    state={"enum": [one.value for one in RunState]},
    by={"enum": ["schedule", "request"]},
    full={"type": "boolean", "description": "Everything was asked to be written anew."},
    rows=_COUNT,
    bytes=_COUNT,
    seconds={"type": ["number", "null"]},
    datasets={"type": "object", "description": "rows, deleted, bytes, full and done of each."},
    error={**_MAYBE, "description": "What went wrong, in words."},
    code=_MAYBE,
    createdAt=_TEXT,
    startedAt=_WHEN,
    finishedAt=_WHEN,
)
EXPORT: Schema = _object(
    "id name target settings datasets options interval state health failures nextRun lastRun",
    id=_ID,
    name=_TEXT,
    target={"enum": list(TARGETS)},
    settings={"type": "object", "description": "Without secrets."},
    datasets={"type": "array", "items": {"enum": list(BY_NAME)}},
    options={"type": "object"},
    interval=_TEXT,
    state={"enum": [one.value for one in State]},
    health={"enum": ["ok", "failing"]},
    failures={**_COUNT, "description": "Runs that failed one after the other."},
    alertedAt={**_WHEN, "description": "Since when it counts as broken: after three failures."},
    newColumns={
        "type": "boolean",
        "description": "There are columns that this export does not have.",
    },
    nextRun=_WHEN,
    createdAt=_TEXT,
    lastRun={"oneOf": [RUN, {"type": "null"}]},
)
VALID: Schema = _object(
    "valid warnings",
    valid={"type": "boolean"},
    code=_TEXT,
    error=_TEXT,
    warnings={"type": "array", "items": _object("code message", code=_TEXT, message=_TEXT)},
)
EXPORT_ID = Parameter("id", "The export's id.", _ID, place="path", required=True)
WAIT = Parameter(
    "wait", "true: answer when the run is over, after 10 minutes at most.", {"type": "boolean"}
)
FULL = Parameter("full", "true: write everything anew.", {"type": "boolean"})
