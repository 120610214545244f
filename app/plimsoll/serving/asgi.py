"""An ASGI application as a coroutine endpoint: whole request in, whole response out.

For what FastAPI serves; it streams nothing, so neither do we. Must not be put on the path of a pod.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from plimsoll.serving.exchange import HttpRequest, HttpResponse

Message = dict[str, Any]
AsgiApp = Callable[[Any, Any, Any], Coroutine[Any, Any, None]]
OWN_HEADERS = (b"content-length", b"content-type", b"connection", b"date", b"transfer-encoding")


def through(app: AsgiApp) -> Callable[[HttpRequest], Coroutine[Any, Any, HttpResponse]]:
    """An endpoint's ``answer`` that asks ``app``. What ``app`` raises passes on to the endpoint's ``after_fault``."""

    async def answer(request: HttpRequest) -> HttpResponse:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "GET" if request.method == b"HEAD" else request.method.decode(),
            "scheme": "https",
            "path": request.path.decode(),
            "raw_path": request.path,
            "query_string": request.query,
            "root_path": "",
            "headers": list(request.headers.items()),
            "client": None,
            "server": None,
        }
        given = False
        started: Message = {}
        body: list[bytes] = []

        async def receive() -> Message:
            nonlocal given
            if given:
                return {"type": "http.disconnect"}
            given = True
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.update(message)
            else:
                body.append(message.get("body", b""))

        await app(scope, receive, send)
        headers = [(bytes(name).lower(), bytes(value)) for name, value in started.get("headers", ())]
        return HttpResponse(
            status=started["status"],
            body=b"".join(body),
            content_type=dict(headers).get(b"content-type", b"application/octet-stream"),
            headers=tuple(header for header in headers if header[0] not in OWN_HEADERS),
        )

    return answer
