"""The two endpoints that the API server calls, and what they answer when no decision can be made.

Plain functions from a request to an answer, because measurement says so: the same decision behind ASGI and a task
costs a tenth more. Must not decide anything itself, and must answer whatever happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from time import perf_counter

import msgspec

from plimsoll.admission.request import AdmissionRequest
from plimsoll.admission.response import FORBIDDEN, AdmissionResponse, Trace, Verdict
from plimsoll.admission.review import mutate, validate
from plimsoll.errors import MalformedReview, PolicyUnavailable
from plimsoll.observations import FailureModeAnswered, Observe, RequestRefused, Reviewed, fault_of
from plimsoll.policy.snapshot import Snapshot
from plimsoll.schemas.admission_review import decode_review, encode_response
from plimsoll.serving.exchange import JSON, Answer, Endpoint, HttpRequest, HttpResponse, refusal

LARGE_BYTES = 64 * 1024
"""A longer review is judged in a thread: a pod of ten thousand containers takes a fifth of a second, which those that
come meanwhile are not to wait for."""
Review = Callable[[AdmissionRequest, Snapshot, datetime], AdmissionResponse]


class Webhook:
    """Answers reviews by the policies that are in force at that moment."""

    def __init__(
        self, snapshot: Callable[[], Snapshot], now: Callable[[], datetime], observe: Observe, *, fail_open: bool
    ) -> None:
        """``fail_open``: whether what cannot be decided is allowed."""
        self._snapshot = snapshot
        self._now = now
        self._observe = observe
        self._fail_open = fail_open

    def endpoints(self, body_bytes: int) -> dict[bytes, Endpoint]:
        """``/mutate`` and ``/validate``."""
        reviews: dict[str, Review] = {"mutate": mutate, "validate": validate}
        return {
            b"/" + path.encode(): Endpoint(
                b"POST", partial(self._answer, path, review), partial(self._after_fault, path), (JSON,), body_bytes
            )
            for path, review in reviews.items()
        }

    def _answer(self, path: str, review: Review, asked: HttpRequest) -> Answer:
        if len(asked.body) > LARGE_BYTES:
            return asyncio.to_thread(self._reviewed, path, review, asked)
        return self._reviewed(path, review, asked)

    def _reviewed(self, path: str, review: Review, asked: HttpRequest) -> HttpResponse:
        began = perf_counter()
        try:
            request = decode_review(asked.body)
        except MalformedReview as error:
            self._observe(RequestRefused(path="/" + path, status=400, reason=error.reason[:500]))
            return refusal(400, error.reason)
        try:
            response = review(request, self._snapshot(), self._now())
        except PolicyUnavailable as error:
            response = self._by_failure_mode(path, request.uid, str(error))
        body = encode_response(request, response)
        trace = response.trace
        self._observe(
            Reviewed(
                path=path,
                uid=request.uid[:64],
                operation=request.operation[:16],
                kind=request.kind[:64],
                namespace=request.namespace[:64],
                name=request.name[:256],
                dry_run=request.dry_run,
                policy=trace.policy,
                mode=trace.mode,
                verdict=trace.verdict.value,
                allowed=response.allowed,
                checks=trace.checks,
                exempted=trace.exempted,
                settings=trace.settings,
                reason=trace.reason,
                seconds=perf_counter() - began,
            )
        )
        return HttpResponse(200, body)

    def _after_fault(self, path: str, asked: HttpRequest, fault: BaseException) -> HttpResponse:
        self._observe(fault_of("/" + path, fault))
        try:
            uid = msgspec.json.decode(asked.body, type=_OnlyUid).request.uid
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return refusal(400, "at /request/uid: it cannot be read; the answer must echo it")
        response = self._by_failure_mode(path, uid, "an unforeseen error; the log has the traceback")
        request = AdmissionRequest(uid, "", "", "", "", "", "", "", False, None, None)
        return HttpResponse(200, encode_response(request, response))

    def _by_failure_mode(self, path: str, uid: str, reason: str) -> AdmissionResponse:
        allowed = self._fail_open
        self._observe(FailureModeAnswered(path=path, uid=uid[:64], allowed=allowed, reason=reason))
        said = f"plimsoll: not judged, {'allowed' if allowed else 'refused'} by the failure mode: {reason}"[:250]
        return AdmissionResponse(
            allowed=allowed,
            trace=Trace(Verdict.SKIPPED, reason=reason),
            code=0 if allowed else FORBIDDEN,
            message="" if allowed else said,
            warnings=(said,) if allowed else (),
        )


class _Uid(msgspec.Struct):
    uid: str


class _OnlyUid(msgspec.Struct):
    request: _Uid
