"""AdmissionReview of admission.k8s.io/v1 on the wire: bytes → AdmissionRequest, answer → bytes.

Only v1 is spoken; the objects inside stay undecoded bytes. What the API server verifies of an answer (uid echoed
exactly, patch and patchType together, base64 of a JSON array) holds by construction. No framework, no pydantic: this is
on the path of every pod.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import msgspec
from msgspec import Raw, Struct

from plimsoll.admission.request import AdmissionRequest
from plimsoll.admission.response import AdmissionResponse
from plimsoll.errors import MalformedReview
from plimsoll.objects.read import complaint_of

API_VERSION = "admission.k8s.io/v1"
KIND = "AdmissionReview"

_REASONS = {400: "BadRequest", 403: "Forbidden"}


class _Kind(Struct, gc=False):
    group: str | None = None
    version: str | None = None
    kind: str | None = None


class _User(Struct, gc=False):
    username: str | None = None


class _Request(Struct, gc=False):
    uid: str | None = None
    kind: _Kind | None = None
    subResource: str | None = None  # noqa: N815 - Kubernetes' name
    operation: str | None = None
    name: str | None = None
    namespace: str | None = None
    userInfo: _User | None = None  # noqa: N815
    dryRun: bool | None = None  # noqa: N815
    object: Raw = Raw(b"null")
    oldObject: Raw = Raw(b"null")  # noqa: N815


class _Review(Struct, gc=False):
    apiVersion: str | None = None  # noqa: N815
    kind: str | None = None
    request: _Request | None = None


_DECODER = msgspec.json.Decoder(_Review)
_ENCODER = msgspec.json.Encoder()


def decode_review(body: bytes) -> AdmissionRequest:
    """The question in ``body``. Raises MalformedReview, which says what was found and what is accepted."""
    try:
        review = _DECODER.decode(body)
    except msgspec.ValidationError as error:
        pointer, reason = complaint_of(error)
        raise MalformedReview(f"at {pointer or '/'}: {reason}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedReview(f"the body is not JSON: {error}; an {KIND} of {API_VERSION} is accepted") from None
    except RecursionError:
        raise MalformedReview("the body is nested too deeply to be read") from None
    if review.apiVersion != API_VERSION or review.kind != KIND:
        found = f"{(review.apiVersion or 'nothing')[:80]!r} {(review.kind or 'nothing')[:80]!r}"
        raise MalformedReview(f"apiVersion and kind are {found}; {API_VERSION} {KIND} is accepted")
    request = review.request
    if request is None:
        raise MalformedReview("at /request: missing")
    if not request.uid:
        raise MalformedReview("at /request/uid: missing; the answer must echo it")
    if request.kind is None or not request.kind.kind:
        raise MalformedReview("at /request/kind: missing; group, version and kind of the object are needed")
    if not request.operation:
        raise MalformedReview("at /request/operation: missing; CREATE, UPDATE, DELETE or CONNECT is accepted")
    kind = request.kind
    return AdmissionRequest(
        uid=request.uid,
        api_version=f"{kind.group}/{kind.version or ''}" if kind.group else kind.version or "",
        kind=kind.kind or "",
        sub_resource=request.subResource or "",
        operation=request.operation,
        name=request.name or "",
        namespace=request.namespace or "",
        username=(request.userInfo.username if request.userInfo else None) or "",
        dry_run=bool(request.dryRun),
        object=_present(request.object),
        old_object=_present(request.oldObject),
    )


def _present(raw: Raw) -> Raw | None:
    return None if raw == _NULL else raw


_NULL = Raw(b"null")


def encode_response(request: AdmissionRequest, response: AdmissionResponse) -> bytes:
    """The AdmissionReview that answers ``request``."""
    answer: dict[str, Any] = {"uid": request.uid, "allowed": response.allowed}
    if response.patch:
        answer["patchType"] = "JSONPatch"
        answer["patch"] = b64encode(_ENCODER.encode(response.patch)).decode()
    if response.warnings:
        answer["warnings"] = response.warnings
    if response.audit_annotations:
        answer["auditAnnotations"] = response.audit_annotations
    if not response.allowed:
        status: dict[str, Any] = {
            "code": response.code,
            "reason": _REASONS.get(response.code, "Forbidden"),
            "message": response.message,
        }
        if response.causes:
            status["details"] = {"causes": response.causes}
        answer["status"] = status
    return _ENCODER.encode({"apiVersion": API_VERSION, "kind": KIND, "response": answer})
