"""Where the serving certificate comes from: our own in the state folder, or a pair of files that is given.

Each source answers ``refresh(now)`` with the newest usable pair, or None while nothing changed, and raises
CertificateError where what it finds cannot be served; the caller keeps the old one. Must not know the clock.
"""

from __future__ import annotations

import ssl
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from plimsoll.certs import x509
from plimsoll.certs.context import serving_context
from plimsoll.certs.renewal import Certificate, RenewalPlan, plan_renewal
from plimsoll.errors import CertificateError

AUTHORITY = "authority.pem"
LEAF = "serving.pem"
CLIENTS = "ca.crt"


@dataclass(frozen=True, slots=True)
class Served:
    """A certificate ready to be served."""

    context: ssl.SSLContext
    certificate: Certificate
    issued_because: str
    """Why it was issued just now; empty where it was found."""


class Source(Protocol):
    """Gives the newest usable certificate."""

    def refresh(self, now: datetime) -> Served | None:
        """A new one, or None while nothing changed. Raises CertificateError or OSError; the old one stays."""


class Store(Protocol):
    """A private folder with atomic writes (``files.state``)."""

    def read(self, name: str) -> bytes | None:
        """Content, or None where there is no such file."""

    def write(self, name: str, content: bytes, *, private: bool) -> None:
        """Replace atomically; private files are for this user alone."""

    def path(self, name: str) -> Path:
        """Where it is."""

    def locked(self) -> AbstractContextManager[None]:
        """No other process writes meanwhile."""


class OwnCertificate:
    """An authority and a serving certificate of our own, renewed at two thirds of their lives.

    Key and certificate share one file, so that no reader ever sees halves of two pairs. ``ca.crt`` is what
    clients trust; after the authority is renewed it holds the old one too, until that one ends.
    """

    def __init__(self, store: Store, names: frozenset[str]) -> None:
        self._store = store
        self._names = names
        self._served = b""

    def refresh(self, now: datetime) -> Served | None:
        """See Source."""
        reason = ""
        if self._plan(now).reason or not self._clients_trust_us():
            with self._store.locked():
                plan = self._plan(now)  # another process may just have done it
                reason = plan.reason
                self._issue(plan, now)
        pem = self._store.read(LEAF)
        if pem is None or pem == self._served:
            return None
        path = self._store.path(LEAF)
        served = Served(serving_context(path, path), x509.read_certificate(pem), reason)
        self._served = pem
        return served

    def _plan(self, now: datetime) -> RenewalPlan:
        authority, leaf = self._facts(AUTHORITY), self._facts(LEAF)
        return plan_renewal(authority, leaf, self._names, now)

    def _facts(self, name: str) -> Certificate | None:
        pem = self._store.read(name)
        if pem is None:
            return None
        try:
            return x509.read_pair(pem, pem)
        except CertificateError:
            return None

    def _clients_trust_us(self) -> bool:
        authority = self._store.read(AUTHORITY)
        return authority is not None and x509.certificates_of(authority) in (self._store.read(CLIENTS) or b"")

    def _issue(self, plan: RenewalPlan, now: datetime) -> None:
        authority = self._store.read(AUTHORITY)
        if plan.authority or authority is None:
            authority = x509.issue_authority(now)
            self._store.write(AUTHORITY, authority, private=True)
        trusted = x509.certificates_of(authority)
        for older in x509.split_certificates(self._store.read(CLIENTS) or b""):
            if older not in trusted and x509.read_certificate(older).not_after > now:
                trusted += older
        self._store.write(CLIENTS, trusted, private=False)
        if plan.leaf:
            self._store.write(LEAF, x509.issue_leaf(authority, plan.names, now), private=True)


class GivenPair:
    """A certificate chain and a key in files that somebody else writes, compared by content."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._paths = (certificate, key)
        self._seen: tuple[bytes, bytes] | None = None

    def refresh(self, now: datetime) -> Served | None:
        """See Source. Both files are read before and after loading: a pair that changed meanwhile is not served."""
        content = self._read()
        if content == self._seen:
            return None
        try:
            certificate = x509.read_pair(*content)
        except CertificateError as error:
            raise CertificateError(f"{self._paths[0]} with {self._paths[1]}: {error.reason}") from error
        if certificate.not_after <= now:
            raise CertificateError(f"{self._paths[0]} expired at {certificate.not_after:%Y-%m-%dT%H:%M:%SZ}")
        context = serving_context(*self._paths)
        if self._read() != content:
            raise CertificateError(f"{self._paths[0]} or {self._paths[1]} changed while they were read")
        self._seen = content
        return Served(context, certificate, "")

    def _read(self) -> tuple[bytes, bytes]:
        return self._bounded(self._paths[0]), self._bounded(self._paths[1])

    @staticmethod
    def _bounded(path: Path) -> bytes:
        try:
            with path.open("rb") as file:
                return file.read(x509.MAX_BYTES + 1)
        except OSError as error:
            raise CertificateError(f"{path} cannot be read: {error.strerror}") from error
