"""Settings of an export to BigQuery: what is taken of them, and what is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from kartoteka.exports.errors import InvalidExport, TargetDenied
from kartoteka.exports.targets.base import Checked, Surroundings, place_of
from kartoteka.exports.targets.hosts import addresses_of

_PROJECT = re.compile(r"(?:[a-z0-9.-]{1,60}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
_DATASET = re.compile(r"\w{1,1024}", re.ASCII)
_LOCATION = re.compile(r"[A-Za-z0-9-]{1,40}")
_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105  an address


def read_settings(raw: Mapping[str, Any], surroundings: Surroundings) -> Checked:
    """Raises `InvalidExport`, `TargetRefused`."""
    project = _text(raw, "project", _PROJECT)
    dataset = _text(raw, "dataset", _DATASET)
    location = _text(raw, "location", _LOCATION) if raw.get("location") else None
    endpoint = raw.get("endpoint") or None
    if endpoint is not None:
        _check_endpoint(endpoint, surroundings)
    credentials = _credentials(raw.get("credentials"))
    if credentials is None and endpoint is None:
        raise InvalidExport("settings.credentials must be the JSON key of a service account.")
    said = {"project": project, "dataset": dataset, "location": location, "endpoint": endpoint}
    shown = {**said, "account": credentials["client_email"] if credentials else None}
    place = place_of("bigquery", endpoint, project, dataset)
    return Checked({**said, "credentials": credentials}, shown, place)


def _text(settings: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = settings.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise InvalidExport(f"settings.{name} is missing or not valid for BigQuery.")
    return value


def _check_endpoint(endpoint: object, surroundings: Surroundings) -> None:
    parts = urlsplit(endpoint) if isinstance(endpoint, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidExport("settings.endpoint must be an http or https address.")
    addresses_of(parts.hostname, surroundings, only_if_known=True)


def _credentials(given: object) -> dict[str, str] | None:
    """The service account's key: an object, or its text. Only what is needed is kept."""
    if given is None or given == "":
        return None
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            given = None
    if (
        not isinstance(given, dict)
        or given.get("type") != "service_account"
        or not all(isinstance(given.get(one), str) for one in ("client_email", "private_key"))
    ):
        raise InvalidExport(
            "settings.credentials must be the JSON key of a service account (type service_account, "
            "client_email, private_key)."
        )
    # Where tokens come from is not for the file to say: it would be an address of anybody's choice.
    return {
        "type": "service_account",
        "client_email": given["client_email"],
        "private_key": given["private_key"],
        "private_key_id": str(given.get("private_key_id", "")),
        "token_uri": _TOKEN_URI,
    }


def token_source(credentials: dict[str, str] | None) -> Any:
    """What makes tokens of the key; without one nobody is asked for any. Raises `TargetDenied`."""
    if credentials is None:
        from google.auth.credentials import AnonymousCredentials

        return AnonymousCredentials()  # type: ignore[no-untyped-call]
    from google.oauth2.service_account import Credentials

    try:
        return Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
            credentials, scopes=["https://www.googleapis.com/auth/bigquery"]
        )
    except ValueError:
        raise TargetDenied("The private key of the service account cannot be read.") from None
