"""All jobs, in the order of the table; a new one is one file and one line here."""

from __future__ import annotations

from bench.jobs import (
    attach,
    bulk,
    csv_import,
    event,
    get_contact,
    lone_client,
    mixed,
    orders,
    post_known,
    post_new,
    search_contact,
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
    attach.JOB,
    csv_import.JOB,  # last: it makes the tables five times as large
)
BY_NAME = {job.name: job for job in JOBS}
