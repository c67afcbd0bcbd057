"""The socket that all workers share, opened before they exist."""

from __future__ import annotations

import errno
import socket

from kartoteka.errors import SettingsError

BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket. Raises `SettingsError` that says why it cannot be."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise SettingsError(f"KARTOTEKA_HOST: the host {host} is not known.") from error
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        raise SettingsError(_refused(host, port, error)) from error
    opened.setblocking(False)
    return opened


def address_of(listening: socket.socket) -> str:
    """The URL to reach it by, such as http://127.0.0.1:8080."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  as text only
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _refused(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"Port {port} on {host} is in use by another program. "
                "Stop it, or choose another port with KARTOTEKA_PORT."
            )
        case errno.EACCES:
            return f"This user may not use port {port}; choose one above 1023 with KARTOTEKA_PORT."
        case errno.EADDRNOTAVAIL:
            return f"This machine has no address {host}; set KARTOTEKA_HOST to one that it has."
        case _:
            return f"Cannot listen on {host}, port {port}: {error.strerror}."
