"""Asks the audit's own process, which is started at the first question and ended after a while without one.

Bounded: one question at a time, few that wait, a time for each. What goes wrong in the other process ends it, and
never this one.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

import msgspec

from plimsoll.files.policies import Version
from plimsoll.observations import Fault, Observe
from plimsoll.serving.exchange import HttpResponse, refusal
from plimsoll.wiring.audit_child import LENGTH_BYTES, OUT_OF_MEMORY, Question, encode_frame

COMMAND = (sys.executable, "-m", "plimsoll.wiring.audit_child")
MAX_WAITING = 8
AUDIT_SECONDS = 30.0
IDLE_SECONDS = 60.0
MAX_TOLD = 8192
"""Bytes of the other process's last words."""


class Auditor:
    """``audit`` for the API. ``version`` gives the policies in force."""

    def __init__(
        self,
        version: Callable[[], Version],
        sources: tuple[str, ...],
        observe: Observe,
        *,
        command: tuple[str, ...] = COMMAND,
        seconds: float = AUDIT_SECONDS,
    ) -> None:
        """``command`` starts the other process; ``seconds`` are what one audit may take."""
        self._command = command
        self._seconds = seconds
        self._version = version
        self._sources = sources
        self._observe = observe
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._process: asyncio.subprocess.Process | None = None
        self._known = ""
        """Digest of the policies that the process has."""
        self._idle: asyncio.TimerHandle | None = None

    async def audit(self, text: str, namespace: str) -> HttpResponse:
        """The Report of ``text``, or a refusal."""
        if self._waiting >= MAX_WAITING:
            return refusal(429, f"{MAX_WAITING} audits are waiting already; try again later")
        self._waiting += 1
        try:
            async with self._turn:
                return await self._asked(text, namespace)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the process."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()

    async def _asked(self, text: str, namespace: str) -> HttpResponse:
        if self._idle is not None:
            self._idle.cancel()
        done = False
        try:
            async with asyncio.timeout(self._seconds):
                process = await self._started()
                answer = await self._answer(process, text, namespace)
            done = isinstance(answer, bytes)
        except TimeoutError:
            return refusal(413, f"judging took longer than {self._seconds:g} s; send fewer objects at once")
        finally:
            if not done:  # also where the client left: an answer that nobody waits for would meet the next question
                self.close()
        if isinstance(answer, HttpResponse):
            return answer
        self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.close)
        return HttpResponse(200, answer)

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._known = ""
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,  # a ^C in the terminal is for the server, which ends this one
            )
        return self._process

    async def _answer(self, process: asyncio.subprocess.Process, text: str, namespace: str) -> bytes | HttpResponse:
        version = self._version()
        news = version.manifests if version.digest != self._known else None
        question = msgspec.msgpack.encode(Question(news, self._sources, text, namespace))
        assert process.stdin and process.stdout and process.stderr  # noqa: S101, PT018 - pipes were asked for
        try:
            process.stdin.write(encode_frame(question))
            await process.stdin.drain()
            length = int.from_bytes(await process.stdout.readexactly(LENGTH_BYTES), "big")
            answer = await process.stdout.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            told = (await process.stderr.read(MAX_TOLD)).decode("utf-8", "replace")
            if await process.wait() == OUT_OF_MEMORY:
                return refusal(413, "judging took more memory than it is given; send fewer objects at once")
            self._observe(Fault(where="/v1/audit", error="audit process ended", traceback=told))
            return refusal(500, "the audit met an unforeseen error; the log has its traceback")
        self._known = version.digest
        return answer
