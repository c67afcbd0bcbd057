"""The kinds of target: one module each, and the list."""

from __future__ import annotations

from kartoteka.exports.targets import bigquery, files, postgres
from kartoteka.exports.targets.base import TargetKind

TARGETS: tuple[TargetKind, ...] = (postgres.KIND, bigquery.KIND, files.KIND)
BY_NAME = {one.name: one for one in TARGETS}
