"""Exports over HTTP and from the command line (issue: part 5; decisions D21, D35)."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psycopg
import pytest

from kartoteka.db.embedded import running_url
from kartoteka.exports.datasets import BY_NAME
from tests.api.conftest import COMMAND
from tests.conftest import clean_environment, fresh_database


@pytest.fixture(scope="module")
def warehouse(postgres_url: str) -> Iterator[str]:
    with fresh_database(postgres_url, template="template0") as url:
        yield url


@pytest.fixture
def body(warehouse: str, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "target": "postgres",
        "settings": {"url": warehouse, "schema": name},
        "datasets": ["contacts", "devices"],
        "interval": "1h",
    }


def rows(url: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(sql).fetchall()  # type: ignore[call-overload,no-any-return]


def test_an_export_from_making_it_to_deleting_it(api, body, warehouse, name):
    contact = {
        "externalCustomerId": name,
        "channels": [{"type": "email", "value": f"{name}@x.example"}],
    }
    api.post("/api/v1/contact", json=contact)
    made = api.post("/api/v1/exports", json=body)
    assert made.status_code == 200, made.text
    one = made.json()
    assert one["datasets"] == ["contacts", "devices"]
    assert (one["interval"], one["state"], one["target"]) == ("1h", "active", "postgres")
    path = f"/api/v1/exports/{one['id']}"

    queued = api.post(f"{path}/run")
    assert queued.json()["state"] in ("queued", "running", "finished")
    run = api.post(f"{path}/run", params={"wait": "true"}).json()
    assert run["state"] == "finished", run
    found = rows(warehouse, f'select "externalCustomerId" from "{name}".contacts')
    assert (name,) in found

    runs = api.get(f"{path}/runs")
    assert int(runs.headers["TotalCount"]) == len(runs.json())
    assert runs.json()[0]["id"] == run["id"]
    assert [one["id"] for one in runs.json()] == sorted(
        (one["id"] for one in runs.json()), reverse=True
    )

    assert api.post(f"{path}/pause").json()["state"] == "paused"
    assert api.get(path).json()["nextRun"] is None
    run = api.post(f"{path}/run", params={"wait": "true"}).json()
    assert run["state"] == "finished"  # told to, it runs all the same
    assert api.post(f"{path}/resume").json()["state"] == "active"
    changed = api.patch(path, json={"interval": "15m", "datasets": ["contacts"]}).json()
    assert (changed["interval"], changed["datasets"]) == ("15m", ["contacts"])
    assert changed["lastRun"]["state"] == "finished"

    assert one["id"] in [each["id"] for each in api.get("/api/v1/exports").json()]
    gone = api.delete(path)
    assert gone.text == f"Export with id='{one['id']}' has been deleted"
    assert api.get(path).status_code == 404
    assert api.post(f"{path}/run").status_code == 404
    assert rows(warehouse, f'select count(*) from "{name}".contacts') == [(len(found),)]


def test_a_new_export_begins_by_itself(api, body, warehouse, name):
    one = api.post("/api/v1/exports", json=body).json()
    run = api.post(f"/api/v1/exports/{one['id']}/run?wait=true").json()
    assert run["state"] == "finished"
    by = {each["by"] for each in api.get(f"/api/v1/exports/{one['id']}/runs").json()}
    assert "request" in by


@pytest.mark.parametrize("rights", ["contacts", "contacts_write", "events"])
def test_only_a_full_key_makes_exports(server, keys, body, rights):
    with httpx.Client(base_url=server.url, auth=("", keys[rights]), timeout=120) as client:
        assert client.post("/api/v1/exports", json=body).status_code == 403
        assert client.post("/api/v1/exports/validate", json=body).status_code == 403
        assert client.get("/api/v1/exports").status_code == 403


def test_a_secret_is_never_shown_nor_logged(api, server, body, warehouse, name):
    secret = f"sesame-{name}"
    settings = {"url": f"postgresql://somebody:{secret}@127.0.0.1:1/shop"}
    answers = [api.post("/api/v1/exports/validate", json={**body, "settings": settings})]
    answers.append(api.post("/api/v1/exports", json={**body, "settings": settings}))
    path = f"/api/v1/exports/{answers[-1].json()['id']}"
    answers += [api.post(f"{path}/run?wait=true"), api.get(path), api.get(f"{path}/runs")]
    answers += [api.patch(path, json={"interval": "2h"}), api.get("/api/v1/exports")]
    for answer in answers:
        assert answer.status_code == 200
        assert secret not in answer.text
    assert answers[2].json()["state"] == "failed"
    assert answers[2].json()["code"] == "export_target_unreachable"
    assert secret not in server.log.read_text()


def test_validate_tells_without_writing(api, body, warehouse, name):
    assert api.post("/api/v1/exports/validate", json=body).json() == {"valid": True, "warnings": []}
    assert rows(warehouse, f"select 1 from pg_namespace where nspname = '{name}'") == []
    wrong = {**body, "settings": {"url": "postgresql://a@127.0.0.1:1/b"}}
    found = api.post("/api/v1/exports/validate", json=wrong).json()
    assert (found["valid"], found["code"]) == (False, "export_target_unreachable")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"target": "oracle"}, "target must be one of postgres, bigquery, files"),
        ({"target": None}, "target must be one of"),
        ({"settings": None}, "settings must be an object"),
        ({"settings": {}}, "settings.url"),
        ({"settings": {"url": "postgresql://a@b/c", "schema": "pg_catalog"}}, "schema of yours"),
        ({"datasets": ["messages"]}, "messages is not exported"),
        ({"datasets": ["people"]}, "There is no data set 'people'"),
        ({"datasets": []}, "datasets must be a list"),
        ({"interval": "5s"}, "interval must be from 1m"),
        ({"name": ""}, "name must be"),
        ({"options": {"x": 1}}, "options may have keepRemoved"),
        ({"paused": "yes"}, "paused must be true or false"),
    ],
)
def test_what_is_wrong_is_said(api, body, change, words):
    answer = api.post("/api/v1/exports", json={**body, **change})
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_export"
    assert words in answer.json()["message"]


def test_the_services_own_database_is_refused_when_an_export_is_made(api, server, body):
    """Issue 6. Other names of it are found out when it is connected to (tests/exports)."""
    url = running_url(server.log.parent / "data")
    told = api.post("/api/v1/exports", json={**body, "settings": {"url": url, "schema": "x"}})
    assert (told.status_code, told.json()["code"]) == (400, "export_target_refused")
    assert "own database" in told.json()["message"]
    one = api.post("/api/v1/exports", json=body).json()
    change = api.patch(f"/api/v1/exports/{one['id']}", json={"settings": {"url": url}})
    assert (change.status_code, change.json()["code"]) == (400, "export_target_refused")


def test_the_same_name_twice_is_a_conflict(api, body):
    assert api.post("/api/v1/exports", json=body).status_code == 200
    again = api.post("/api/v1/exports", json={**body, "datasets": ["orders"]})
    assert (again.status_code, again.json()["code"]) == (409, "export_exists")


def test_what_can_be_exported_is_listed_with_what_is_left_out(api):
    found = api.get("/api/v1/exports/datasets").json()
    assert [one["name"] for one in found["datasets"]] == list(BY_NAME)
    left_out = [one["name"] for one in found["leftOut"]]
    assert left_out == ["contactActivities", "messages", "broadcasts", "revenue"]


def test_metrics_tell_of_failing_exports(api, body, name):
    settings = {"url": "postgresql://a@127.0.0.1:1/b"}
    one = api.post("/api/v1/exports", json={**body, "settings": settings, "paused": True}).json()
    for _ in range(3):
        api.post(f"/api/v1/exports/{one['id']}/run?wait=true")
    text = api.get("/metrics").text
    line = next(one for one in text.splitlines() if one.startswith("kartoteka_exports_failing{"))
    assert float(line.rpartition(" ")[2]) >= 1


def command(server: Any, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "export", *words],
        env={**clean_environment(), "KARTOTEKA_DATA_DIR": str(server.log.parent / "data")},
        capture_output=True,
        text=True,
        check=False,
        **more,
    )


def test_the_command_line_does_the_same(server, warehouse, name):
    made = command(
        server,
        "create",
        name,
        "--url",
        "-",
        "--schema",
        name,
        "--dataset",
        "contacts",
        "--every",
        "2h",
        input=warehouse,
    )
    assert made.returncode == 0, made.stderr
    assert f"({name}) is made: PostgreSQL" in made.stdout
    ran = command(server, "run", name, "--wait")
    assert ran.returncode == 0, ran.stderr
    assert "is finished after" in ran.stdout
    assert rows(warehouse, f'select count(*) from "{name}".contacts') != []
    listed = command(server, "list")
    assert name in listed.stdout
    shown = command(server, "show", name)
    assert "every 2h, active" in shown.stdout
    assert "finished" in command(server, "runs", name).stdout
    assert "is paused" in command(server, "pause", name).stdout
    assert "goes on" in command(server, "resume", name).stdout
    assert command(server, "change", name, "--every", "15m").returncode == 0
    assert "The target can be used." in command(server, "validate", name).stdout
    assert "is deleted" in command(server, "delete", name).stdout
    unknown = command(server, "show", name)
    assert unknown.returncode == 1
    assert f"There is no export '{name}'" in unknown.stderr


def eventually(holds: Callable[[], bool], within_s: float = 120) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_who_is_in_which_segment_follows(api, body, warehouse, name):
    """Dynamic ones too: flips, another definition, deletion."""
    one = api.post(
        "/api/v1/exports",
        json={**body, "datasets": ["segments", "segmentMembers"], "paused": True},
    ).json()

    def members(segment_id: int) -> int:
        run = api.post(f"/api/v1/exports/{one['id']}/run?wait=true").json()
        assert run["state"] == "finished", run
        sql = f'select count(*) from "{name}"."segmentMembers" where "segmentId" = {segment_id}'
        ((count,),) = rows(warehouse, sql)
        return int(count)

    people = [f"{name}-{n}" for n in range(3)]
    for person in people:
        email = {"type": "email", "value": f"{person}@x.example"}
        contact = {"externalCustomerId": person, "firstName": "Ganna", "channels": [email]}
        assert api.post("/api/v1/contact", json=contact).status_code == 200
    condition = {"field": "firstName", "operator": "equals", "value": "Ganna"}
    made = api.post("/api/v1/segments", json={"name": name, "condition": condition})
    assert made.status_code == 200, made.text
    segment_id = made.json()["id"]
    eventually(lambda: members(segment_id) == 3)
    api.post("/api/v1/contact", json={"externalCustomerId": people[0], "firstName": "Olha"})
    assert members(segment_id) == 2
    assert api.delete(f"/api/v1/segments/{segment_id}").status_code == 200
    eventually(lambda: members(segment_id) == 0)
