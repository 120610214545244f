"""A real HTTPS server in a thread, and a raw TLS client for what httpx would not send."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import uvloop
from plimsoll.certs import x509
from plimsoll.certs.context import TlsFront, serving_context
from plimsoll.observations import Observation
from plimsoll.serving.exchange import Endpoint
from plimsoll.serving.limits import Limits
from plimsoll.serving.server import DrainTimes, HttpsServer

NAMES = frozenset({"localhost", "127.0.0.1"})


def issue(folder: Path, name: str = "serving", authority: bytes | None = None) -> tuple[Path, Path, bytes]:
    """A serving certificate in `name`.pem, the certificate to trust in `name`.ca, and the authority."""
    now = datetime.now(UTC)
    authority = authority or x509.issue_authority(now)
    pem, ca = folder / f"{name}.pem", folder / f"{name}.ca"
    pem.write_bytes(x509.issue_leaf(authority, NAMES, now))
    ca.write_bytes(x509.certificates_of(authority))
    return pem, ca, authority


class Running:
    """A server that answers; `stop` is its SIGTERM. `observed` is what it told."""

    def __init__(self, ca: Path, authority: bytes, front: TlsFront) -> None:
        self.ca = ca
        self.authority = authority
        self.front = front
        self.port = 0
        self.observed: list[Observation] = []
        self.stop: Callable[[], None] = lambda: None
        self.ended = threading.Event()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def client(self, **options: object) -> httpx.Client:
        context = ssl.create_default_context(cafile=self.ca)
        return httpx.Client(base_url=self.url, verify=context, timeout=10, **options)  # type: ignore[arg-type]

    def connect(self, ca: Path | None = None) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=ca or self.ca)
        context.set_alpn_protocols(["h2", "http/1.1"])
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        return context.wrap_socket(plain, server_hostname="localhost")


@contextmanager
def running(
    folder: Path, routes: Mapping[bytes, Endpoint], limits: Limits | None = None, drain: DrainTimes | None = None
) -> Iterator[Running]:
    """Serve `routes` on a free loopback port until the block ends."""
    pem, ca, authority = issue(folder)
    server = Running(ca, authority, TlsFront(serving_context(pem, pem)))
    started = threading.Event()
    problems: list[BaseException] = []

    async def serve() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()

        def stop_soon() -> None:
            loop.call_soon_threadsafe(stop.set)

        server.stop = stop_soon
        https = HttpsServer(routes, limits or Limits(), server.observed.append)
        server.port = await https.listen("127.0.0.1", 0, server.front.context)
        started.set()
        await https.run(stop, drain or DrainTimes())

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(serve())
        except BaseException as problem:  # noqa: BLE001 - shown by the test's own thread
            problems.append(problem)
        finally:
            started.set()
            server.ended.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert started.wait(10)
    try:
        if not problems:
            yield server
    finally:
        if not server.ended.is_set():
            server.stop()
        thread.join(60)
    assert not problems, problems
    assert not thread.is_alive()


def read_response(connection: ssl.SSLSocket) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of one response; (0, {}, b"") where the server closed without one."""
    head = b""
    while b"\r\n\r\n" not in head:
        try:
            piece = connection.recv(1)
        except (ssl.SSLEOFError, ConnectionError):
            piece = b""
        if not piece:
            assert head == b"", head
            return 0, {}, b""
        head += piece
    lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
    length, body = int(headers["content-length"]), b""
    while len(body) < length:
        piece = connection.recv(length - len(body))
        assert piece, "the body ended early"
        body += piece
    return int(lines[0].split()[1]), headers, body


def is_closed(connection: ssl.SSLSocket) -> bool:
    """Whether the server ends the connection, and says nothing more."""
    try:
        return connection.recv(1) == b""
    except (ssl.SSLEOFError, ConnectionError):
        return True
