"""The answer to the API server, by name, and the trace that it leaves.

A refusal is a value. Each answer carries what the log line, the metric and the audit annotations say of it, so that
none of them has to be worked out from another.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from plimsoll.policy.patch import Operation

FORBIDDEN = 403
BAD_REQUEST = 400


class Verdict(Enum):
    """What an answer comes to; one metric label each."""

    ALLOWED = "allowed"
    """Judged, and nothing to say."""
    PATCHED = "patched"
    WARNED = "warned"
    AUDITED = "audited"
    """Violations that the mode only records."""
    DENIED = "denied"
    UNREADABLE = "unreadable"
    """The object cannot be read; refused where the policy enforces, else allowed with a warning."""
    SKIPPED = "skipped"
    """Not judged, for a stated reason."""


class Cause(Struct, frozen=True, gc=False):
    """One entry of ``status.details.causes``, for machines."""

    reason: str
    message: str
    field: str


class Trace(Struct, frozen=True, gc=False):
    """What is told of one review: bounded, and without anything the object's author could break a line with."""

    verdict: Verdict
    policy: str = ""
    mode: str = ""
    checks: tuple[str, ...] = ()
    """``container/check`` of each violation."""
    exempted: tuple[str, ...] = ()
    """``container/check (exemption)``."""
    settings: tuple[str, ...] = ()
    """``container requests.cpu=50m`` of each value set."""
    reason: str = ""
    """Why it was skipped, or what cannot be read."""


class AdmissionResponse(Struct, frozen=True, gc=False):
    """The answer. ``code`` and ``message`` mean something only where it is not allowed."""

    allowed: bool
    trace: Trace
    code: int = 0
    message: str = ""
    causes: tuple[Cause, ...] = ()
    patch: tuple[Operation, ...] = ()
    warnings: tuple[str, ...] = ()
    audit_annotations: dict[str, str] = {}


def skipped(reason: str, policy: str = "") -> AdmissionResponse:
    """Allowed without a judgement; never silently."""
    return AdmissionResponse(allowed=True, trace=Trace(Verdict.SKIPPED, policy=policy, reason=reason))
