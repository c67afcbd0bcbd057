"""Options of `kartoteka export`, and the bodies that they come to."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def settings_options(command: Callable[..., None]) -> Callable[..., None]:
    """Where to: the options that say what kind of target it is."""
    for option in reversed(
        (
            click.option(
                "--url",
                metavar="URL",
                help="postgresql://… or key=value of libpq; s3://bucket/path for files; - reads it from "
                "the input, so that a password stands in no list of processes.",
            ),
            click.option(
                "--schema", default=None, help="PostgreSQL: the schema.  [default: public]"
            ),
            click.option(
                "--root-certificate",
                type=click.Path(exists=True, dir_okay=False, path_type=Path),
                help="PostgreSQL: the PEM file of whoever signed the server's certificate.",
            ),
            click.option("--project", help="BigQuery: the project."),
            click.option("--bigquery-dataset", help="BigQuery: the dataset."),
            click.option("--location", help="BigQuery: where the dataset is made, such as EU."),
            click.option(
                "--credentials",
                type=click.Path(exists=True, dir_okay=False, path_type=Path),
                help="BigQuery: the JSON key of a service account.",
            ),
            click.option("--endpoint", help="Another address of BigQuery or of the S3 store."),
            click.option("--folder", help="Files: a folder under KARTOTEKA_EXPORT_DIR."),
            click.option("--format", "form", type=click.Choice(["parquet", "csv"]), help="Files."),
            click.option(
                "--access-key", help="S3: the key's id; AWS_SECRET_ACCESS_KEY has its secret."
            ),
            click.option("--region", help="S3: the region."),
        )
    ):
        command = option(command)
    return command


def new_options(command: Callable[..., None]) -> Callable[..., None]:
    """What is exported, and how often."""
    for option in reversed(
        (
            click.option(
                "--dataset",
                "datasets",
                metavar="NAME",
                multiple=True,
                help="A data set, several times; all if not given (see `export datasets`).",
            ),
            click.option(
                "--every",
                metavar="INTERVAL",
                help="15m, 1h, 1d …  [default: 1h; BigQuery, files 1d]",
            ),
            click.option("--keep-removed", is_flag=True, help="Keep removed contacts, marked so."),
            click.option("--paused", is_flag=True, help="Run it only when told to."),
        )
    ):
        command = option(command)
    return command


def read_body(asked: dict[str, Any], *, is_change: bool = False) -> dict[str, Any]:
    """The options of the command line as the API's JSON."""
    settings, target = _settings(asked)
    if target is None and not is_change:
        raise click.UsageError(
            "Say where to: --url, --project with --bigquery-dataset, or --folder."
        )
    body: dict[str, Any] = {"settings": settings} if target else {}
    if not is_change:
        body["target"] = target
        body["options"] = {"keepRemoved": asked["keep_removed"]}
        body["paused"] = asked["paused"]
    if asked["datasets"]:
        body["datasets"] = list(asked["datasets"])
    if asked["every"]:
        body["interval"] = asked["every"]
    return body


def _settings(asked: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """(settings, kind of target); no kind where nothing says it."""
    url = sys.stdin.read().strip() if asked["url"] == "-" else asked["url"]
    if asked["project"] or asked["bigquery_dataset"]:
        credentials = asked["credentials"]
        return {
            "project": asked["project"],
            "dataset": asked["bigquery_dataset"],
            "location": asked["location"],
            "endpoint": asked["endpoint"],
            "credentials": json.loads(credentials.read_text("utf-8")) if credentials else None,
        }, "bigquery"
    if asked["folder"]:
        return {"folder": asked["folder"], "format": asked["form"]}, "files"
    if url and url.startswith("s3://"):
        return {
            "url": url,
            "format": asked["form"],
            "region": asked["region"],
            "endpoint": asked["endpoint"],
            "accessKey": asked["access_key"],
            "secretKey": os.environ.get("AWS_SECRET_ACCESS_KEY"),
        }, "files"
    if url:
        certificate = asked["root_certificate"]
        return {
            "url": url,
            "schema": asked["schema"],
            "rootCertificate": certificate.read_text("ascii") if certificate else None,
        }, "postgres"
    return {}, None
