"""Our server with an endpoint that decides nothing: what TLS, HTTP and the event loop cost without a decision.

`python -m tests.bench.nothing CERTIFICATE KEY` prints its address and serves until it is killed.
"""

import asyncio
import gc
import sys
from pathlib import Path

import uvloop
from plimsoll.certs.context import TlsFront, serving_context
from plimsoll.serving.exchange import JSON, Endpoint, HttpRequest, HttpResponse, refusal
from plimsoll.serving.limits import Limits
from plimsoll.serving.server import DrainTimes, HttpsServer

ANSWER = b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"0","allowed":true}}'


def answer(_: HttpRequest) -> HttpResponse:
    return HttpResponse(200, ANSWER)


def after_fault(_: HttpRequest, fault: BaseException) -> HttpResponse:
    return refusal(500, str(fault))


async def serve(certificate: Path, key: Path) -> None:
    limits = Limits()
    endpoint = Endpoint(b"POST", answer, after_fault, (JSON,), limits.body_bytes)
    server = HttpsServer({b"/nothing": endpoint}, limits, lambda _: None)
    port = await server.listen("127.0.0.1", 0, TlsFront(serving_context(certificate, key)).context)
    print(f"serving 127.0.0.1:{port}", flush=True)
    gc.freeze()
    await server.run(asyncio.Event(), DrainTimes())


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), Path(sys.argv[2])))
