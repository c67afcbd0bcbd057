"""Files: Parquet or CSV, in a folder of the server or in an S3-compatible store.

A data set is one file that is replaced as a whole when something in it changed; events are one file a
month, and only months with changes are written. `kartoteka.json` beside them says what is there, and up
to which mark.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from kartoteka.exports.datasets import Dataset
from kartoteka.exports.errors import InvalidExport, TargetChanged
from kartoteka.exports.model import Done
from kartoteka.exports.targets.base import (
    Caution,
    Checked,
    Surroundings,
    Wanted,
    Work,
    digest,
    place_of,
)
from kartoteka.exports.targets.hosts import addresses_of
from kartoteka.exports.targets.parquet import need_pyarrow, write_parquet
from kartoteka.exports.targets.stores import Bucket, Folder, Store

FORMATS = ("parquet", "csv")
LIST = "kartoteka.json"
_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_MOST_PARTS = 10


class _Kind:
    name: str = "files"
    label: str = "Parquet or CSV files"
    default_interval_s: int = 86_400

    def read(self, raw_settings: Mapping[str, Any], surroundings: Surroundings) -> Checked:
        form = raw_settings.get("format") or "parquet"
        if form not in FORMATS:
            raise InvalidExport(f"settings.format must be {' or '.join(FORMATS)}.")
        if form == "parquet" or raw_settings.get("url"):
            need_pyarrow()
        if raw_settings.get("url"):
            return _read_bucket(raw_settings, form, surroundings)
        parts = _parts(raw_settings.get("folder"), "settings.folder")
        if not parts:
            raise InvalidExport("settings needs folder, a path under KARTOTEKA_EXPORT_DIR, or url.")
        shown = {"format": form, "folder": "/".join(parts)}
        place = place_of("files", surroundings.export_dir, *parts)
        return Checked({**shown, "parts": parts}, shown, place)

    def given(self, full: dict[str, Any]) -> dict[str, Any]:
        return {
            name: value for name, value in full.items() if name not in ("parts", "bucket", "prefix")
        }

    def open(self, uid: str, full: dict[str, Any], surroundings: Surroundings) -> Files:
        return Files(uid, full, _store(full, surroundings))


KIND = _Kind()


def _parts(raw: object, name: str) -> list[str]:
    """The steps of a relative path. Raises `InvalidExport` for dots, links to above and the like."""
    text = raw if isinstance(raw, str) else ""
    parts = [part for part in text.split("/") if part]
    if text.startswith("/") or len(parts) > _MOST_PARTS or not all(map(_PART.fullmatch, parts)):
        raise InvalidExport(
            f"{name} must be a relative path of letters, digits, dot, dash and underscore, without "
            "`..` and not beginning with a dot or slash."
        )
    return parts


def _read_bucket(settings: Mapping[str, Any], form: str, surroundings: Surroundings) -> Checked:
    url = urlsplit(settings["url"]) if isinstance(settings["url"], str) else None
    if url is None or url.scheme != "s3" or not _BUCKET.fullmatch(url.netloc):
        raise InvalidExport("settings.url must be s3://bucket/path.")
    prefix = _parts(url.path.lstrip("/"), "The path of settings.url")
    keys = {name: settings.get(name) for name in ("accessKey", "secretKey")}
    if not all(isinstance(value, str) and value for value in keys.values()):
        raise InvalidExport("settings needs accessKey and secretKey of the store.")
    endpoint = settings.get("endpoint") or None
    if endpoint is not None:
        _check_endpoint(endpoint, surroundings)
    region = settings.get("region") or None
    if region is not None and not (isinstance(region, str) and _PART.fullmatch(region)):
        raise InvalidExport("settings.region must be a region's name.")
    shown = {
        "format": form,
        "url": "s3://" + "/".join([url.netloc, *prefix]),
        "region": region,
        "endpoint": endpoint,
        "accessKey": keys["accessKey"],
    }
    full = {**shown, **keys, "bucket": url.netloc, "prefix": "/".join(prefix)}
    return Checked(full, shown, place_of("s3", endpoint, url.netloc, *prefix))


def _check_endpoint(endpoint: object, surroundings: Surroundings) -> None:
    parts = urlsplit(endpoint) if isinstance(endpoint, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidExport("settings.endpoint must be an http or https address.")
    addresses_of(parts.hostname, surroundings, only_if_known=True)


def _store(full: dict[str, Any], surroundings: Surroundings) -> Store:
    if "bucket" not in full:
        return Folder(surroundings.export_dir, tuple(full["parts"]))
    if full["endpoint"]:
        addresses_of(urlsplit(full["endpoint"]).hostname or "", surroundings)
    return Bucket(full, full["bucket"], full["prefix"])


class Files:
    """One place with the files of an export."""

    def __init__(self, uid: str, full: dict[str, Any], store: Store) -> None:
        self._uid = uid
        self._form: str = full["format"]
        self._store = store
        self._is_bucket = "bucket" in full
        self._endpoint: str = full.get("endpoint") or ""

    def abort(self) -> None:
        """Requests have timeouts of their own."""

    def close(self) -> None:
        self._store.close()

    def check(self, wanted: Sequence[Wanted]) -> list[Caution]:
        with self._store.writing(".kartoteka-check") as file:
            file.write(b"written to find out whether it can be\n")
        self._store.delete(".kartoteka-check")
        self.states(wanted)
        if self._is_bucket and self._endpoint.startswith("http://"):
            return [Caution("no_tls", "The connection is not encrypted. Use an https endpoint.")]
        return []

    def states(self, wanted: Sequence[Wanted]) -> dict[str, str | None]:
        known, sizes = self._list(), self._store.sizes()
        return {one.dataset.name: self._state(one, known, sizes) for one in wanted}

    def _state(self, wanted: Wanted, known: dict[str, Any], sizes: dict[str, int]) -> str | None:
        """The mark, where all files are as they were left and have the columns that are wanted."""
        one = known.get("datasets", {}).get(wanted.dataset.name)
        if known.get("export") != self._uid or not one:
            return None
        columns = [column.name for column in wanted.columns]
        if one.get("columns") != columns or one.get("format") != self._form:
            return None
        whole = all(sizes.get(name) == size for name, size in one["files"].items())
        mark: str | None = one["mark"] if whole else None
        return mark

    def _list(self) -> dict[str, Any]:
        """What `kartoteka.json` says; nothing where it cannot be read."""
        with suppress(ValueError):
            found = json.loads(self._store.read(LIST) or b"{}")
            if isinstance(found, dict):
                return found
        return {}

    def write(self, work: Work) -> None:
        known = self._list()
        if known.get("export") != self._uid:
            if known.get("export") is None and self._foreign(work.dataset):
                raise TargetChanged(
                    f"There are files of {work.dataset.name} here that no export keeps; choose another "
                    "folder, or move them."
                )
            known = {"export": self._uid, "datasets": {}}
        before = known["datasets"].get(work.dataset.name, {}).get("files", {})
        files = self._months(work, before) if work.dataset.month_of else self._whole(work)
        known["datasets"][work.dataset.name] = {
            "mark": digest(work.mark),
            "format": self._form,
            "columns": [column.name for column in work.columns],
            "files": files,
        }
        work.about_to_commit()
        with self._store.writing(LIST) as file:
            file.write(json.dumps(known, indent=1).encode())
        for name in set(before) - set(files):
            self._store.delete(name)

    def _foreign(self, dataset: Dataset) -> bool:
        names = self._store.sizes()
        return any(name.split("/")[0].split(".")[0] == dataset.name for name in names)

    def _whole(self, work: Work) -> dict[str, int]:
        name = f"{work.dataset.name}.{self._form}"
        return {name: self._file(name, work, None)}

    def _months(self, work: Work, before: dict[str, int]) -> dict[str, int]:
        """Months with changes are written anew, the others stay."""
        files = {} if work.full or work.erased else dict(before)
        for month in work.months(everything=work.full or work.erased):
            name = f"{work.dataset.name}/{month}.{self._form}"
            counted = work.done.rows
            files[name] = self._file(name, work, month)
            if work.done.rows == counted:
                del files[name]
                self._store.delete(name)
        return files

    def _file(self, name: str, work: Work, month: str | None) -> int:
        with self._store.writing(name) as file:
            if self._form == "parquet":
                write_parquet(
                    file, work.columns, work.everything("csv", month), work.done, work.check
                )
            else:
                _write_csv(file, work, month)
            size: int = file.tell()
        work.done.bytes += size
        return size


def _write_csv(file: Any, work: Work, month: str | None) -> None:
    """Comma, quotes where needed, UTF-8, a heading; what a spreadsheet would take for a formula begins
    with an apostrophe."""
    file.write((",".join(column.name for column in work.columns) + "\r\n").encode())
    done: Done = work.done
    for block in work.everything("spreadsheet", month):
        work.check()
        file.write(block)
        done.rows += _csv_rows(block)


def _csv_rows(block: bytes) -> int:
    """Rows in a block of whole rows: line ends outside quotes."""
    if b'"' not in block:
        return block.count(b"\n")
    return sum(part.count(b"\n") for part in block.split(b'"')[::2])
