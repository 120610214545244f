"""``plimsoll serve``: settings → objects → one TaskGroup. Everything in one process on one HTTPS port.

Supplies the clock, the signals and the event loop; decides nothing.
"""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop

from plimsoll import __version__
from plimsoll.api.app import JSON_MEDIA, YAML_MEDIA, create_app
from plimsoll.certs.keeper import CertificateKeeper
from plimsoll.certs.source import GivenPair, OwnCertificate, Source
from plimsoll.errors import InvalidPolicy, InvalidSettings
from plimsoll.files.policies import InForce, PolicyFiles, PolicyKeeper
from plimsoll.files.state import StateFolder
from plimsoll.logs import LineWriter, Logs
from plimsoll.metrics import Metrics
from plimsoll.observations import (
    LastGoodNotKept,
    LastGoodRestored,
    Observation,
    PoliciesLoaded,
    PoliciesRejected,
    ServerReady,
    fault_of,
)
from plimsoll.schemas.compile import Loaded
from plimsoll.serving.asgi import through
from plimsoll.serving.exchange import Endpoint
from plimsoll.serving.limits import Limits
from plimsoll.serving.probes import Condition, fault_answer, probes
from plimsoll.serving.server import DrainTimes, HttpsServer
from plimsoll.settings import Settings, flag
from plimsoll.webhook.app import Webhook
from plimsoll.wiring.auditor import Auditor
from plimsoll.wiring.local import compile_policies
from plimsoll.wiring.rounds import rounds
from plimsoll.wiring.telling import Telling

SWITCH_SECONDS = 0.0005
"""A thread that compiles policies gives the interpreter back this often, so that a review never waits for long
(Python's own 5 ms would be paid several times by each TLS request)."""
GC_THRESHOLDS = (5_000, 1_000, 100)
"""Young collections stay short, older ones are rare: each of them stops everything, a reload makes many objects at
once, a review makes no cycles, and what lives for ever is frozen after the start."""
MAX_PROBLEMS = 50
MAX_DETAIL = 4096
"""Characters of a line of ``/readyz?verbose``."""
DNS_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


class Server:
    """One server from its settings. Construction reads policies and certificate, and raises what is wrong with them.

    InvalidSettings: the state folder cannot be used. InvalidPolicy: no version of the policies is good.
    CertificateError: no certificate can be served.
    """

    def __init__(self, settings: Settings, began: float) -> None:
        """``began``: when the program started, on ``time.monotonic``."""
        self._settings = settings
        self._began = began
        policy_state, tls_state = _state_folders(settings.state_dir)
        terminal = sys.stderr.isatty()
        as_json = settings.log_format == "json" or (settings.log_format == "auto" and not terminal)
        self._lines = LineWriter(sys.stderr.fileno())
        self._logs = Logs(self._lines.write, as_json=as_json, colors=terminal)
        self._metrics = Metrics(lambda: self._lines.lost)
        self._telling = Telling(self._logs, self._metrics)
        try:
            files = PolicyFiles(settings.policies, policy_state, compile_policies)
            self.policies = PolicyKeeper(
                files, now, self._tell_policies, lambda reason: self.observe(LastGoodNotKept(reason=reason))
            )
            self.policies.start()
            source: Source
            if settings.tls_cert_file and settings.tls_private_key_file:
                source = GivenPair(settings.tls_cert_file, settings.tls_private_key_file)
            else:
                source = OwnCertificate(tls_state, _names(settings.host))
            self.certificates = CertificateKeeper.start(source, self.observe, now)
        except BaseException:
            self._lines.close()
            raise
        self.origin = str(settings.policies)
        self._auditor = Auditor(lambda: self.policies.in_force.version, (self.origin,), self.observe)
        limits = Limits()
        webhook = Webhook(
            lambda: self.policies.in_force.compiled.snapshot,
            now,
            self.observe,
            fail_open=settings.failure_mode == "Allow",
        )
        routes = {
            **webhook.endpoints(limits.body_bytes),
            **probes(self._conditions, self._measured, self.observe),
            **self._audit_routes(limits.body_bytes),
        }
        self._https = HttpsServer(routes, limits, self.observe)
        self.paths = tuple(path.decode() for path in routes)
        self.clients = None if settings.tls_cert_file else tls_state.path("ca.crt")
        """What clients trust; None where the certificate is given."""

    def observe(self, observation: Observation) -> None:
        """To the log and the metrics."""
        self._telling.observe(observation)

    async def run(self, ready: Callable[[str], None]) -> None:
        """Serve until SIGTERM or SIGINT. ``ready`` gets the address. Raises InvalidSettings where the port is taken."""
        settings, loop, stop = self._settings, asyncio.get_running_loop(), asyncio.Event()
        loop.set_exception_handler(self._loop_fault)
        self._telling.start(loop)
        try:
            port = await self._https.listen(settings.host, settings.port, self.certificates.front.context)
        except OSError as error:
            reason = f"{settings.host} port {settings.port} cannot be listened on: {_said(error)}"
            raise InvalidSettings({f"{flag('host')} and {flag('port')}": reason}) from error

        def stop_once() -> None:
            stop.set()
            for each in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(each)  # a second signal ends the program at once

        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, stop_once)
        sys.setswitchinterval(SWITCH_SECONDS)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        address = f"https://{f'[{settings.host}]' if ':' in settings.host else settings.host}:{port}"
        self.observe(ServerReady(address=address, version=__version__, seconds=time.monotonic() - self._began))
        ready(address)
        every = settings.poll_seconds
        try:
            async with asyncio.TaskGroup() as group:
                watches = [
                    group.create_task(rounds(self.policies.look, every, "policies", self.observe)),
                    group.create_task(rounds(self.certificates.look, every, "certificates", self.observe)),
                ]
                await self._https.run(stop, DrainTimes(settings.drain_accept_seconds, settings.drain_finish_seconds))
                for watch in watches:
                    watch.cancel()
        finally:
            self._auditor.close()
            self._telling.stop()
            self._lines.close()

    def _audit_routes(self, body_bytes: int) -> dict[bytes, Endpoint]:
        answer = through(create_app(self._auditor.audit))
        after_fault = fault_answer(self.observe)
        media = tuple(each.encode() for each in (JSON_MEDIA, *YAML_MEDIA))
        return {
            b"/v1/audit": Endpoint(b"POST", answer, after_fault, media, body_bytes),
            b"/docs": Endpoint(b"GET", answer, after_fault),
            b"/openapi.json": Endpoint(b"GET", answer, after_fault),
        }

    def _measured(self) -> bytes:
        self._telling.tell()
        return self._metrics.text(connections=self._https.connections)

    def _conditions(self) -> Iterator[Condition]:
        yield Condition(
            "serving", not self._https.draining, "draining" if self._https.draining else "connections are welcome"
        )
        in_force, rejected = self.policies.in_force, self.policies.rejected
        count = len(in_force.compiled.snapshot.policies)
        detail = f"{count} loaded from {self._settings.policies}, version {in_force.version.digest}"
        if in_force.saved_at is not None:
            detail += f", kept in the state folder since {in_force.saved_at:%Y-%m-%dT%H:%M:%SZ}"
        if rejected is not None:
            detail += f"; the newest version is invalid and not in force: {_one_line(rejected)}"
        yield Condition("policies", True, detail)
        until, problem = self.certificates.certificate.not_after, self.certificates.problem
        detail = f"valid until {until:%Y-%m-%dT%H:%M:%SZ}"
        if problem:
            detail += f"; the newest one is not served: {problem}"
        yield Condition("certificate", now() < until, detail)

    def _tell_policies(self, in_force: InForce[Loaded], rejected: InvalidPolicy | None) -> None:
        snapshot = in_force.compiled.snapshot
        names = tuple(policy.name for policy in snapshot.policies)
        if rejected is None:
            told: Observation = PoliciesLoaded(
                origin=str(self._settings.policies),
                policies=names,
                exemptions=len(snapshot.exemptions),
                namespaces=len(snapshot.namespaces),
                limit_ranges=sum(map(len, snapshot.limit_ranges.values())),
                version=in_force.version.digest,
                seconds=in_force.seconds,
            )
        else:
            told = PoliciesRejected(
                origin=str(self._settings.policies),
                problems=tuple(str(problem) for problem in rejected.problems[:MAX_PROBLEMS]),
                in_force=in_force.version.digest,
            )
            if in_force.saved_at is not None and not self._restored:
                self._restored = True
                self.observe(
                    LastGoodRestored(version=in_force.version.digest, policies=names, saved_at=in_force.saved_at)
                )
        self.observe(told)

    _restored = False

    def _loop_fault(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What the loop itself met; a client that breaks off, or speaks no TLS, is no fault."""
        fault = context.get("exception")
        if isinstance(fault, OSError):
            return
        self.observe(fault_of("loop", fault or RuntimeError(str(context.get("message")))))


def run(server: Server, ready: Callable[[str], None]) -> None:
    """Run the server in an event loop of its own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.run(ready))


def _state_folders(folder: Path) -> tuple[StateFolder, StateFolder]:
    try:
        StateFolder(folder)
        return StateFolder(folder / "policies"), StateFolder(folder / "tls")
    except OSError as error:
        reason = f"{folder} cannot be used: {error.strerror}; a folder that this user may write is accepted"
        raise InvalidSettings({flag("state_dir"): reason}) from error


def _names(host: str) -> frozenset[str]:
    """What clients may call us by."""
    names = {"localhost", "127.0.0.1", "::1"}
    for name in (host, socket.gethostname()):
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            if DNS_NAME.fullmatch(name):
                names.add(name.lower())
        else:
            if not address.is_unspecified:
                names.add(str(address))
    return frozenset(names)


def _said(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)


def _one_line(rejected: InvalidPolicy) -> str:
    shown = "; ".join(str(problem) for problem in rejected.problems[:MAX_PROBLEMS])
    return " ".join(shown.split())[:MAX_DETAIL]
