"""Settings: where they come from, and what is said when one is wrong."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from kartoteka.errors import SettingsError
from kartoteka.settings import SETTINGS, load_settings, settings_table, with_secret_key


def test_nothing_given_means_the_defaults(tmp_path):
    settings = load_settings({}, tmp_path)
    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.1", 8080, Path("data"))
    assert (settings.database_url, settings.region, settings.processes) == (None, "UA", 1)


def test_the_file_is_read_and_the_environment_wins(tmp_path):
    (tmp_path / "kartoteka.toml").write_text('port = 9000\nregion = "pl"\n')
    settings = load_settings({"KARTOTEKA_PORT": "9001"}, tmp_path)
    assert (settings.port, settings.region) == (9001, "PL")


def test_an_empty_variable_counts_as_unset(tmp_path):
    assert load_settings({"KARTOTEKA_PORT": " "}, tmp_path).port == 8080


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "http", "KARTOTEKA_PORT must be a whole number from 0 to 65535."),
        ("PORT", "65536", "KARTOTEKA_PORT must be a whole number from 0 to 65535."),
        ("PORT", "tcp://10.0.0.1:80", "KARTOTEKA_PORT must be a whole number from 0 to 65535."),
        ("PROCESSES", "0", "KARTOTEKA_PROCESSES must be a whole number from 1 to 64."),
        ("HOST", "http://x", "KARTOTEKA_HOST must be a host name or an IP address, without "),
        ("HOST", "localhost:80", "KARTOTEKA_HOST must be a host name or an IP address, without "),
        ("REGION", "Ukraine", "KARTOTEKA_REGION must be a country of two letters such as UA"),
        ("REGION", "XX", "KARTOTEKA_REGION must be a country of two letters such as UA"),
        ("DATABASE_URL", "mysql://x", "KARTOTEKA_DATABASE_URL must be a URL such as postgresql:"),
        ("SECRET_KEY", "short", "KARTOTEKA_SECRET_KEY must have at least 32 characters"),
        ("LOG_FORMAT", "xml", "KARTOTEKA_LOG_FORMAT must be readable or json."),
        ("PROT", "80", "There is no setting KARTOTEKA_PROT; did you mean KARTOTEKA_PORT?"),
    ],
)
def test_a_wrong_value_is_answered_with_what_would_be_right(tmp_path, name, value, sentence):
    with pytest.raises(SettingsError) as caught:
        load_settings({f"KARTOTEKA_{name}": value}, tmp_path)
    assert caught.value.message.startswith(sentence)


@pytest.mark.parametrize("host", ["::1", "0.0.0.0", "localhost", "db-1.example.org"])
def test_hosts_of_every_form_are_taken(tmp_path, host):
    assert load_settings({"KARTOTEKA_HOST": host}, tmp_path).host == host


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("prot = 1", "has an unknown setting prot"),
        ("port = [1]", "port must be a text or a number"),
        ("port 1", "is not valid TOML"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, text, sentence):
    (tmp_path / "kartoteka.toml").write_text(text)
    with pytest.raises(SettingsError, match=sentence) as caught:
        load_settings({}, tmp_path)
    assert "kartoteka.toml" in caught.value.message


def test_other_variables_with_our_prefix_are_nobody_s_business(tmp_path):
    assert load_settings({"KARTOTEKA_SERVICE_HOST": "10.0.0.1"}, tmp_path).host == "127.0.0.1"


@pytest.mark.parametrize("name", [setting.name for setting in SETTINGS if setting.secret])
def test_a_secret_may_be_in_a_file(tmp_path, name):
    value = "postgresql://u:p@h/d" if name == "database_url" else "s" * 40
    (tmp_path / "secret").write_text(f"{value}\n")
    variable = f"KARTOTEKA_{name.upper()}"
    settings = load_settings({f"{variable}_FILE": str(tmp_path / "secret")}, tmp_path)
    assert getattr(settings, name) == value
    with pytest.raises(SettingsError, match="not both"):
        load_settings({f"{variable}_FILE": str(tmp_path / "secret"), variable: value}, tmp_path)
    with pytest.raises(SettingsError, match="No such file"):
        load_settings({f"{variable}_FILE": str(tmp_path / "missing")}, tmp_path)


def test_no_message_and_no_repr_holds_a_secret(tmp_path):
    secret = "postgresql://u:hidden-word@h/d"
    settings = load_settings({"KARTOTEKA_DATABASE_URL": secret}, tmp_path)
    assert "hidden-word" not in repr(settings)
    with pytest.raises(SettingsError) as caught:
        load_settings({"KARTOTEKA_SECRET_KEY": "hidden-word"}, tmp_path)
    assert "hidden-word" not in caught.value.message


def test_the_secret_key_is_made_once_and_readable_by_us_alone(tmp_path):
    settings = load_settings({"KARTOTEKA_DATA_DIR": str(tmp_path)}, tmp_path)
    made = with_secret_key(settings).secret_key
    assert len(made) == 64
    assert with_secret_key(settings).secret_key == made
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


def test_a_given_secret_key_wins_over_the_kept_one(tmp_path):
    folder = {"KARTOTEKA_DATA_DIR": str(tmp_path)}
    with_secret_key(load_settings(folder, tmp_path))
    given = load_settings(folder | {"KARTOTEKA_SECRET_KEY": "g" * 32}, tmp_path)
    assert with_secret_key(given).secret_key == "g" * 32


def test_with_a_database_of_ones_own_the_secret_key_must_be_given(tmp_path):
    settings = load_settings({"KARTOTEKA_DATABASE_URL": "postgresql://h/d"}, tmp_path)
    with pytest.raises(SettingsError, match="KARTOTEKA_SECRET_KEY must be given"):
        with_secret_key(settings)


def test_the_table_of_the_docs_has_every_setting():
    table = settings_table()
    assert all(f"`{setting.variable}`" in table for setting in SETTINGS)
