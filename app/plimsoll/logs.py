"""Observations as log lines on standard error: JSON where a machine reads, aligned text on a terminal.

One line per decision. A thread writes them: a reader that has stopped reading must not stop an admission, so beyond
a bound lines are dropped and counted. Must not hold request bodies, keys or tokens: observations have none.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

from plimsoll import observations as seen
from plimsoll.observations import Observation

MAX_WAITING_BYTES = 8 * 1024 * 1024
BATCH_SECONDS = 0.05
REFUSALS_PER_SECOND = 10
"""Lines about refused requests; a flood of bad requests shall not become a flood of lines."""

LEVELS: dict[type[Observation], str] = {
    seen.Reviewed: "info",
    seen.FailureModeAnswered: "warning",
    seen.RequestRefused: "info",
    seen.Fault: "error",
    seen.PoliciesLoaded: "info",
    seen.PoliciesRejected: "error",
    seen.LastGoodRestored: "warning",
    seen.LastGoodNotKept: "warning",
    seen.CertificateIssued: "info",
    seen.CertificateSwapped: "info",
    seen.CertificateRejected: "error",
    seen.ServerReady: "info",
    seen.Draining: "info",
    seen.Stopped: "info",
}
"""Every observation that becomes a line; its name in the log is the class's, in snake case."""


def event_name(observation: type[Observation]) -> str:
    """``PoliciesLoaded`` → ``policies_loaded``."""
    name = observation.__name__
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


class LineWriter:
    """Gives lines to a file descriptor from a thread of its own, in order and in batches."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._waiting: deque[bytes] = deque()
        self._taken = 0
        """Bytes given to us; only ``write`` changes it, as only the thread changes ``_written``."""
        self._written = 0
        self._wake = threading.Event()
        self._closing = False
        self.lost = 0
        """Lines that were dropped because nobody read."""
        self._thread = threading.Thread(target=self._run, name="log lines", daemon=True)
        self._thread.start()

    def write(self, line: bytes) -> None:
        """Never waits."""
        if self._taken - self._written + len(line) > MAX_WAITING_BYTES:
            self.lost += 1
            return
        self._taken += len(line)
        self._waiting.append(line)
        if not self._wake.is_set():
            self._wake.set()

    def close(self, seconds: float = 2.0) -> None:
        """Write what is left, for at most so long."""
        self._closing = True
        self._wake.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not (self._closing and not self._waiting):
            self._wake.wait()
            if not self._closing:
                time.sleep(BATCH_SECONDS)
            self._wake.clear()
            batch = b"".join(self._waiting.popleft() for _ in range(len(self._waiting)))
            self._give(memoryview(batch))
            self._written += len(batch)

    def _give(self, left: memoryview) -> None:
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:
                time.sleep(BATCH_SECONDS)
            except OSError:
                return  # nobody will ever read this again


class Logs:
    """The subscriber."""

    def __init__(self, write: Callable[[bytes], None], *, as_json: bool, colors: bool = False) -> None:
        self._write = write
        render = _as_json if as_json else _as_text(colors=colors)
        self._logger = structlog.wrap_logger(
            _Sink(write),
            processors=[structlog.processors.add_log_level, _timestamp, render],
            wrapper_class=structlog.BoundLogger,
            cache_logger_on_first_use=True,
        ).bind()
        self._lines = {kind: (getattr(self._logger, level), event_name(kind)) for kind, level in LEVELS.items()}
        self._second = 0
        self._refusals = 0

    def observe(self, observation: Observation) -> None:
        """One line, if the observation has one."""
        kind = type(observation)
        if kind is seen.RequestRefused and self._flooded():
            return
        log, event = self._lines[kind]
        log(event, **msgspec.structs.asdict(observation))

    def _flooded(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            suppressed = self._refusals - REFUSALS_PER_SECOND
            self._second, self._refusals = second, 0
            if suppressed > 0:
                self._logger.info("requests_refused_unlogged", count=suppressed)
        self._refusals += 1
        return self._refusals > REFUSALS_PER_SECOND


class _Sink:
    """What structlog calls a logger: it is handed the rendered line."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self.info = self.warning = self.error = write


def _timestamp(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["time"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


_ENCODER = msgspec.json.Encoder()


def _as_json(logger: Any, method: str, event: MutableMapping[str, Any]) -> bytes:
    line = _ENCODER.encode(event)
    if not line.isascii() or b"\x7f" in line:
        # Control characters above ASCII and marks that reverse a line's direction mean something to terminals.
        line = json.dumps(json.loads(line)).replace("\x7f", "\\u007f").encode()
    return line + b"\n"


def _as_text(*, colors: bool) -> Callable[[Any, str, MutableMapping[str, Any]], bytes]:
    renderer = structlog.dev.ConsoleRenderer(colors=colors, repr_native_str=True, timestamp_key="time", pad_event_to=22)

    def render(logger: Any, method: str, event: MutableMapping[str, Any]) -> bytes:
        traceback = event.pop("traceback", "")
        shown = {key: value for key, value in event.items() if value not in ("", (), None)}
        text = renderer(logger, method, shown)
        if traceback:
            text += "\n" + "\n".join(ascii(line)[1:-1] for line in str(traceback).splitlines())
        return text.encode("utf-8", "backslashreplace") + b"\n"

    return render
