"""A small internet: names, public addresses, and behind them real servers on this machine."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import Awaitable, Callable, Sequence

import httpcore
import pytest

from kartoteka.outbound.client import Outbound

Handler = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
"""Given the head of a request (and what came of its body), writes the answer."""

PUBLIC = "93.184.216.34"
OTHER = "8.8.4.4"


class Internet(httpcore.AsyncNetworkBackend):
    """Dials a public address by connecting to the local server that stands for it."""

    def __init__(self) -> None:
        self.names: dict[str, list[Sequence[str]]] = {}
        """The answers to the first, second … look-up of a name; the last one stays."""
        self.looked_up: list[str] = []
        self.dialled: list[tuple[str, int]] = []
        self.requests: list[bytes] = []
        self.closed = 0
        self._places: dict[tuple[str, int], int] = {}
        self._servers: list[asyncio.Server] = []

    async def host(
        self,
        name: str,
        handler: Handler,
        *,
        address: str = PUBLIC,
        port: int = 80,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests.append(head + await _body(reader, head))
                await handler(self.requests[-1], writer)
            except (OSError, asyncio.IncompleteReadError):
                pass
            finally:
                self.closed += 1
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
        self._servers.append(server)
        self._places[address, port] = server.sockets[0].getsockname()[1]
        self.names.setdefault(name, [[address]])

    async def resolve(self, name: str) -> Sequence[str]:
        self.looked_up.append(name)
        if name not in self.names:
            raise OSError("no such name")
        answers = self.names[name]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def connect_tcp(self, host, port, timeout=None, *_, **__):  # noqa: ASYNC109
        self.dialled.append((host, port))
        local = self._places.get((host, port))
        if local is None:
            raise httpcore.ConnectError(f"nobody is at {host}")
        return await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", local, timeout)

    def outbound(self, **given) -> Outbound:
        return Outbound(
            **{"allow_private": False, "resolve": self.resolve, "network": self, **given}
        )

    async def close(self) -> None:
        for server in self._servers:
            server.close()


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return await reader.readexactly(int(line.partition(b":")[2]))
    return b""


def answer(body: bytes = b"", status: str = "200 OK", **headers: str) -> Handler:
    """A server that always answers this; `content_type="x"` is the header Content-Type."""
    headers = {"content_length": str(len(body)), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return raw(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body)


def raw(octets: bytes) -> Handler:
    """A server that sends these bytes and closes."""

    async def handler(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(octets)
        await writer.drain()

    return handler


def redirect(to: str, status: str = "302 Found") -> Handler:
    return answer(status=status, location=to)


@pytest.fixture
async def internet():
    made = Internet()
    yield made
    await made.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """`authority(name)`: the files (certificate chain, key) of a server, and `authority.ca`."""
    return Authority(tmp_path_factory.mktemp("authority"))


class Authority:
    """A certificate authority of our own, made by openssl."""

    def __init__(self, folder) -> None:
        self._folder = folder
        self.ca = folder / "ca.pem"
        self._key = folder / "ca.key"
        self._openssl(
            "req", "-x509", *self._new(self._key), "-subj", "/CN=Our own", "-out", self.ca
        )

    def server(self, name: str, kind: str = "DNS") -> ssl.SSLContext:
        """What a server of that name (`kind` IP: of that address) needs."""
        key, request, made, about = (
            self._folder / f"{name.replace(':', '_')}.{end}" for end in ("key", "csr", "pem", "ext")
        )
        about.write_text(f"subjectAltName={kind}:{name}\n")
        self._openssl("req", *self._new(key), "-subj", "/CN=server", "-out", request)
        signed = ("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self._key)
        self._openssl(*signed, "-CAcreateserial", "-days", "2", "-extfile", about, "-out", made)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made, key)
        return context

    def client(self) -> ssl.SSLContext:
        """What trusts this authority alone."""
        return ssl.create_default_context(cafile=str(self.ca))

    def _new(self, key) -> tuple:
        curve = ("-pkeyopt", "ec_paramgen_curve:prime256v1")
        return ("-newkey", "ec", *curve, "-nodes", "-keyout", key)

    def _openssl(self, *arguments) -> None:
        command = ["openssl", *map(str, arguments)]
        subprocess.run(command, check=True, capture_output=True, cwd=self._folder)
