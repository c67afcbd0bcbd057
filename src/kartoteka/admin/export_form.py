"""The form of an export: its fields by target, turned into the body that the API takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from kartoteka.admin import texts
from kartoteka.admin.bodies import Fields
from kartoteka.errors import KartotekaError
from kartoteka.exports.asked import read_interval, read_name
from kartoteka.exports.errors import InvalidExport
from kartoteka.exports.targets import BY_NAME as TARGETS
from kartoteka.exports.targets.base import Surroundings

TARGET_FIELDS: dict[str, tuple[str, ...]] = {
    "postgres": ("url", "schema", "rootCertificate"),
    "bigquery": ("project", "dataset", "location", "credentials"),
    "files": ("format", "folder", "url", "accessKey", "secretKey", "region", "endpoint"),
}
"""Settings of each target, in the order of the form."""
SECRETS: dict[str, frozenset[str]] = {
    "postgres": frozenset(("url", "rootCertificate")),
    "bigquery": frozenset(("credentials",)),
    "files": frozenset(("secretKey",)),
}
"""Never shown again; left blank they stay as they are."""
REMOVABLE = frozenset(("rootCertificate",))
"""Secrets that a target can do without, so that the form takes them off."""
LONG = frozenset(("credentials", "rootCertificate"))
_PREFIX = "settings."
_REMOVES = "remove."
_IN_A_STORE = frozenset(("url", "accessKey", "secretKey", "region", "endpoint"))
_SOUND: dict[str, dict[str, Any]] = {
    "postgres": {"url": "postgresql://name@db.shop.example/shop"},
    "bigquery": {
        "project": "a-project",
        "dataset": "shop",
        "credentials": {"type": "service_account", "client_email": "x", "private_key": "x"},
    },
    "files": {"format": "csv", "folder": "shop"},
}
"""What stands in for fields that nobody filled in yet, while the others are looked at."""
_SOUND_STORE = {"url": "s3://bucket", "accessKey": "x", "secretKey": "x"}
_NAMED = re.compile(r"settings\.(\w+)")


def read_export_form(
    form: Fields, target: str, before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The body; `before` has the settings that an export has already. Raises `InvalidExport`."""
    body: dict[str, Any] = {"name": form.one("name"), "target": target}
    settings = read_target_settings(form, target, before or {})
    if before is None or settings != {name: one for name, one in before.items() if one}:
        body["settings"] = settings
    body["datasets"] = form.all("dataset")
    if interval := form.one("interval"):
        body["interval"] = interval
    body["options"] = {"keepRemoved": form.flag("keepRemoved")}
    return body


def read_target_settings(form: Fields, target: str, before: Mapping[str, Any]) -> dict[str, Any]:
    """What was filled in; a secret that is left blank, and what the form does not ask for, stays."""
    fields, secrets = TARGET_FIELDS.get(target, ()), SECRETS.get(target, frozenset())
    settings = {
        name: value
        for name, value in before.items()
        if value
        and (name in secrets or name not in fields)
        and not (name in REMOVABLE and form.flag(_REMOVES + name))
    }
    for name in fields:
        if text := form.one(_PREFIX + name):
            settings[name] = _value(name, text)
    return settings


def _value(name: str, text: str) -> Any:
    if name != "credentials":
        return text
    try:
        return msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, RecursionError):
        raise InvalidExport("The credentials must be the JSON of a service account.") from None


def problems_of(form: Fields, target: str, surroundings: Surroundings) -> dict[str, str]:
    """What is wrong with each field that is filled in, by its name in the form.

    Fields that nobody came to yet are not complained about. Looks names up: not for the event loop.
    """
    found: dict[str, str] = {}
    for name, read in (("name", read_name), ("interval", read_interval)):
        if text := form.one(name):
            try:
                read(text)
            except InvalidExport as error:
                found[name] = in_words(error.message, target)
    if not form.all("dataset"):
        found["dataset"] = str(texts.text("exports.no_datasets"))
    for name in TARGET_FIELDS.get(target, ()):
        if text := form.one(_PREFIX + name):
            try:
                TARGETS[target].read(_alone(target, name, text), surroundings)
            except KartotekaError as error:
                found[_PREFIX + name] = in_words(error.message, target)
    return found


def _alone(target: str, name: str, text: str) -> dict[str, Any]:
    """That field among others that are sound, so that what is wrong is wrong with it."""
    others = dict(_SOUND[target])
    if target == "files" and name in _IN_A_STORE:
        others |= _SOUND_STORE
    return others | {name: _value(name, text)}


def field_of(message: str) -> str:
    """The field of the form that an error names; blank when it names none."""
    if match := _NAMED.search(message):
        return _PREFIX + match[1]
    fields = {"name": "name", "interval": "interval", "datasets": "dataset"}
    return fields.get(message.partition(" ")[0], "")


def in_words(message: str, target: str) -> str:
    """An error with the labels of the form instead of the names of the API."""

    def label(match: re.Match[str]) -> str:
        return label_of(match[1], target)

    message = _NAMED.sub(label, message)
    for name in ("name", "interval", "datasets"):
        if message.startswith(name + " "):
            message = str(texts.text(f"exports.{name}")) + message.removeprefix(name)
    return message


def label_of(name: str, target: str) -> str:
    """What the form calls a setting."""
    key = f"export_setting.{target if name == 'url' else name}"
    return str(texts.text(key)) if texts.has(key) else name
