"""The bounds of the server: every size and every wait has one.

Values alone; ``serving.protocol`` and ``serving.server`` keep them.
"""

from __future__ import annotations

from msgspec import Struct

MIB = 1024 * 1024


class Limits(Struct, frozen=True, kw_only=True):
    """Bytes and seconds."""

    head_bytes: int = 32 * 1024
    """Request line and headers."""
    body_bytes: int = 8 * MIB
    """An AdmissionReview holds at most two objects of 3 MiB (kubernetes.md 1.9)."""
    buffered_bytes: int = 64 * MIB
    """Bodies that are still arriving, over all connections."""
    request_seconds: float = 30
    """From a request's first byte to its last; less where the API server says that it will not wait so long."""
    write_seconds: float = 30
    """How long a client may leave an answer unread."""
    idle_seconds: float = 120
    """Above the API server's 90 s, so that it closes first: it never resends a POST (kubernetes.md 1.10)."""
    handshake_seconds: float = 10
    discard_seconds: float = 2
    """After a refusal in the middle of a request, input is read and dropped this long: closing at once would make the
    kernel reset the connection, and the client would never see why."""
    connections: int = 1000
    """Beyond it a request is answered with 503; beyond twice as many connections are cut."""
