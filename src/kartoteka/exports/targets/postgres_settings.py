"""Settings of an export to PostgreSQL: what is taken of a connection string, and how it is dialled."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import certifi

from kartoteka.db.copying import conninfo, read_conninfo
from kartoteka.exports.errors import InvalidExport, TargetRefused
from kartoteka.exports.targets.base import Checked, Surroundings, place_of
from kartoteka.exports.targets.hosts import addresses_of

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_TAKEN = ("host", "port", "dbname", "user", "password", "sslmode")
_MOST_CERTIFICATE_CHARS = 200_000
OWN_DATABASE = "This is the service's own database; choose another one."


def read_settings(raw: Mapping[str, Any], surroundings: Surroundings) -> Checked:
    """Raises `InvalidExport`, `TargetRefused`."""
    url = raw.get("url")
    if not isinstance(url, str) or not url.strip():
        raise InvalidExport(
            "settings.url must be postgresql://user:password@host:5432/database or a text of "
            "key=value."
        )
    try:
        said = read_conninfo(url.strip())
    except ValueError:
        raise InvalidExport(
            "settings.url is no connection string: postgresql://user:password@host:5432/database "
            "or host=… dbname=… user=… password=…."
        ) from None
    parts = {name: said[name] for name in _TAKEN if said.get(name)}
    _check(parts)
    schema = raw.get("schema") or "public"
    if not isinstance(schema, str) or not 0 < len(schema.encode()) < 64 or "\0" in schema:
        raise InvalidExport("settings.schema must be a name of 1 to 63 bytes.")
    if schema.startswith("pg_") or schema == "information_schema":
        raise InvalidExport(
            "settings.schema must be a schema of yours, not one of PostgreSQL's own."
        )
    certificate = _certificate(raw.get("rootCertificate"))
    if certificate and "sslmode" not in parts:
        parts["sslmode"] = "verify-full"
    full = {"parts": parts, "schema": schema, "rootCertificate": certificate}
    shown = {
        "host": parts["host"],
        "port": int(parts.get("port", 5432)),
        "database": parts["dbname"],
        "user": parts.get("user"),
        "sslmode": parts.get("sslmode", "prefer"),
        "schema": schema,
        "rootCertificate": certificate is not None,
    }
    place = place_of("postgres", parts["host"], shown["port"], parts["dbname"], schema)
    addresses_of(parts["host"], surroundings, only_if_known=True)
    if surroundings.is_own_address(parts):
        raise TargetRefused(OWN_DATABASE)
    return Checked(full, shown, place)


def _check(parts: dict[str, str]) -> None:
    if "host" not in parts or "," in parts["host"]:
        raise InvalidExport("settings.url must name one host.")
    if "dbname" not in parts:
        raise InvalidExport("settings.url must name a database.")
    port = parts.get("port", "5432")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise InvalidExport("The port in settings.url must be 1 to 65535.")
    if parts.get("sslmode", "prefer") not in SSL_MODES:
        raise InvalidExport(f"sslmode must be one of {', '.join(SSL_MODES)}.")


def _certificate(given: object) -> str | None:
    """The text of PEM certificates that OpenSSL reads; None where none is given."""
    if given is None or given == "":
        return None
    refused = InvalidExport("settings.rootCertificate must be the text of a PEM certificate.")
    if (
        not isinstance(given, str)
        or len(given) > _MOST_CERTIFICATE_CHARS
        or "-----BEGIN CERTIFICATE-----" not in given
    ):
        raise refused
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=given)
    except (ssl.SSLError, ValueError):
        raise refused from None
    return given


def dial(full: dict[str, Any], surroundings: Surroundings, folder: Path) -> str:
    """The connection string: only what was taken, and the addresses that were checked."""
    parts = dict(full["parts"])
    host = parts["host"]
    addresses = addresses_of(host, surroundings)
    if addresses:
        parts["host"] = ",".join([host] * len(addresses))
        parts["hostaddr"] = ",".join(addresses)
    certificate = full.get("rootCertificate")
    if certificate:
        path = folder / "root.pem"
        path.write_text(certificate)
        parts["sslrootcert"] = str(path)
    elif parts.get("sslmode", "").startswith("verify"):
        parts["sslrootcert"] = certifi.where()
    else:
        parts["sslrootcert"] = "/nonexistent"
    parts.setdefault("sslmode", "prefer")
    return conninfo(
        {
            **parts,
            "sslcert": "/nonexistent",
            "sslkey": "/nonexistent",
            "passfile": "/nonexistent",
            "gssencmode": "disable",
            "application_name": "kartoteka export",
            "connect_timeout": "10",
            "keepalives_idle": "30",
            "keepalives_interval": "10",
            "keepalives_count": "3",
            "tcp_user_timeout": "60000",
        }
    )
