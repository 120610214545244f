"""What an endpoint is given and what it answers, as values without a connection behind them.

Every refusal is a Kubernetes ``Status`` in JSON, because the API server passes its message on to whoever is waiting
(kubernetes.md 1.3). Must not know sockets, parsers or frameworks.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct

JSON = b"application/json"
TEXT = b"text/plain; charset=utf-8"

Headers = tuple[tuple[bytes, bytes], ...]


class HttpRequest(Struct, frozen=True, gc=False):
    """A request whose whole body has arrived, within the limits."""

    method: bytes
    path: bytes
    query: bytes
    headers: dict[bytes, bytes]
    """Names in lower case; of a repeated header the last one."""
    body: bytes


class HttpResponse(Struct, frozen=True, gc=False):
    """An answer; length, date and connection headers are the server's business."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: Headers = ()


Answer = HttpResponse | Coroutine[Any, Any, HttpResponse]


class Endpoint(Struct, frozen=True):
    """One path: which method it answers, and how."""

    method: bytes
    """GET includes HEAD."""
    answer: Callable[[HttpRequest], Answer]
    """A plain function answers at once, between two reads of the socket, and must take well under a millisecond or
    so; a coroutine function gets a task of its own."""
    after_fault: Callable[[HttpRequest, BaseException], HttpResponse]
    """The answer where ``answer`` raised."""
    media: tuple[bytes, ...] = ()
    """Accepted content types of the body; empty where a body means nothing."""
    body_bytes: int = 0
    """The longest accepted body."""


_REASONS = {
    400: "BadRequest",
    404: "NotFound",
    405: "MethodNotAllowed",
    408: "Timeout",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


def refusal(status: int, message: str, headers: Headers = ()) -> HttpResponse:
    """A ``v1`` Status document that says in ``message`` what was found and what would be accepted.

    Without Retry-After: it would make the API server sleep inside its own deadline (kubernetes.md 1.3).
    """
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": _REASONS.get(status, HTTPStatus(status).phrase.replace(" ", "")),
        "code": status,
    }
    return HttpResponse(status, msgspec.json.encode(body), JSON, headers)


def timeout_of(query: bytes) -> float | None:
    """Seconds the API server will wait, from ``?timeout=10s`` (kubernetes.md 1.3); None where it does not say."""
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        if name == b"timeout" and len(value) <= 6 and value.endswith(b"s") and value[:-1].isdigit():
            return float(value[:-1])
    return None
