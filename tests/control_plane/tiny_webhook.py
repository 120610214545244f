"""The smallest admission webhook that a real API server accepts: a function from review to response, over TLS.

It proves the harness without the product, and stands in for other people's webhooks (a sidecar injector, say).
HTTP/1.1 only: on loopback the API server would otherwise speak HTTP/2.
"""

import base64
import json
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.control_plane.api import Object
from tests.control_plane.certificates import ServingCertificate

Answer = Callable[[Object], Object]
"""From `request` of an AdmissionReview to `response`, without the uid."""


class TinyWebhook:
    """`with TinyWebhook(certificate, {"/mutate": answer}) as webhook:` serves at `webhook.url` until the end.

    `requests` holds every AdmissionRequest that came, oldest first; `answers` may be changed while it serves.
    """

    def __init__(self, certificate: ServingCertificate, answers: dict[str, Answer]) -> None:
        self.requests: list[Object] = []
        self.answers = answers
        self.ca_bundle = base64.b64encode(certificate.ca_pem).decode()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.cert, certificate.key)
        context.set_alpn_protocols(["http/1.1"])
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._server.server_port}"

    def answer(self, path: str, review: Object) -> Object:
        """The whole AdmissionReview to send back."""
        request = review["request"]
        self.requests.append(request)
        response = {"uid": request["uid"], **self.answers[path](request)}
        return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def allow(_: Object) -> Object:
    return {"allowed": True}


def json_patch(*operations: dict[str, Any]) -> Object:
    """A response that allows and patches."""
    patch = base64.b64encode(json.dumps(operations).encode()).decode()
    return {"allowed": True, "patchType": "JSONPatch", "patch": patch}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Connections that the API server keeps open for reuse must not hold up the end of a test.
    block_on_close = False


def _handler(webhook: TinyWebhook) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:  # the name that http.server asks for
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(webhook.answer(self.path.partition("?")[0], review)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing: pytest would show it beside every failure."""

    return Handler
