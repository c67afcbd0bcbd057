"""Settings of a server: from the environment, else from `kartoteka.toml`, else their defaults.

`SETTINGS` declares every one of them; the table in the docs is made from it. In the file a name is
spelled without `KARTOTEKA_` and in lower case (`port = 8080`).
"""

from __future__ import annotations

import difflib
import re
import secrets
import tomllib
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from phonenumbers import SUPPORTED_REGIONS

from kartoteka.errors import SettingsError

PREFIX = "KARTOTEKA_"
FILE = "kartoteka.toml"
SECRET_KEY_FILE = "secret.key"  # noqa: S105  a file name
_SHORTEST_SECRET = 32


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a server was told; every value is checked."""

    host: str
    port: int
    data_dir: Path
    import_dir: Path | None
    """None: the folder `imports` in `data_dir`."""
    export_dir: Path | None
    """None: the folder `exports` in `data_dir`."""
    database_url: str | None
    api_key: str | None
    admin_password: str | None
    secret_key: str
    """Empty until `with_secret_key` has found or made it."""
    region: str
    processes: int
    jobs: bool
    log_format: str
    allow_private_addresses: bool
    export_private_addresses: bool
    trusted_proxies: tuple[str, ...]

    def __repr__(self) -> str:
        """Without secrets, so that none gets into a log by accident."""
        return f"Settings(host={self.host!r}, port={self.port}, data_dir={str(self.data_dir)!r})"


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting, as the docs show it."""

    name: str
    """The field of `Settings`."""
    kind: str
    default: str
    """As it would be written; empty when unset."""
    meaning: str
    consequence: str
    read: Callable[[str], Any]
    """Its value from text; ValueError says what would be right."""
    secret: bool = False
    """May be given as a file: `KARTOTEKA_…_FILE`."""

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return PREFIX + self.name.upper()


def _text(text: str) -> str | None:
    return text or None


def _number(lowest: int, highest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not lowest <= int(text) <= highest:
            raise ValueError(f"must be a whole number from {lowest} to {highest}")
        return int(text)

    return read


def _choice(*allowed: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"must be {' or '.join(allowed)}")
        return text

    return read


def _addresses(text: str) -> tuple[str, ...]:
    try:
        return tuple(str(ip_address(one.strip())) for one in text.split(",") if one.strip())
    except ValueError:
        raise ValueError("must be IP addresses, separated by commas") from None


def _switch(text: str) -> bool:
    return _choice("on", "off")(text) == "on"


def _host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*", text):
        raise ValueError("must be a host name or an IP address, without http:// and port")
    return text


def _path(text: str) -> Path:
    if not text or "\0" in text:
        raise ValueError("must be the path of a folder")
    return Path(text).expanduser()


def _path_if_any(text: str) -> Path | None:
    return _path(text) if text else None


def _postgres_url(text: str) -> str | None:
    if text and urlsplit(text).scheme not in ("postgresql", "postgres"):
        raise ValueError("must be a URL such as postgresql://user:password@host:5432/database")
    return text or None


def _region(text: str) -> str:
    if text.upper() not in SUPPORTED_REGIONS:
        raise ValueError("must be a country of two letters such as UA, PL or DE")
    return text.upper()


def _secret_key(text: str) -> str:
    if text and len(text) < _SHORTEST_SECRET:
        raise ValueError(
            f"must have at least {_SHORTEST_SECRET} characters; `openssl rand -hex 32` makes one"
        )
    return text


SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="host",
        kind="host name or address",
        default="127.0.0.1",
        meaning="The address that the server listens on.",
        consequence="With 0.0.0.0 others on the network reach it; put TLS in front then.",
        read=_host,
    ),
    Setting(
        name="port",
        kind="number, 0 to 65535",
        default="8080",
        meaning="The TCP port that the server listens on.",
        consequence="0 takes any free port; the first lines of output name it.",
        read=_number(0, 65535),
    ),
    Setting(
        name="data_dir",
        kind="folder",
        default="./data",
        meaning="Where the embedded PostgreSQL and the secret key are kept.",
        consequence="One server at a time uses it; a copy of it (server stopped) is a backup.",
        read=_path,
    ),
    Setting(
        name="import_dir",
        kind="folder",
        default="",
        meaning="Where uploaded files lie until they are imported; unset: imports in the data folder.",
        consequence="Servers and workers on several machines must share it.",
        read=_path_if_any,
    ),
    Setting(
        name="export_dir",
        kind="folder",
        default="",
        meaning="Under which exports write files, each account in a folder of its own; unset: exports "
        "in the data folder.",
        consequence="Servers and workers on several machines must share it.",
        read=_path_if_any,
    ),
    Setting(
        name="database_url",
        kind="PostgreSQL URL",
        default="",
        meaning="A PostgreSQL 15 or newer to use instead of the embedded one.",
        consequence="Several servers may share it; KARTOTEKA_SECRET_KEY must then be given.",
        read=_postgres_url,
        secret=True,
    ),
    Setting(
        name="api_key",
        kind="text",
        default="",
        meaning="The API key that the first start makes; unset: a random one, printed once.",
        consequence="Later starts ignore it; `kartoteka keys` manages keys.",
        read=_text,
        secret=True,
    ),
    Setting(
        name="admin_password",
        kind="text",
        default="",
        meaning="The password of the login `admin`; unset: a random one, printed once.",
        consequence="Later starts ignore it.",
        read=_text,
        secret=True,
    ),
    Setting(
        name="secret_key",
        kind="text of 32 characters or more",
        default="",
        meaning="Recognises erased people without knowing them, encrypts credentials of exports, and "
        "signs sessions.",
        consequence="Unset, it is made at the first start and kept in the data folder. The "
        "database remembers its fingerprint: with another key the server does not start.",
        read=_secret_key,
        secret=True,
    ),
    Setting(
        name="region",
        kind="country of two letters",
        default="UA",
        meaning="Where a phone number without a country code is from, in the first account.",
        consequence="Each account may change its own later.",
        read=_region,
    ),
    Setting(
        name="processes",
        kind="number, 1 to 64",
        default="1",
        meaning="How many processes answer requests.",
        consequence="One per core at most; each has its own connections to the database.",
        read=_number(1, 64),
    ),
    Setting(
        name="jobs",
        kind="on or off",
        default="on",
        meaning="Whether the server carries out imports and other background work itself.",
        consequence="off: only `kartoteka worker` does, on this machine or on others.",
        read=_switch,
    ),
    Setting(
        name="log_format",
        kind="readable or json",
        default="",
        meaning="How log lines look; unset: readable on a terminal, else json.",
        consequence="Neither has personal data or keys in it.",
        read=lambda text: _choice("readable", "json")(text) if text else "",
    ),
    Setting(
        name="allow_private_addresses",
        kind="on or off",
        default="off",
        meaning="Whether links that users give may lead into your own network: loopback, private, "
        "shared and link-local addresses.",
        consequence="On, everyone with an API key can reach what the server reaches. Metadata "
        "services of clouds stay closed.",
        read=_switch,
    ),
    Setting(
        name="export_private_addresses",
        kind="on or off",
        default="on",
        meaning="Whether exports may go to databases and stores in your own network: loopback, private "
        "and link-local addresses, sockets of this machine.",
        consequence="Only keys with full rights make exports. Set it to off where strangers have such "
        "keys. The service's own database is closed to them either way.",
        read=_switch,
    ),
    Setting(
        name="trusted_proxies",
        kind="addresses, separated by commas",
        default="127.0.0.1,::1",
        meaning="Proxies in front of the server whose `X-Forwarded-For` is believed.",
        consequence="Public end points count messages by the address that they name. Of a proxy that "
        "is not listed all visitors count as one.",
        read=_addresses,
    ),
)


def load_settings(environment: Mapping[str, str], folder: Path = Path()) -> Settings:
    """The settings from that environment and from `kartoteka.toml` in that folder.

    Raises `SettingsError`, whose sentence says what to do.
    """
    _refuse_misspelled(environment)
    file = _read_file(folder / FILE)
    return Settings(**{s.name: _value(s, environment, file) for s in SETTINGS})


def with_secret_key(settings: Settings) -> Settings:
    """The settings with a secret key: the given one, else the one in the data folder (D35).

    Makes that file, readable by this user alone, when there is none. Raises `SettingsError` when
    the database is not the embedded one and no key was given.
    """
    if settings.secret_key:
        return settings
    if settings.database_url:
        raise SettingsError(
            "With KARTOTEKA_DATABASE_URL the setting KARTOTEKA_SECRET_KEY must be given, the same "
            "for every server on that database. `openssl rand -hex 32` makes one."
        )
    return msgspec.structs.replace(settings, secret_key=_kept_secret(settings.data_dir))


def _kept_secret(data_dir: Path) -> str:
    path = data_dir / SECRET_KEY_FILE
    try:
        if not path.exists():
            part = path.with_name(f"{path.name}.part")
            part.unlink(missing_ok=True)
            part.touch(mode=0o600, exist_ok=False)
            part.write_text(f"{secrets.token_hex(32)}\n", "ascii")
            part.rename(path)
        return _secret_key(path.read_text("utf-8").strip())
    except OSError as error:
        raise SettingsError(f"The secret key {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise SettingsError(f"The secret key in {path} {error}.") from error


def _value(setting: Setting, environment: Mapping[str, str], file: Mapping[str, str]) -> Any:
    source, text = _given(setting, environment, file)
    try:
        return setting.read(text)
    except ValueError as error:
        raise SettingsError(f"{source} {error}.") from None


def _given(
    setting: Setting, environment: Mapping[str, str], file: Mapping[str, str]
) -> tuple[str, str]:
    """Where the setting was found, and its text; the environment wins."""
    for given, name, in_file in (
        (environment, setting.variable, f"{setting.variable}_FILE"),
        (file, setting.name, f"{setting.name}_file"),
    ):
        if setting.secret and given.get(in_file):
            if given.get(name):
                raise SettingsError(f"Give {name} or {in_file}, not both.")
            return in_file, _read_secret(in_file, given[in_file])
        if name in given and given[name].strip():
            return name, given[name].strip()
    return setting.variable, setting.default


def _read_secret(name: str, path: str) -> str:
    try:
        text = Path(path).expanduser().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingsError(f"{name} names {path}, which cannot be read: {reason}.") from None
    if not text:
        raise SettingsError(f"{name} names {path}, which is empty.")
    return text


def _read_file(path: Path) -> dict[str, str]:
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}.") from None
    names = {s.name for s in SETTINGS} | {f"{s.name}_file" for s in SETTINGS if s.secret}
    for name, value in content.items():
        if name not in names:
            meant = _meant(name, names) or "."
            raise SettingsError(f"{path} has an unknown setting {name}{meant}")
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise SettingsError(f"{path}: {name} must be a text or a number.")
    return {name: str(value) for name, value in content.items()}


def _refuse_misspelled(environment: Mapping[str, str]) -> None:
    """Only near misses: other programs may have variables with our prefix (Kubernetes does)."""
    names = {s.variable for s in SETTINGS} | {f"{s.variable}_FILE" for s in SETTINGS}
    for name in environment:
        if name.startswith(PREFIX) and name not in names and (meant := _meant(name, names)):
            raise SettingsError(f"There is no setting {name}{meant}")


def _meant(name: str, names: set[str]) -> str:
    close = difflib.get_close_matches(name, sorted(names), n=1, cutoff=0.9)
    return f"; did you mean {close[0]}?" if close else ""


def settings_table() -> str:
    """The table of the docs, in Markdown."""
    rows = [
        "| setting | type | default | meaning | consequence |",
        "| --- | --- | --- | --- | --- |",
    ]
    for s in SETTINGS:
        name = f"`{s.variable}`" + (f", `{s.variable}_FILE`" if s.secret else "")
        default = f"`{s.default}`" if s.default else "unset"
        rows.append(f"| {name} | {s.kind} | {default} | {s.meaning} | {s.consequence} |")
    return "\n".join(rows) + "\n"
