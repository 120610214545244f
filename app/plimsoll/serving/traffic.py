"""What all connections of one server share: routes, limits, counters, and the bytes of an answer.

Finds who answers a request from its head alone. Must not know what a path means, nor touch a socket.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from email.utils import formatdate
from http import HTTPStatus
from time import monotonic, time
from typing import Protocol

import msgspec

from plimsoll.observations import Observe, RequestRefused
from plimsoll.serving.exchange import Endpoint, HttpRequest, HttpResponse, refusal
from plimsoll.serving.limits import Limits

RECEIVE_BYTES = 64 * 1024
TOGETHER = 8
"""Answers that are sent in a row."""
HELD_SECONDS = 0.001
"""The first of them does not wait much longer than this for the others."""


class Client(Protocol):
    """A connection as the server sees it."""

    deadline: float

    def overdue(self) -> None:
        """The deadline passed."""

    def finish(self) -> None:
        """Close as soon as nothing is owed."""

    def abort(self) -> None:
        """Cut it."""

    def answer(self, endpoint: Endpoint, request: HttpRequest, *, close: bool) -> None:
        """Answer a request that stood in the queue."""


class Traffic:
    """What all connections of one server share. Its numbers are for reading; connections keep them."""

    def __init__(
        self, routes: Mapping[bytes, Endpoint], limits: Limits, observe: Observe, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.routes = routes
        self.limits = limits
        self.observe = observe
        self.loop = loop
        self.clock: Callable[[], float] = loop.time
        self.connections: set[Client] = set()
        self.draining = False
        self.buffered = 0
        self.received = memoryview(bytearray(RECEIVE_BYTES))
        """One for all connections: what is put into it is fed to a parser before another one is read."""
        self.answered = 0
        self._queued: deque[tuple[Client, Endpoint, HttpRequest, bool]] = deque()
        self._posted: list[tuple[asyncio.Transport, bytes]] = []
        self._is_answering = False
        self._prefixes: dict[tuple[int, bytes], bytes] = {}

    def queue(self, client: Client, endpoint: Endpoint, request: HttpRequest, *, close: bool) -> None:
        """Let ``client`` answer once everything is read that has arrived.

        Reading, deciding and sending for several clients in a row costs much less than all three for one after the
        other: no code drives the other out of the processor's caches, and the kernel wakes who waits once (measured
        with 16 clients: 102 µs of a core for a review and all it entails, 82 so; a lonely client waits 7 µs longer).
        """
        if not self._queued:
            self.loop.call_soon(self._answer)
        self._queued.append((client, endpoint, request, close))

    def _answer(self) -> None:
        queued = self._queued
        self._is_answering = True
        began = monotonic()
        try:
            for _ in range(len(queued)):
                client, endpoint, request, close = queued.popleft()
                client.answer(endpoint, request, close=close)
                if monotonic() - began > HELD_SECONDS:
                    self.send()
                    began = monotonic()
        finally:
            self._is_answering = False
            self.send()
            if queued:
                self.loop.call_soon(self._answer)

    def post(self, transport: asyncio.Transport, answer: bytes) -> None:
        """Send this with the other answers of its moment."""
        posted = self._posted
        posted.append((transport, answer))
        if len(posted) >= TOGETHER:
            self.send()
        elif len(posted) == 1 and not self._is_answering:
            self.loop.call_soon(self.send)

    def send(self) -> None:
        """Send what was posted."""
        posted, self._posted = self._posted, []
        for transport, answer in posted:
            if not transport.is_closing():
                transport.write(answer)

    def sweep(self) -> None:
        """Once a second: renew the date, and end what waited too long."""
        self._prefixes.clear()
        now = self.clock()
        for connection in [each for each in self.connections if each.deadline < now]:
            connection.overdue()

    def endpoint_for(self, method: bytes, path: bytes, headers: Mapping[bytes, bytes]) -> Endpoint:
        """Who answers, seen from the head alone; a refusal is an endpoint too, so that a body is read past it."""
        endpoint = self.routes.get(path)
        if endpoint is None:
            paths = ", ".join(each.decode() for each in self.routes)
            return self.refusing(path, refusal(404, f"nothing is at {_shown(path)}; there is {paths}"))
        if method != endpoint.method and (method, endpoint.method) != (b"HEAD", b"GET"):
            wanted = endpoint.method.decode()
            message = f"{_shown(path)} was asked by {_shown(method)}; it answers {wanted}"
            return self.refusing(path, refusal(405, message, ((b"allow", endpoint.method),)))
        if endpoint.media:
            media = headers.get(b"content-type", b"")
            if media not in endpoint.media and media.partition(b";")[0].strip().lower() not in endpoint.media:
                found = f"the content type is {_shown(media)}" if media else "there is no content type"
                accepted = " or ".join(each.decode() for each in endpoint.media)
                return self.refusing(path, refusal(415, f"{found}; {accepted} is accepted"))
            coding = headers.get(b"content-encoding", b"identity")
            if coding.lower() != b"identity":
                message = f"the body is encoded as {_shown(coding)}; only a body without content-encoding is accepted"
                return self.refusing(path, refusal(415, message))
        return endpoint

    def refusing(self, path: bytes, response: HttpResponse) -> Endpoint:
        """An endpoint that gives this answer and tells of it."""

        def answer(request: HttpRequest) -> HttpResponse:
            known = path.decode() if path in self.routes else ""
            reason = msgspec.json.decode(response.body, type=_Message).message
            self.observe(RequestRefused(path=known, status=response.status, reason=reason))
            return response

        return Endpoint(b"", answer, lambda request, fault: response, (), self.limits.body_bytes)

    def render(self, response: HttpResponse, *, bodiless: bool, close: bool) -> bytes:
        """The whole answer as bytes: one write makes one TLS record and one system call."""
        body = response.body
        head = b"%b%d\r\n" % (self._prefix(response.status, response.content_type), len(body))
        for name, value in response.headers:
            head += b"%b: %b\r\n" % (name, value)
        head += b"connection: close\r\n\r\n" if close else b"\r\n"
        return head if bodiless else head + body

    def _prefix(self, status: int, content_type: bytes) -> bytes:
        """Status line and headers that do not change within a second, up to the value of content-length."""
        key = (status, content_type)
        prefix = self._prefixes.get(key)
        if prefix is None:
            line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ndate: {formatdate(time(), usegmt=True)}\r\n"
            prefix = line.encode() + b"content-type: " + content_type + b"\r\ncontent-length: "
            self._prefixes[key] = prefix
        return prefix


class _Message(msgspec.Struct):
    message: str


def _shown(found: bytes) -> str:
    """Bytes from a client as text of bounded length."""
    text = found[:100].decode("ascii", "backslashreplace")
    return text + "…" if len(found) > 100 else text
