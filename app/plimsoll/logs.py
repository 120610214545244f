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
from collections.abc import Callable
from functools import lru_cache

import msgspec

from plimsoll import observations as seen
from plimsoll.observations import Observation, RefusalsUnlogged, RequestRefused

MAX_WAITING_BYTES = 8 * 1024 * 1024
BATCH_SECONDS = 0.05
REFUSALS_PER_SECOND = 10
"""Lines about refused requests; a flood of bad requests shall not become a flood of lines."""

LEVELS: dict[type[Observation], str] = {
    seen.Reviewed: "info",
    seen.FailureModeAnswered: "warning",
    seen.RequestRefused: "info",
    seen.RefusalsUnlogged: "info",
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
    """The subscriber. Lines begin with time, level and event, whatever the format."""

    def __init__(self, write: Callable[[bytes], None], *, as_json: bool, colors: bool = False) -> None:
        self._write = write
        self._render = _as_json if as_json else _text_renderer(colors=colors)
        self._heads = {kind: (level, event_name(kind)) for kind, level in LEVELS.items()}
        self._clock = _Clock()
        self._second = 0
        self._refusals = 0

    def observe(self, observation: Observation, moment: int | None = None) -> None:
        """One line, if the observation has one. ``moment``: when it was, in milliseconds since 1970, if not now."""
        kind = type(observation)
        if kind is RequestRefused and self._flooded():
            return
        level, event = self._heads[kind]
        self._write(self._render(self._clock.text(moment), level, event, observation))

    def _flooded(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            unlogged = self._refusals - REFUSALS_PER_SECOND
            self._second, self._refusals = second, 0
            if unlogged > 0:
                self.observe(RefusalsUnlogged(count=unlogged))
        self._refusals += 1
        return self._refusals > REFUSALS_PER_SECOND


class _Clock:
    """The time of day as text, in UTC; a millisecond's text is made once, since a busy one has ten decisions."""

    def __init__(self) -> None:
        self._moment = self._second = 0
        self._text = self._until_second = ""

    def text(self, moment: int | None) -> str:
        if moment is None:
            moment = time.time_ns() // 1_000_000
        if moment != self._moment:
            self._moment = moment
            second, rest = divmod(moment, 1000)
            if second != self._second:
                self._second, self._until_second = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._text = f"{self._until_second}.{rest:03d}Z"
        return self._text


_ENCODER = msgspec.json.Encoder()


def _as_json(moment: str, level: str, event: str, observation: Observation) -> bytes:
    # Joined by hand: this is done for every pod, and a dict of the fields would cost as much again.
    line = _head(moment, level, event) + _ENCODER.encode(observation)[1:]
    if not line.isascii() or b"\x7f" in line:
        # Control characters above ASCII and marks that reverse a line's direction mean something to terminals.
        line = json.dumps(json.loads(line)).replace("\x7f", "\\u007f").encode()
    return line + b"\n"


@lru_cache(maxsize=32)
def _head(moment: str, level: str, event: str) -> bytes:
    return f'{{"time":"{moment}","level":"{level}","event":"{event}",'.encode()


def _text_renderer(*, colors: bool) -> Callable[[str, str, str, Observation], bytes]:
    from structlog.dev import ConsoleRenderer  # for people alone: a server in a cluster never loads it

    renderer = ConsoleRenderer(colors=colors, repr_native_str=True, timestamp_key="time", pad_event_to=22)

    def render(moment: str, level: str, event: str, observation: Observation) -> bytes:
        fields = msgspec.structs.asdict(observation)
        traceback = str(fields.pop("traceback", ""))
        shown = {name: value for name, value in fields.items() if value not in ("", (), None)}
        text = renderer(None, level, {"time": moment, "level": level, "event": event, **shown})
        for line in traceback.splitlines():
            text += "\n" + ascii(line)[1:-1]
        return text.encode("utf-8", "backslashreplace") + b"\n"

    return render
