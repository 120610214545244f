"""`plimsoll serve` in a process of its own, with its exit code, its log and its signals."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

PROGRAM = Path(sys.executable).with_name("plimsoll")
SECONDS = 30.0

GUARD = """\
apiVersion: plimsoll.dev/v1alpha1
kind: ClusterLimitPolicy
metadata: {{name: {name}}}
spec:
  namespaces: {{include: ["*"]}}
  mode: Enforce
  containers: {{required: {{limits: [memory]}}}}
"""


def policy(name: str = "guard") -> str:
    return GUARD.format(name=name)


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for something that happens in another process."""
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


class Served:
    """A server from its start to its end; `flags` are those of the command line."""

    def __init__(self, folder: Path, *flags: str, environ: Mapping[str, str] | None = None) -> None:
        self.state = folder / "state"
        self.log = folder / "log"
        self.flags = ["--state-dir", str(self.state), "--port", "0", "--poll-seconds", "0.1", *flags]
        self._environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PLIMSOLL_")},
            **(environ or {}),
        }
        self.address = ""

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    @property
    def events(self) -> list[str]:
        return [line["event"] for line in self.lines]

    def start(self) -> subprocess.Popen[bytes]:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "serve", *self.flags], stdout=subprocess.DEVNULL, stderr=log, env=self._environ
            )
        return self.process

    def __enter__(self) -> Self:
        self.start()
        until(lambda: "server_ready" in self.events or self.process.poll() is not None, "the server did not start")
        assert self.process.poll() is None, self.log.read_text()
        self.address = next(line["address"] for line in self.lines if line["event"] == "server_ready")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def trust(self, ca: Path | None = None) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=ca or self.state / "tls/ca.crt")

    def client(self, ca: Path | None = None) -> httpx.Client:
        return httpx.Client(base_url=self.address, verify=self.trust(ca), timeout=SECONDS, trust_env=False)

    def connect(self, ca: Path | None = None) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)
        return self.trust(ca).wrap_socket(plain, server_hostname="localhost")

    def readiness(self) -> str:
        with self.client() as client:
            return client.get("/readyz?verbose").text
