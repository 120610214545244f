"""Keeps the newest usable certificate in force while the server runs.

Asks the source, swaps what it found, tells why where it could not: a bad pair, a full disk or a vanished file leaves
the old certificate in force. When to look is for ``wiring`` to say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from plimsoll.certs.context import TlsFront
from plimsoll.certs.renewal import Certificate
from plimsoll.certs.source import Served, Source
from plimsoll.errors import CertificateError
from plimsoll.observations import CertificateIssued, CertificateRejected, CertificateSwapped, Observe


@dataclass(slots=True)
class CertificateKeeper:
    """The source, what is served from it now, and what is wrong with what it holds now."""

    source: Source
    observe: Observe
    now: Callable[[], datetime]
    certificate: Certificate
    front: TlsFront
    problem: str = ""
    """Why the newest pair is not served; empty while it is."""
    _suspect: str = ""

    @classmethod
    def start(cls, source: Source, observe: Observe, now: Callable[[], datetime]) -> CertificateKeeper:
        """The first certificate. Raises CertificateError where there is none to serve."""
        served = source.refresh(now())
        if served is None:
            raise CertificateError("there is no certificate to serve")
        keeper = cls(source, observe, now, served.certificate, TlsFront(served.context))
        keeper._tell(served)
        return keeper

    async def look(self) -> None:
        """One round: ask the source, in a thread, because a network file system may hang."""
        try:
            served = await asyncio.to_thread(self.source.refresh, self.now())
        except (CertificateError, OSError) as error:
            # Half of a pair is often seen while it is being written, so only what lasts is told.
            reason = str(error)
            if reason == self._suspect and reason != self.problem:
                self.problem = reason
                self.observe(CertificateRejected(reason=reason, serving_until=self.certificate.not_after))
            self._suspect = reason
            return
        self._suspect = self.problem = ""
        if served is not None:
            self.front.swap(served.context)
            self.certificate = served.certificate
            self._tell(served)

    def _tell(self, served: Served) -> None:
        names = tuple(sorted(served.certificate.names))
        if served.issued_because:
            self.observe(CertificateIssued(reason=served.issued_because, names=names))
        self.observe(CertificateSwapped(names=names, not_after=served.certificate.not_after))
