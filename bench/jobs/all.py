"""All jobs, in the order of the table; a new one is one file and one line here."""

from __future__ import annotations

from bench.jobs import (
    attach,
    bulk,
    csv_import,
    event,
    exports,
    get_contact,
    lone_client,
    mixed,
    orders,
    pages,
    post_known,
    post_new,
    search_contact,
    segments,
    segments_fill,
)
from bench.jobs.base import Job

JOBS: tuple[Job, ...] = (
    post_known.JOB,
    post_new.JOB,
    event.JOB,
    lone_client.JOB,
    get_contact.JOB,
    search_contact.JOB,
    bulk.JOB,
    mixed.JOB,
    orders.JOB,
    exports.JOB,
    attach.JOB,
    segments.JOB,
    segments.EMPTY_JOB,
    *segments_fill.JOBS,
    csv_import.JOB,  # it makes the tables five times as large
    pages.JOB,  # behind them all
)
BY_NAME = {job.name: job for job in JOBS}
