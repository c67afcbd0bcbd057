"""Log lines tell what happened and nothing about anybody."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import sys

import msgspec
import pytest

from kartoteka.errors import KartotekaError
from kartoteka.log import RequestLine, log_request, logger, start_logging


@pytest.fixture
def log(monkeypatch):
    """Starts logging in a format and gives what is written; all is as before afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def start(log_format: str) -> io.StringIO:
        root.handlers.clear()
        written = io.StringIO()
        monkeypatch.setattr(sys, "stderr", written)
        start_logging(log_format)
        return written

    yield start
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def lines(log):
    """Starts JSON logging and gives what was logged."""
    written = log("json")
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_line_has_time_level_event_and_its_fields(lines):
    logger.info("key_created", key_id=7)
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "key_created", "key_id": 7, "level": "info"}


@pytest.mark.parametrize("log_format", ["json", "readable"])
def test_a_request_is_logged_as_any_other_line(log, log_format):
    """Its way is shorter, the line the same to the order of the fields; so in readable ones."""
    written = log(log_format)
    line = RequestLine("GET", "/api/v1/contact/{id}", 200, 1.5, "r-1", None)
    log_request(line)
    logger.info("request", **msgspec.structs.asdict(line))
    told = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "then", written.getvalue()).splitlines()
    assert len(told) == 2
    assert told[0] == told[1]
    assert "then" in told[0]


def test_an_error_is_logged_by_type_and_place_without_its_words(lines):
    try:
        int("alice@example.org")
    except ValueError:
        logger.error("failed", exc_info=True)
    (line,) = lines()
    assert line["error"] == "ValueError"
    assert "test_log.py" in line["trace"][-1]
    assert "alice" not in json.dumps(line)


def test_the_words_of_our_own_errors_are_kept(lines):
    logger.error("failed", exc_info=KartotekaError("The disk is full."))
    assert lines()[0]["reason"] == "The disk is full."


@pytest.mark.parametrize("name", ["uvicorn.error", "procrastinate", "asyncio", "elsewhere"])
def test_libraries_log_in_the_same_form_and_as_discreetly(lines, name):
    try:
        int("alice@example.org")
    except ValueError as error:
        logging.getLogger(name).exception("It broke\nfuture: %r", error)  # noqa: TRY401
    logging.getLogger(name).info("chatter about alice@example.org")
    (line,) = lines()
    assert (line["event"], line["error"]) == ("It broke", "ValueError")
    assert "alice" not in json.dumps(line)


async def test_a_task_whose_error_nobody_saw_says_nothing_of_its_words(lines):
    context = {"message": "Task exception was never retrieved", "exception": ValueError("alice@")}
    asyncio.get_running_loop().default_exception_handler(context)
    assert "alice" not in json.dumps(lines())


def test_people_get_readable_lines(log):
    written = log("readable")
    logger.info("key_created", key_id=7)
    assert "key_created" in written.getvalue()
    assert not written.getvalue().startswith("{")
