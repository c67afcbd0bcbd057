"""The form of an export: its fields by target, turned into the body that the API takes."""

from __future__ import annotations

from typing import Any

import msgspec

from kartoteka.admin.bodies import Fields
from kartoteka.exports.errors import InvalidExport

TARGET_FIELDS: dict[str, tuple[str, ...]] = {
    "postgres": ("url", "schema", "rootCertificate"),
    "bigquery": ("project", "dataset", "location", "credentials"),
    "files": ("format", "folder", "url", "accessKey", "secretKey", "region", "endpoint"),
}
"""Settings of each target, in the order of the form."""
SECRET = frozenset(("url", "credentials", "secretKey", "rootCertificate"))
"""Never shown again."""
LONG = frozenset(("credentials", "rootCertificate"))
_PREFIX = "settings."


def read_export_form(form: Fields, target: str) -> dict[str, Any]:
    """The body. Raises `InvalidExport`."""
    body: dict[str, Any] = {"name": form.one("name"), "target": target}
    settings = read_target_settings(form, target)
    if settings:
        body["settings"] = settings
    datasets = form.all("dataset")
    if datasets:
        body["datasets"] = datasets
    if interval := form.one("interval"):
        body["interval"] = interval
    body["options"] = {"keepRemoved": form.flag("keepRemoved")}
    return body


def read_target_settings(form: Fields, target: str) -> dict[str, Any]:
    """What was filled in; blank fields are left out, and all blank means: as they are."""
    settings: dict[str, Any] = {}
    for name in TARGET_FIELDS.get(target, ()):
        if text := form.one(_PREFIX + name):
            settings[name] = _json(text) if name == "credentials" else text
    return settings


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, RecursionError):
        raise InvalidExport("The credentials must be the JSON of a service account.") from None
