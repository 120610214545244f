"""The TLS context that swaps its certificate without dropping a connection.

The listener holds one *front* context for ever; its SNI callback (called for every handshake, with or without a
server name) hands each new connection to the context that is current then. Open connections keep theirs.
Loading a new pair into the live context instead would break every later handshake where the pair is bad.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from plimsoll.errors import CertificateError


class TlsFront:
    """Hands every new handshake to the newest serving context."""

    def __init__(self, serving: ssl.SSLContext) -> None:
        self._serving = serving
        self.context = _bare_context()
        """The context to listen with."""
        self.context.sni_callback = self._choose

    def swap(self, serving: ssl.SSLContext) -> None:
        """Later handshakes get ``serving``; open connections live on as they are."""
        self._serving = serving

    def _choose(self, connection: ssl.SSLObject, server_name: str, front: ssl.SSLContext) -> None:
        connection.context = self._serving


def serving_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """A context that serves the PEM certificate chain with its PEM key.

    Raises CertificateError where the two do not fit; nobody is asked for a password.
    """
    context = _bare_context()
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except OSError as error:  # ssl.SSLError is one
        raise CertificateError(f"{certificate} and {key} cannot be served: {error.strerror or error}") from error
    return context


def _no_password() -> bytes:
    raise CertificateError("the private key is encrypted; a key without a password is accepted")


def _bare_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # The API server speaks HTTP/1.1 to webhooks, except on loopback, where it would choose h2 if we offered it.
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    # No resumption: a resumed session would show its client the certificate of yesterday.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    return context
