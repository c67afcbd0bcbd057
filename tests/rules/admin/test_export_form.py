"""The form of an export: what is wrong with each field, and what stays when it is left blank."""

from __future__ import annotations

from pathlib import Path

import pytest

from kartoteka.admin.bodies import Fields
from kartoteka.admin.export_form import TARGET_FIELDS, problems_of, read_export_form
from kartoteka.exports.errors import InvalidExport
from kartoteka.exports.targets import BY_NAME as TARGETS
from kartoteka.exports.targets.base import Surroundings

AROUND = Surroundings(allow_private=True, export_dir=Path("/nowhere"))
KEY = '{"type": "service_account", "client_email": "a@b.example", "private_key": "k"}'


def form(**fields: str) -> Fields:
    fields = {"dataset": "contacts", **fields}
    return Fields([(name.replace("__", "."), value) for name, value in fields.items()])


@pytest.mark.parametrize(
    ("target", "field", "value", "words"),
    [
        ("postgres", "settings.url", "nonsense", "Connection string is no connection string"),
        ("postgres", "settings.url", "postgresql://u@db.example", "must name a database"),
        ("postgres", "settings.schema", "x" * 64, "Schema must be"),
        ("postgres", "settings.rootCertificate", "nonsense", "PEM certificate"),
        ("bigquery", "settings.project", "!", "Project is missing or not valid"),
        ("bigquery", "settings.credentials", "{", "JSON of a service account"),
        ("bigquery", "settings.credentials", "{}", "JSON key of a service account"),
        ("files", "settings.folder", "../up", "must be a relative path"),
        ("files", "settings.url", "https://bucket", "s3://bucket/path"),
        ("files", "settings.endpoint", "ftp://x", "http or https"),
        ("postgres", "interval", "soon", "How often must be from 1m"),
        ("postgres", "name", "x" * 101, "Name must be a text"),
        ("postgres", "dataset", "", "at least one data set"),
    ],
)
def test_a_field_is_told_what_is_wrong_with_it_whatever_the_others_are(target, field, value, words):
    problems = problems_of(form(**{field: value}), target, AROUND)
    assert list(problems) == [field]
    assert words in problems[field]


@pytest.mark.parametrize("target", TARGETS)
def test_fields_that_nobody_came_to_are_not_complained_about(target):
    assert problems_of(form(), target, AROUND) == {}
    assert set(TARGET_FIELDS) == set(TARGETS)


@pytest.mark.parametrize(
    ("target", "settings"),
    [
        ("postgres", {"url": "postgresql://u:p%20w@db.example:5433/shop?sslmode=require", "schema": "s"}),
        ("bigquery", {"project": "a-project", "dataset": "d", "credentials": KEY}),
        ("files", {"format": "csv", "folder": "a/b"}),
        ("files", {"format": "csv", "url": "s3://bucket/x", "accessKey": "a", "secretKey": "b"}),
    ],
)  # fmt: skip
def test_what_is_left_blank_stays_as_it_is(target, settings):
    checked = TARGETS[target].read(settings, AROUND)
    given = TARGETS[target].given(checked.full)
    assert TARGETS[target].read(given, AROUND) == checked
    shown = {
        f"settings.{name}": str(checked.shown[name])
        for name in TARGET_FIELDS[target]
        if isinstance(checked.shown.get(name), str)
    }
    body = read_export_form(form(name="x", **shown), target, given)
    assert TARGETS[target].read(body.get("settings", given), AROUND) == checked
    assert "settings" not in body


def test_credentials_that_are_no_json_are_refused():
    with pytest.raises(InvalidExport):
        read_export_form(form(name="x", settings__credentials="{"), "bigquery")
