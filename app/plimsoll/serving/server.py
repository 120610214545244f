"""Listens, sweeps, and stops without losing an answer.

Order at a stop: readiness fails, new connections are still accepted for a stated time and every answer asks its
client to go elsewhere, then the listener closes, what is in flight is answered, and what is late is cut. (uvicorn
stops accepting at SIGTERM, while API servers still send: kubernetes.md 1.10.) Must not know signals or the clock.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from plimsoll.observations import Draining, Observe, Stopped
from plimsoll.serving.exchange import Endpoint
from plimsoll.serving.limits import Limits
from plimsoll.serving.protocol import Connection
from plimsoll.serving.traffic import Traffic

BACKLOG = 1024
SWEEP_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class DrainTimes:
    """How a stop goes, in seconds."""

    accept: float = 0
    """Go on accepting this long, until every API server has heard that we leave."""
    finish: float = 30
    """Then wait this long for what is in flight."""


class HttpsServer:
    """One port."""

    _traffic: Traffic
    _listener: asyncio.Server

    def __init__(self, routes: Mapping[bytes, Endpoint], limits: Limits, observe: Observe) -> None:
        self._routes = routes
        self._limits = limits
        self._observe = observe

    @property
    def draining(self) -> bool:
        """Whether it was asked to stop."""
        return self._traffic.draining

    @property
    def connections(self) -> int:
        """Open connections."""
        return len(self._traffic.connections)

    async def listen(self, host: str, port: int, tls: ssl.SSLContext) -> int:
        """Open the port and answer; the port that was taken for 0. Raises OSError where it cannot be had."""
        loop = asyncio.get_running_loop()
        traffic = self._traffic = Traffic(self._routes, self._limits, self._observe, loop)
        self._listener = await loop.create_server(
            lambda: Connection(traffic),
            host,
            port,
            ssl=tls,
            backlog=BACKLOG,
            ssl_handshake_timeout=self._limits.handshake_seconds,
            ssl_shutdown_timeout=self._limits.discard_seconds,
        )
        taken: int = self._listener.sockets[0].getsockname()[1]
        return taken

    async def run(self, stop: asyncio.Event, drain: DrainTimes) -> None:
        """Serve, after ``listen``, until ``stop`` is set and the drain is over."""
        traffic = self._traffic
        sweeper = asyncio.create_task(self._sweep(traffic))
        try:
            await stop.wait()
            traffic.draining = True
            self._observe(Draining(accept_seconds=drain.accept, connections=len(traffic.connections)))
            await asyncio.sleep(drain.accept)
            self._listener.close()
            aborted = await self._finish(traffic, drain.finish)
            self._observe(Stopped(answered=traffic.answered, aborted=aborted))
        finally:
            self._listener.close()
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
