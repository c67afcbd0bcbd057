"""What is taken of settings of targets, and what is refused."""

from __future__ import annotations

import psycopg
import pytest

from kartoteka.exports.asked import interval_text, read_interval, read_name, read_options
from kartoteka.exports.errors import InvalidExport, TargetFailed, TargetRefused
from kartoteka.exports.targets import bigquery, files, postgres
from kartoteka.exports.targets.base import Surroundings
from kartoteka.exports.targets.postgres_errors import in_words
from tests.exports.tls_front import Authority


@pytest.fixture
def here(tmp_path):
    return Surroundings(allow_private=True, export_dir=tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://an:p%40ss@127.0.0.1:5433/shop?sslmode=require&application_name=x&passfile=/etc/passwd",
        "host=127.0.0.1 port=5433 dbname=shop user=an password='p@ss' sslmode=require sslkey=/etc/shadow",
    ],
)
def test_only_six_things_of_a_connection_string_are_taken(here, url):
    checked = postgres.KIND.read({"url": url}, here)
    assert checked.full["parts"] == {
        "host": "127.0.0.1",
        "port": "5433",
        "dbname": "shop",
        "user": "an",
        "password": "p@ss",
        "sslmode": "require",
    }
    assert "p@ss" not in repr(checked.shown)
    assert checked.shown["schema"] == "public"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"url": 5},
        {"url": " "},
        {"url": "mysql://a/b"},
        {"url": "postgresql:///shop"},
        {"url": "postgresql://127.0.0.1"},
        {"url": "postgresql://127.0.0.1,127.0.0.2/shop"},
        {"url": "postgresql://127.0.0.1:0/shop"},
        {"url": "postgresql://127.0.0.1/shop?sslmode=maybe"},
        {"url": "postgresql://127.0.0.1/shop", "schema": "x" * 64},
        {"url": "postgresql://127.0.0.1/shop", "schema": 5},
        {"url": "postgresql://127.0.0.1/shop", "rootCertificate": "/etc/passwd"},
    ],
)
def test_what_is_no_connection_is_refused(here, settings):
    with pytest.raises(InvalidExport):
        postgres.KIND.read(settings, here)


def test_a_root_certificate_asks_for_a_verified_connection(here):
    url = "postgresql://127.0.0.1/shop"
    root = Authority("Shop").pem
    checked = postgres.KIND.read({"url": url, "rootCertificate": root}, here)
    assert checked.shown["sslmode"] == "verify-full"
    assert checked.shown["rootCertificate"] is True


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "[::1]", "192.168.0.1"])
def test_own_networks_are_closed_where_the_setting_says_so(host, tmp_path):
    closed = Surroundings(allow_private=False, export_dir=tmp_path)
    with pytest.raises(TargetRefused):
        postgres.KIND.read({"url": f"postgresql://{host}/shop"}, closed)
    with pytest.raises(TargetRefused):
        postgres.KIND.read({"url": "postgresql:///shop?host=/var/run/postgresql"}, closed)


def test_metadata_services_are_closed_always(here):
    for read, settings in (
        (postgres.KIND.read, {"url": "postgresql://169.254.169.254/shop"}),
        (
            bigquery.KIND.read,
            {"project": "my-shop", "dataset": "d", "endpoint": "http://169.254.169.254"},
        ),
        (
            files.KIND.read,
            {
                "url": "s3://bucket/x",
                "accessKey": "a",
                "secretKey": "b",
                "endpoint": "http://169.254.169.254",
            },
        ),
    ):
        with pytest.raises(TargetRefused):
            read(settings, here)


@pytest.mark.parametrize(
    "folder",
    ["", "/", "/etc", "..", "a/../b", "a/..", ".hidden", "a\\b", "a\0b", "a b", None, 5, "a/" * 11],
)
def test_folders_lie_below_the_export_folder(here, folder):
    with pytest.raises(InvalidExport):
        files.KIND.read({"folder": folder}, here)


def test_a_folder_and_a_bucket(here):
    assert files.KIND.read({"folder": "daily/shop-1"}, here).shown["folder"] == "daily/shop-1"
    settings = {"url": "s3://my-bucket/a/b", "accessKey": "AK", "secretKey": "topsecret"}
    checked = files.KIND.read(settings, here)
    assert (checked.full["bucket"], checked.full["prefix"]) == ("my-bucket", "a/b")
    assert "topsecret" not in repr(checked.shown)


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "s3://my-bucket/a"},
        {"url": "s3://my-bucket/../a", "accessKey": "a", "secretKey": "b"},
        {"url": "s3://My_Bucket/a", "accessKey": "a", "secretKey": "b"},
        {"url": "http://my-bucket/a", "accessKey": "a", "secretKey": "b"},
        {"folder": "a", "format": "xml"},
    ],
)
def test_what_is_no_place_for_files_is_refused(here, settings):
    with pytest.raises(InvalidExport):
        files.KIND.read(settings, here)


ACCOUNT = {"type": "service_account", "client_email": "a@b.c", "private_key": "topsecret"}


def test_of_a_service_account_only_the_key_is_taken(here):
    """Where tokens come from is not for the file to say."""
    given = {**ACCOUNT, "token_uri": "http://127.0.0.1/steal"}
    settings = {"project": "my-shop", "dataset": "crm", "credentials": given}
    checked = bigquery.KIND.read(settings, here)
    assert checked.full["credentials"]["token_uri"] == "https://oauth2.googleapis.com/token"
    assert "topsecret" not in repr(checked.shown)
    assert checked.shown["account"] == "a@b.c"


@pytest.mark.parametrize(
    "settings",
    [
        {"project": "my-shop", "dataset": "crm"},
        {"project": "my shop", "dataset": "crm", "credentials": ACCOUNT},
        {"project": "my-shop", "dataset": "c-r-m", "credentials": ACCOUNT},
        {"project": "my-shop", "dataset": "crm", "credentials": "{"},
        {"project": "my-shop", "dataset": "crm", "credentials": {"type": "authorized_user"}},
        {"project": "my-shop", "dataset": "crm", "endpoint": "ftp://x"},
    ],
)
def test_what_is_no_bigquery_is_refused(here, settings):
    with pytest.raises(InvalidExport):
        bigquery.KIND.read(settings, here)


@pytest.mark.parametrize(
    ("raw", "seconds"),
    [("1h", 3600), ("15m", 900), ("1d", 86_400), (900, 900), ("90", 90), (" 2H ", 7200)],
)
def test_intervals(raw, seconds):
    assert read_interval(raw) == seconds
    assert read_interval(interval_text(seconds)) == seconds


@pytest.mark.parametrize(
    "raw", ["", "1y", "-1h", 0, "59s", True, None, 1.5, "9999d", [], "1h 5m", "９０"]
)
def test_what_is_no_interval_is_refused(raw):
    with pytest.raises(InvalidExport):
        read_interval(raw)


@pytest.mark.parametrize("raw", ["", "  ", None, 5, "x" * 101, "a\nb"])
def test_what_is_no_name_is_refused(raw):
    with pytest.raises(InvalidExport):
        read_name(raw)


@pytest.mark.parametrize("raw", [5, [], {"keepRemoved": "yes"}, {"other": True}])
def test_what_are_no_options_is_refused(raw):
    with pytest.raises(InvalidExport):
        read_options(raw)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (psycopg.errors.DiskFull, "export_target_full"),
        (psycopg.errors.OutOfMemory, "export_target_full"),
        (psycopg.errors.InsufficientPrivilege, "export_target_denied"),
        (psycopg.errors.AdminShutdown, "export_target_unreachable"),
        (psycopg.errors.LockNotAvailable, "export_target_failed"),
        (psycopg.errors.StringDataRightTruncation, "export_target_changed"),
        (psycopg.errors.UndefinedTable, "export_target_changed"),
        (psycopg.errors.InternalError_, "export_target_failed"),
    ],
)
def test_what_postgresql_says_has_a_sentence_and_no_value(state, code):
    with pytest.raises(TargetFailed) as caught, in_words("writing table public.contacts"):
        raise state("value anna@example.com")
    assert caught.value.code == code
    assert "anna" not in caught.value.message
