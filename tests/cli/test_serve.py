"""The server from its start to its end, as whoever operates it sees it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from kartoteka.db.embedded import running_url
from tests.conftest import API_KEY, COMMAND, clean_environment, free_port, launch_server

HEALTHY, UNAVAILABLE = 200, 503
WITHIN_S = 60


def run(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command to its end, with that data folder."""
    given = {"KARTOTEKA_DATA_DIR": str(folder), "KARTOTEKA_PORT": "0", **environment}
    return subprocess.run(
        [COMMAND, *arguments],
        env=clean_environment() | given,
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * WITHIN_S,
    )


def health(url: str) -> int:
    """The status of /health; 0 when nobody answers."""
    try:
        return httpx.get(f"{url}/health", timeout=WITHIN_S).status_code
    except httpx.HTTPError:
        return 0


def eventually(claim, timeout_s: float = 120) -> None:
    """Waits until `claim()` is true."""
    deadline = time.monotonic() + timeout_s
    while not claim():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def account(server) -> httpx.Response:
    path = f"{server.url}/api/v1/account/info"
    return httpx.get(path, auth=("", server.key), timeout=WITHIN_S)


def test_the_first_start_prints_key_and_admin_once_and_later_starts_only_the_address(
    start_server, tmp_path
):
    first = start_server(folder=tmp_path / "data", KARTOTEKA_API_KEY="")
    first.process.send_signal(signal.SIGINT)
    shown = "\n".join([*first.lines, first.process.stdout.read()])
    assert first.stop() == 0
    key = shown.partition("API key: ")[2].split()[0]
    assert "Admin login: admin" in shown
    assert "Admin password: " in shown

    again = start_server(folder=tmp_path / "data")
    again.key = key
    assert account(again).status_code == HEALTHY
    again.process.terminate()
    assert "key" not in again.process.stdout.read().lower()
    assert key not in again.log.read_text()


def test_nothing_is_left_running_after_a_clean_stop(start_server, tmp_path):
    server = start_server(KARTOTEKA_PROCESSES="2")
    family = psutil.Process(server.process.pid).children(recursive=True)
    assert len(family) > 3
    assert server.stop(signal.SIGTERM) == 0
    assert not [one for one in family if one.is_running() and one.status() != "zombie"]


def test_a_request_that_is_being_answered_is_finished_before_the_stop(start_server):
    server = start_server()
    host, port = server.url.removeprefix("http://").split(":")
    address = (host, int(port))
    with (
        socket.create_connection(address, timeout=WITHIN_S) as slow,
        socket.create_connection(address, timeout=WITHIN_S) as idle,
    ):
        idle.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(4096).startswith(b"HTTP/1.1 200")
        head = "POST /api/v1/contact HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
        key = httpx.BasicAuth("", server.key)._auth_header
        body = b'{"externalCustomerId":"finished"}'
        slow.sendall(f"{head}Authorization: {key}\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        assert slow.recv(4096).startswith(b"HTTP/1.1 100")  # it waits for the body
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        while idle.recv(4096):  # whoever stops hangs up where nothing is asked
            pass
        slow.sendall(body)
        assert slow.recv(4096).startswith(b"HTTP/1.1 200")
    stopping.join()
    assert server.process.returncode == 0


def test_a_second_server_on_the_folder_says_so_and_the_first_goes_on(start_server, tmp_path):
    server = start_server(folder=tmp_path / "data")
    second = run("serve", folder=tmp_path / "data")
    assert second.returncode == 2
    assert f"process {server.process.pid}" in second.stderr
    assert "Traceback" not in second.stderr
    assert health(server.url) == HEALTHY


def test_a_port_in_use_is_said_in_a_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = run("serve", folder=tmp_path / "data", KARTOTEKA_PORT=port)
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"Error: Port {port} on 127.0.0.1 is in use")
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"KARTOTEKA_PORT": "eighty"}, "Error: KARTOTEKA_PORT must be a whole number"),
        ({"KARTOTEKA_HOST": "203.0.113.9"}, "Error: This machine has no address 203.0.113.9"),
        ({"KARTOTEKA_DATA_DIR": "/proc/nowhere"}, "Error: The data folder /proc/nowhere cannot"),
        ({"KARTOTEKA_DATABASE_URL": "postgresql://h/d"}, "Error: With KARTOTEKA_DATABASE_URL"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_a_sentence(tmp_path, setting, sentence):
    refused = run("serve", folder=tmp_path / "data", **setting)
    assert refused.returncode == 2
    assert refused.stderr.startswith(sentence)
    assert "Traceback" not in refused.stderr


def test_another_secret_key_stops_the_start(start_server, tmp_path):
    start_server(folder=tmp_path / "data").stop()
    refused = run("serve", folder=tmp_path / "data", KARTOTEKA_SECRET_KEY="x" * 32)
    assert refused.returncode == 2
    assert "another secret key" in refused.stderr


def write(server, external_id: str) -> None:
    body = {"externalCustomerId": external_id}
    path, auth = f"{server.url}/api/v1/contact", ("", server.key)
    answer = httpx.post(path, json=body, auth=auth, timeout=WITHIN_S)
    assert answer.status_code == HEALTHY


def is_stored(server, external_id: str) -> bool:
    found = httpx.get(
        f"{server.url}/api/v1/contacts",
        params={"externalCustomerId": external_id},
        auth=("", server.key),
        timeout=WITHIN_S,
    )
    return external_id in found.text


def test_after_kill_9_of_the_server_its_children_end_and_it_starts_again(start_server, tmp_path):
    server = start_server(folder=tmp_path / "data", KARTOTEKA_PROCESSES="2")
    write(server, "kept-1")
    family = psutil.Process(server.process.pid).children(recursive=True)
    server.stop(signal.SIGKILL)
    again = start_server(folder=tmp_path / "data")
    assert is_stored(again, "kept-1")
    psutil.wait_procs(family, timeout=WITHIN_S)
    assert not [one for one in family if one.is_running() and one.status() != "zombie"]


def test_after_kill_9_of_everything_it_starts_again(start_server, tmp_path):
    server = start_server(folder=tmp_path / "data", KARTOTEKA_PROCESSES="2")
    write(server, "kept-2")
    parent = psutil.Process(server.process.pid)
    for process in [parent, *parent.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # children end when their parent is gone
            process.kill()
    server.stop(signal.SIGKILL)
    assert is_stored(start_server(folder=tmp_path / "data"), "kept-2")


def test_the_database_killed_is_started_again_and_health_says_so_meanwhile(start_server, tmp_path):
    server = start_server(folder=tmp_path / "data")
    write(server, "kept-3")
    (postgres,) = [
        one for one in psutil.Process(server.process.pid).children() if one.name() == "postgres"
    ]
    os.kill(server.process.pid, signal.SIGSTOP)  # so that it cannot help yet
    postgres.kill()
    eventually(lambda: health(server.url) == UNAVAILABLE)
    os.kill(server.process.pid, signal.SIGCONT)
    eventually(lambda: health(server.url) == HEALTHY)
    assert is_stored(server, "kept-3")


def test_a_worker_that_dies_is_replaced(start_server):
    server = start_server()
    workers = [
        one for one in psutil.Process(server.process.pid).children() if one.name() != "postgres"
    ]
    assert len(workers) == 2, "one answers, one carries out background work"
    for worker in workers:
        worker.kill()
    eventually(lambda: server.log.read_text().count("worker_restarted") == 2)
    eventually(lambda: health(server.url) == HEALTHY)


def test_while_the_database_is_away_at_the_start_everybody_is_asked_to_wait(tmp_path, postgres_url):
    port = str(free_port())
    server = launch_server(
        tmp_path / "data",
        KARTOTEKA_PORT=port,
        KARTOTEKA_SECRET_KEY="s" * 32,
        KARTOTEKA_DATABASE_URL=f"postgresql://me@/x?host={tmp_path}",
    )
    try:
        eventually(lambda: health(f"http://127.0.0.1:{port}") == UNAVAILABLE)
    finally:
        assert server.stop(signal.SIGTERM) == 0


def test_two_servers_share_a_database_of_their_own(empty_database_url, start_server, tmp_path):
    settings = {"KARTOTEKA_DATABASE_URL": empty_database_url, "KARTOTEKA_SECRET_KEY": "s" * 32}
    one = start_server(folder=tmp_path / "one" / "data", **settings)
    two = start_server(folder=tmp_path / "two" / "data", **settings)
    write(one, "shared")
    assert is_stored(two, "shared")
    assert not (tmp_path / "one" / "data").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv")
def test_an_ordinary_user_can_run_it_and_hears_when_the_folder_is_closed(tmp_path):
    # The capability only lets that user read this checkout, wherever it is.
    become = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    become += ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    place = tmp_path / "theirs"
    place.mkdir()
    refused = subprocess.run(
        [*become, COMMAND, "serve"],
        env=clean_environment() | {"KARTOTEKA_DATA_DIR": str(place / "data")},
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert refused.returncode == 2
    assert f"The data folder {place / 'data'} cannot be written (Permission denied)" in (
        refused.stderr
    )
    shutil.chown(place, "nobody", "nogroup")
    server = launch_server(place / "data", become=become).wait_until_ready()
    try:
        assert health(server.url) == HEALTHY
        assert (place / "data" / "postgres").stat().st_uid == place.stat().st_uid
    finally:
        assert server.stop() == 0


def test_a_worker_of_jobs_runs_beside_the_server_and_stops_when_told(start_server, tmp_path):
    start_server(folder=tmp_path / "data")
    with subprocess.Popen(
        [COMMAND, "worker"],
        env=clean_environment() | {"KARTOTEKA_DATA_DIR": str(tmp_path / "data")},
        stderr=subprocess.PIPE,
    ) as worker:
        assert worker.stderr is not None
        assert b"worker_started" in worker.stderr.readline()
        eventually(lambda: jobs_workers(running_url(tmp_path / "data")) == 2)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(WITHIN_S) == 0


def jobs_workers(url: str) -> int:
    import psycopg

    with psycopg.connect(url) as connection:
        (count,) = connection.execute("select count(*) from procrastinate_workers").fetchone()
    return count


def test_commands_without_a_server_say_how_to_start_one(tmp_path):
    alone = run("db", "url", folder=tmp_path / "data")
    assert alone.returncode == 1
    assert "kartoteka serve" in alone.stderr
    assert API_KEY not in alone.stderr
