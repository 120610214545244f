"""One HTTP/1.1 connection: bytes in, whole requests to an endpoint, bytes out, every size and wait bounded.

Written by hand over httptools (llhttp, Node's parser) for two reasons. Correctness: uvicorn bounds neither headers nor
bodies nor the time of a slow client. Measurement, TLS reviews/s on one core against a do-nothing Go webhook, with a
decision of 37 µs in every variant: uvicorn 0.76, this with ASGI in a task 0.92, this with plain functions 1.02.
Requests that have arrived together are answered together, see ``traffic``. Must not know what a path means.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import cast

import httptools

from plimsoll.observations import fault_of
from plimsoll.serving.exchange import Endpoint, HttpRequest, HttpResponse, refusal, timeout_of
from plimsoll.serving.traffic import Traffic

NEVER = float("inf")


class Connection(asyncio.BufferedProtocol):
    """One client. Requests are answered in the order they came, each when its body is whole."""

    _transport: asyncio.Transport
    _endpoint: Endpoint
    _url: bytes
    _path: bytes
    _query: bytes
    _headers: dict[bytes, bytes]
    _chunks: list[bytes]

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        self._task: asyncio.Task[HttpResponse] | None = None
        self._waiting: deque[tuple[Endpoint, HttpRequest, bool]] = deque()
        """Whole requests behind the one that the task answers."""
        self._owed = 0
        """Whole requests that stand in the queue of all connections."""
        self._reading = False
        """Between a request's first byte and its last."""
        self._in_head = False
        self._unread_head = self._head_bytes = self._body_bytes = 0
        self._began = 0.0
        """When the request that is arriving was first seen to be incomplete; 0 before that."""
        self._discarding = False
        """All input is dropped; the connection is about to be closed."""
        self._stalled = False
        """The client leaves its answers unread."""
        self._surplus = False
        """There were too many others when it came; they are not to suffer for it."""
        self.deadline = NEVER
        """When ``overdue`` shall be called, on the loop's clock."""

    # What the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """After the TLS handshake."""
        self._transport = cast(asyncio.Transport, transport)
        traffic = self._traffic
        traffic.connections.add(self)
        self.deadline = traffic.clock() + traffic.limits.request_seconds
        self._surplus = len(traffic.connections) > traffic.limits.connections
        if len(traffic.connections) > 2 * traffic.limits.connections:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is left to answer."""
        self._stop_reading()
        self._traffic.connections.discard(self)
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
        self._parser = None  # it holds this object's methods: a cycle that only the garbage collector would end

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where to put what was received. Without a buffer of ours each read would map and unmap 256 KiB."""
        return self._traffic.received

    def buffer_updated(self, nbytes: int) -> None:
        """Feed the parser; a request that arrived whole is answered once all that has arrived is read."""
        if self._discarding or self._parser is None:
            return
        try:
            self._parser.feed_data(self._traffic.received[:nbytes])
        except httptools.HttpParserUpgrade:
            # HTTP allows to ignore an upgrade; what follows on the wire would not be HTTP/1.1.
            self._stop_reading()
            self.finish()
        except httptools.HttpParserError as error:
            self._refuse(400, f"the request cannot be read as HTTP/1.1: {error}")
        if self._discarding or self._stalled or self._task is not None:
            return
        traffic = self._traffic
        if not self._reading:
            self.deadline = traffic.clock() + traffic.limits.idle_seconds
            return
        if self._began:
            self._unread_head += nbytes  # a header that never ends is shown to nobody, so it is counted here
        else:
            self._began = traffic.clock()
        self.deadline = self._began + self._patience()
        if self._in_head and self._unread_head > traffic.limits.head_bytes:
            self._refuse_head()

    def eof_received(self) -> None:
        """The transport closes itself."""

    def pause_writing(self) -> None:
        """The client does not read its answers: read no more of its requests."""
        self._stalled = True
        self.deadline = self._traffic.clock() + self._traffic.limits.write_seconds
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._stalled = False
        self.deadline = self._traffic.clock() + self._traffic.limits.idle_seconds
        if self._task is None:
            self._transport.resume_reading()

    # What the server calls

    def overdue(self) -> None:
        """The deadline passed."""
        if self._discarding or self._stalled:
            self._transport.abort()
        elif self._reading:
            self._refuse(408, "the request did not arrive in time; send it whole at once")
        else:
            self._close()

    def finish(self) -> None:
        """Close as soon as nothing is owed to the client."""
        if self._task is None and not self._reading and not self._owed:
            self._close()

    def abort(self) -> None:
        """Cut it, whatever is owed."""
        self._transport.abort()

    # What the parser calls

    def on_message_begin(self) -> None:
        """A request's first byte."""
        self._reading = self._in_head = True
        self._url = b""
        self._headers = {}
        self._chunks = []
        self._unread_head = self._head_bytes = self._body_bytes = 0
        self._began = 0.0

    def on_url(self, url: bytes) -> None:
        """A piece of the request's target."""
        self._url += url
        self._head_bytes += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which means nothing here."""
        self._head_bytes += len(name) + len(value) + 4
        if self._in_head:
            self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """Find who answers, and whether the body is worth reading."""
        if self._discarding or self._parser is None:
            return
        self._in_head = False
        traffic, headers = self._traffic, self._headers
        self._path, _, self._query = _origin_form(self._url).partition(b"?")
        endpoint = self._endpoint = traffic.endpoint_for(self._parser.get_method(), self._path, headers)
        length = headers.get(b"content-length")
        if self._head_bytes > traffic.limits.head_bytes:
            self._refuse_head()
        elif length is not None and (len(length) > 18 or int(length) > endpoint.body_bytes):
            self._refuse(413, f"the body has {length[:20].decode()} bytes; at most {endpoint.body_bytes} are read")
        elif self._surplus:
            self._refuse(503, f"more than {traffic.limits.connections} connections are open; try again later")
        elif headers.get(b"expect", b"").lower() == b"100-continue":
            traffic.post(self._transport, b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """A piece of the body, counted whatever the headers said."""
        if self._discarding:
            return
        traffic = self._traffic
        self._body_bytes += len(body)
        traffic.buffered += len(body)
        if self._body_bytes > self._endpoint.body_bytes:
            self._refuse(413, f"the body is longer than the {self._endpoint.body_bytes} bytes that are read at most")
        elif traffic.buffered > traffic.limits.buffered_bytes:
            self._refuse(503, "too many large requests are arriving at once; try again later")
        else:
            self._chunks.append(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if self._discarding or self._parser is None:
            return
        self._reading = False
        self._traffic.buffered -= self._body_bytes
        chunks = self._chunks
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self._chunks = []
        request = HttpRequest(self._parser.get_method(), self._path, self._query, self._headers, body)
        close = not self._parser.should_keep_alive()
        self._queue(self._endpoint, request, close=close)

    # Answering

    def _queue(self, endpoint: Endpoint, request: HttpRequest, *, close: bool) -> None:
        self._owed += 1
        self._traffic.queue(self, endpoint, request, close=close)

    def answer(self, endpoint: Endpoint, request: HttpRequest, *, close: bool) -> None:
        """Answer a request that stood in the queue, or let it wait behind the one that a task answers."""
        self._owed -= 1
        if self._parser is None or self._transport.is_closing():
            return
        if self._task is not None:
            self._waiting.append((endpoint, request, close))
            return
        self._answer(endpoint, request, close=close)
        if self._discarding and self._task is None:
            self.finish()

    def _answer(self, endpoint: Endpoint, request: HttpRequest, *, close: bool) -> None:
        fault: Exception | None = None
        while True:
            try:
                answer = endpoint.answer(request) if fault is None else endpoint.after_fault(request, fault)
                break
            except Exception as error:  # noqa: BLE001 - the one around a request: whatever happens, it is answered
                if fault is not None:  # an endpoint that has no answer even after a fault
                    self._traffic.observe(fault_of("serving", error))
                    self._refuse(500, "the request could not be answered; the log has the traceback")
                    return
                fault = error
        if isinstance(answer, HttpResponse):
            self._write(answer, request, close=close)
        else:
            self._transport.pause_reading()
            self.deadline = NEVER
            self._task = self._traffic.loop.create_task(answer)
            self._task.add_done_callback(lambda task: self._answered(task, endpoint, request, close=close))

    def _answered(
        self, task: asyncio.Task[HttpResponse], endpoint: Endpoint, request: HttpRequest, *, close: bool
    ) -> None:
        self._task = None
        self.deadline = self._traffic.clock() + self._traffic.limits.write_seconds
        if task.cancelled():
            self._transport.abort()
            return
        fault = task.exception()
        self._write(task.result() if fault is None else endpoint.after_fault(request, fault), request, close=close)
        while self._waiting and self._task is None:
            following = self._waiting.popleft()
            self._answer(following[0], following[1], close=following[2])
        if self._task is not None or self._transport.is_closing():
            return
        if self._discarding:
            self._close()
        elif not self._stalled:
            self.deadline = self._traffic.clock() + self._traffic.limits.idle_seconds
            self._transport.resume_reading()

    def _write(self, response: HttpResponse, request: HttpRequest, *, close: bool) -> None:
        traffic = self._traffic
        traffic.answered += 1
        close = close or traffic.draining
        traffic.post(self._transport, traffic.render(response, bodiless=request.method == b"HEAD", close=close))
        if close:
            self._close()

    def _refuse_head(self) -> None:
        limit = self._traffic.limits.head_bytes
        self._refuse(431, f"the request line and headers are longer than the {limit} bytes that are read at most")

    def _refuse(self, status: int, message: str) -> None:
        """Answer though the request is not whole, and read no other one from this connection."""
        traffic = self._traffic
        path = b"" if self._in_head or not self._reading else self._path
        self._stop_reading()
        endpoint = traffic.refusing(path, refusal(status, message))
        request = HttpRequest(b"", path, b"", {}, b"")
        if self._task is not None or self._owed:
            self._queue(endpoint, request, close=True)
            return
        response = cast(HttpResponse, endpoint.answer(request))
        traffic.post(self._transport, traffic.render(response, bodiless=False, close=True))
        self.deadline = traffic.clock() + traffic.limits.discard_seconds

    def _stop_reading(self) -> None:
        self._discarding = True
        if self._reading:
            self._reading = False
            self._traffic.buffered -= self._body_bytes
            self._chunks = []

    def _close(self) -> None:
        self._stop_reading()
        self._waiting.clear()
        self.deadline = self._traffic.clock() + self._traffic.limits.write_seconds
        self._traffic.send()
        self._transport.close()

    def _patience(self) -> float:
        """Seconds that the request that is arriving may take as a whole."""
        patience = self._traffic.limits.request_seconds
        stated = None if self._in_head else timeout_of(self._query)
        return patience if stated is None else min(patience, stated)


def _origin_form(url: bytes) -> bytes:
    """``https://host/path?query`` as ``/path?query``: a server must accept both (RFC 9112, 3.2.2)."""
    if url.startswith(b"/"):
        return url
    try:
        parsed = httptools.parse_url(url)
    except httptools.HttpParserInvalidURLError:
        return url
    return (parsed.path or b"/") + (b"?" + parsed.query if parsed.query else b"")
