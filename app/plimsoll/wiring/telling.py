"""Decisions are told after they were answered, a few together; whatever else is observed is told at once.

Logging and counting one decision between two requests costs four times what it costs beside seven others, because its
code must come back into the processor's caches each time (measured: 111 µs for a review and all it entails, 105 so).
Must not lose the order in which things were observed, nor when.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from threading import Lock

from plimsoll.logs import Logs
from plimsoll.metrics import Metrics
from plimsoll.observations import Observation, Reviewed

TOGETHER = 8
AT_LATEST_SECONDS = 0.05


class Telling:
    """Gives observations to the log and the metrics."""

    def __init__(self, logs: Logs, metrics: Metrics) -> None:
        self._logs = logs
        self._metrics = metrics
        self._untold: deque[tuple[int, Reviewed]] = deque()
        self._one_at_a_time = Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_due = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """From here on decisions may wait; before, and without, everything is told at once."""
        self._loop = loop

    def observe(self, observation: Observation) -> None:
        """From any thread."""
        if type(observation) is Reviewed:
            self._untold.append((time.time_ns() // 1_000_000, observation))
            if self._loop is not None and len(self._untold) < TOGETHER:
                if not self._is_due:
                    self._is_due = True
                    self._loop.call_soon_threadsafe(self._loop.call_later, AT_LATEST_SECONDS, self._tell_what_is_due)
                return
            self.tell()
        else:
            self.tell()
            self._logs.observe(observation)
            self._metrics.observe(observation)

    def tell(self) -> None:
        """Tell what has not been told."""
        with self._one_at_a_time:
            waited = [self._untold.popleft() for _ in range(len(self._untold))]
            for moment, reviewed in waited:
                self._logs.observe(reviewed, moment)
            for _, reviewed in waited:
                self._metrics.observe(reviewed)

    def stop(self) -> None:
        """Tell the rest; what comes later is told at once."""
        self._loop = None
        self.tell()

    def _tell_what_is_due(self) -> None:
        self._is_due = False
        self.tell()
