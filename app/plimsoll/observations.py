"""One frozen value per thing worth telling. Rooms take ``observe`` and know nothing of logs or metrics.

The name of the class is the name of the log line (``docs/logs.md``). Values here hold no request bodies, no keys and
no tokens, and every text in them may come from a hostile author: whoever renders them escapes.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from datetime import datetime

from msgspec import Struct


class Observation(Struct, frozen=True, kw_only=True):
    """Base of all; what a subscriber is given."""


Observe = Callable[[Observation], None]


class Reviewed(Observation, frozen=True, kw_only=True, gc=False):
    """One admission request was answered."""

    path: str
    """``mutate`` or ``validate``."""
    uid: str
    operation: str
    kind: str
    namespace: str
    name: str
    """Name, or the generated name's prefix; may be empty."""
    dry_run: bool
    policy: str
    """Name of the governing policy; empty where none governs or none is known."""
    mode: str
    verdict: str
    allowed: bool
    checks: tuple[str, ...] = ()
    """``container/check`` of each violation."""
    exempted: tuple[str, ...] = ()
    """``container/check (exemption)``."""
    settings: tuple[str, ...] = ()
    """``container requests.cpu=50m`` of each value that was set."""
    reason: str = ""
    """Why it was skipped or could not be judged."""
    seconds: float
    """From the whole body to the answer's bytes."""


class FailureModeAnswered(Observation, frozen=True, kw_only=True):
    """No decision could be made; the failure mode answered."""

    path: str
    uid: str
    allowed: bool
    reason: str


class RequestRefused(Observation, frozen=True, kw_only=True):
    """A request was answered with a 4xx or 503 before anybody judged it."""

    path: str
    """One of our own paths, or empty: a foreign path would be an unbounded label."""
    status: int
    reason: str


class RefusalsUnlogged(Observation, frozen=True, kw_only=True):
    """So many refusals of one second have no line of their own."""

    count: int


class Fault(Observation, frozen=True, kw_only=True):
    """Something unforeseen: a defect of ours, with its traceback."""

    where: str
    error: str
    traceback: str


def fault_of(where: str, fault: BaseException) -> Fault:
    """The Fault that ``fault`` is; its traceback is bounded, because a recursion can be a thousand frames deep."""
    told = "".join(traceback.format_exception(fault, limit=-20))
    return Fault(where=where, error=type(fault).__name__, traceback=told)


class PoliciesLoaded(Observation, frozen=True, kw_only=True):
    """A new version of the policies is in force."""

    origin: str
    policies: tuple[str, ...]
    exemptions: int
    namespaces: int
    limit_ranges: int
    version: str
    """Short digest of the text."""
    seconds: float


class PoliciesRejected(Observation, frozen=True, kw_only=True):
    """The newest version of the policies is invalid or cannot be read; the last good one stays in force."""

    origin: str
    problems: tuple[str, ...]
    """File, line, pointer, what was found and what would be accepted; one text each."""
    in_force: str
    """Version that stays in force; empty at a start without one."""


class LastGoodRestored(Observation, frozen=True, kw_only=True):
    """The server started on the last good policies from the state folder."""

    version: str
    policies: tuple[str, ...]
    saved_at: datetime


class LastGoodNotKept(Observation, frozen=True, kw_only=True):
    """Policies are in force, but could not be written to the state folder: a restart could not fall back to them."""

    reason: str


class CertificateIssued(Observation, frozen=True, kw_only=True):
    """A certificate of our own was issued."""

    reason: str
    names: tuple[str, ...]


class CertificateSwapped(Observation, frozen=True, kw_only=True):
    """New handshakes get this certificate; open connections live on."""

    names: tuple[str, ...]
    not_after: datetime


class CertificateRejected(Observation, frozen=True, kw_only=True):
    """The newest certificate cannot be served; the old one stays."""

    reason: str
    serving_until: datetime


class ServerReady(Observation, frozen=True, kw_only=True):
    """The port is open and policies are in force."""

    address: str
    version: str
    seconds: float
    """Since the program started."""


class Draining(Observation, frozen=True, kw_only=True):
    """A signal asked us to stop: not ready any more, still answering."""

    accept_seconds: float
    connections: int


class Stopped(Observation, frozen=True, kw_only=True):
    """The last connection is closed."""

    answered: int
    aborted: int
    """Connections that were cut because their requests did not end in time."""
