"""Listens, sweeps, and stops without losing an answer.

Order at a stop: readiness fails, new connections are still accepted for a stated time and every answer asks its
client to go elsewhere, then the listener closes, what is in flight is answered, and what is late is cut. (uvicorn
stops accepting at SIGTERM, while API servers still send: kubernetes.md 1.10.) Must not know signals or the clock.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from plimsoll.observations import Draining, Observe, Stopped
from plimsoll.serving.exchange import Endpoint
from plimsoll.serving.limits import Limits
from plimsoll.serving.protocol import Connection
from plimsoll.serving.traffic import Traffic

BACKLOG = 1024
SWEEP_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class DrainTimes:
    """How a stop goes, in seconds."""

    accept: float = 0
    """Go on accepting this long, until every API server has heard that we leave."""
    finish: float = 30
    """Then wait this long for what is in flight."""


class HttpsServer:
    """One port. ``ready`` is for the readiness probe: listening and not draining."""

    def __init__(self, routes: Mapping[bytes, Endpoint], limits: Limits, observe: Observe) -> None:
        self._routes = routes
        self._limits = limits
        self._observe = observe
        self._traffic: Traffic | None = None

    @property
    def ready(self) -> bool:
        """Whether new requests are welcome."""
        return self._traffic is not None and not self._traffic.draining

    @property
    def connections(self) -> int:
        """Open connections."""
        return 0 if self._traffic is None else len(self._traffic.connections)

    async def run(
        self,
        address: tuple[str, int],
        tls: ssl.SSLContext,
        stop: asyncio.Event,
        drain: DrainTimes,
        started: Callable[[int], None],
    ) -> None:
        """Serve until ``stop`` is set and the drain is over. ``started`` gets the port. Raises OSError."""
        loop = asyncio.get_running_loop()
        traffic = self._traffic = Traffic(self._routes, self._limits, self._observe, loop)
        listener = await loop.create_server(
            lambda: Connection(traffic),
            *address,
            ssl=tls,
            backlog=BACKLOG,
            ssl_handshake_timeout=self._limits.handshake_seconds,
            ssl_shutdown_timeout=self._limits.handshake_seconds,
        )
        sweeper = loop.create_task(self._sweep(traffic))
        try:
            started(listener.sockets[0].getsockname()[1])
            await stop.wait()
            traffic.draining = True
            self._observe(Draining(accept_seconds=drain.accept, connections=len(traffic.connections)))
            await asyncio.sleep(drain.accept)
            listener.close()
            aborted = await self._finish(traffic, drain.finish)
            self._observe(Stopped(answered=traffic.answered, aborted=aborted))
        finally:
            listener.close()
            sweeper.cancel()
            for client in list(traffic.connections):
                client.abort()

    async def _finish(self, traffic: Traffic, seconds: float) -> int:
        deadline = traffic.clock() + seconds
        await asyncio.sleep(0.05)  # requests that the kernel has already taken are read, and answered, first
        for client in list(traffic.connections):
            client.finish()
        while traffic.connections and traffic.clock() < deadline:
            await asyncio.sleep(0.02)
        return len(traffic.connections)

    @staticmethod
    async def _sweep(traffic: Traffic) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            traffic.sweep()
