"""``/healthz``, ``/readyz`` and ``/metrics`` as endpoints, in the manner of the API server's own probes.

Liveness says nothing but that the loop turns; readiness asks everything that an answer depends on. Knows what is
asked only as a function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from plimsoll.observations import Observe, fault_of
from plimsoll.serving.exchange import TEXT, Endpoint, HttpRequest, HttpResponse, refusal

METRICS_TEXT = b"text/plain; version=0.0.4; charset=utf-8"


class Condition(Struct, frozen=True):
    """One thing that an answer depends on."""

    name: str
    holds: bool
    detail: str
    """Worth reading even where it holds: ``3 loaded from policies/; the newest version is invalid: …``."""


def probes(
    conditions: Callable[[], Iterable[Condition]], metrics: Callable[[], bytes], observe: Observe
) -> dict[bytes, Endpoint]:
    """The three endpoints."""

    def healthy(request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, b"ok\n", TEXT)

    def ready(request: HttpRequest) -> HttpResponse:
        found = list(conditions())
        holds = all(each.holds for each in found)
        verbose = any(part.partition(b"=")[0] == b"verbose" for part in request.query.split(b"&"))
        if holds and not verbose:
            return HttpResponse(200, b"ok\n", TEXT)
        lines = [f"[{'+' if each.holds else '-'}]{each.name}: {each.detail}" for each in found]
        lines.append("ready" if holds else "not ready")
        return HttpResponse(200 if holds else 503, "\n".join(lines).encode() + b"\n", TEXT)

    def measured(request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, metrics(), METRICS_TEXT)

    return {
        b"/healthz": Endpoint(b"GET", healthy, fault_answer(observe)),
        b"/readyz": Endpoint(b"GET", ready, fault_answer(observe)),
        b"/metrics": Endpoint(b"GET", measured, fault_answer(observe)),
    }


def fault_answer(observe: Observe) -> Callable[[HttpRequest, BaseException], HttpResponse]:
    """For endpoints without a failure mode: tell of the defect, answer 500 without a word of it."""

    def answer(request: HttpRequest, fault: BaseException) -> HttpResponse:
        observe(fault_of(request.path.decode("ascii", "replace"), fault))
        return refusal(500, "plimsoll met an unforeseen error; its log has the traceback")

    return answer
