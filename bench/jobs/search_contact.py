"""Searching a contact by its External ID, as plug-ins do before they write."""

from __future__ import annotations

import random
from collections.abc import Iterator

from bench import people
from bench.jobs.base import LoadJob, Request, Stint


def requests(stint: Stint) -> Iterator[Request]:
    while True:
        number = 1 + int(random.random() * stint.contacts)
        path = f"/api/v1/contacts?externalCustomerId={people.external_id(number)}"
        yield people.get(stint, path), None


JOB = LoadJob(
    name="search-contact",
    title="`GET /api/v1/contacts?externalCustomerId=…`, 64 connections",
    requests=requests,
    floor="select_by_external_id",
    floor_says="select of the card through its External ID, select of its identifiers",
    target=0.25,
    goal=0.5,
    p99_ms=20,
    answer_holds=b'"externalCustomerId":"crm-',
)
