"""A PostgreSQL with TLS: a front that shakes hands, before the embedded server, which has none.

It speaks the one word of the protocol that TLS needs (SSLRequest, answered with S or N) and passes all
else on. The handshake is libpq's own, with a real certificate.
"""

from __future__ import annotations

import datetime as dt
import selectors
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_SSL_REQUEST = struct.pack("!II", 8, 80877103)


class Authority:
    """Who signs certificates; `pem` is what those who trust it have."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        builder = _builder(self._name, self._name, self._key).add_extension(constraints, True)
        self.pem = _pem(builder.sign(self._key, hashes.SHA256()))

    def certificate(self, host: str) -> str:
        """A key and a certificate for that host."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        builder = _builder(_name(host), self._name, key).add_extension(names, False)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
        return private + _pem(builder.sign(self._key, hashes.SHA256()))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


@contextmanager
def tls_front(url: str, folder: Path, certificate: str | None) -> Iterator[int]:
    """The port of a front of that database on a socket; without a certificate it says N."""
    (socket_folder,) = parse_qs(urlsplit(url).query)["host"]
    context = None
    if certificate is not None:
        path = folder / "server.pem"
        path.write_text(certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, socket_folder, context)).start()
        try:
            yield listener.getsockname()[1]
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes who accepts


def _serve(listener: socket.socket, folder: str, context: ssl.SSLContext | None) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_pass_on, args=(client, folder, context), daemon=True).start()


def _pass_on(client: socket.socket, folder: str, context: ssl.SSLContext | None) -> None:
    with suppress(OSError), client, socket.socket(socket.AF_UNIX) as server:
        first = client.recv(8, socket.MSG_WAITALL)
        if first == _SSL_REQUEST:
            client.sendall(b"N" if context is None else b"S")
            if context is not None:
                client = context.wrap_socket(client, server_side=True)
            first = b""
        server.connect(f"{folder}/.s.PGSQL.5432")
        server.sendall(first)
        _both_ways(client, server)


def _both_ways(client: socket.socket, server: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(client, selectors.EVENT_READ, server)
        selector.register(server, selectors.EVENT_READ, client)
        while True:
            for key, _ in selector.select():
                one: socket.socket = key.fileobj  # type: ignore[assignment]
                piece = one.recv(65536)
                while isinstance(one, ssl.SSLSocket) and one.pending():
                    piece += one.recv(65536)
                if not piece:
                    return
                key.data.sendall(piece)
