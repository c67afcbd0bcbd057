"""Reading one contact by its id."""

from __future__ import annotations

import random
from collections.abc import Iterator

from bench import people
from bench.jobs.base import LoadJob, Request, Stint


def requests(stint: Stint) -> Iterator[Request]:
    """Contact ids of the seeded people are their numbers."""
    while True:
        number = 1 + int(random.random() * stint.contacts)
        yield people.get(stint, f"/api/v1/contact/{number}"), None


JOB = LoadJob(
    name="get-contact",
    title="`GET /api/v1/contact/{id}`, 64 connections",
    requests=requests,
    floor="select_by_id",
    floor_says="select of the card by its id, select of its identifiers",
    target=0.25,
    goal=0.5,
    p99_ms=20,
    answer_holds=b'"externalCustomerId":"crm-',
)
