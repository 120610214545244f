"""A real `plimsoll serve` with a folder of policies, for as long as a `with` lasts.

The program itself, in a process of its own, with a certificate that it makes itself: nothing of it is imported.
"""

import base64
import json
import ssl
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from tests.control_plane.processes import Server

READY_SECONDS = 60.0


class PlimsollServer:
    """`with PlimsollServer(policies, folder) as server:` serves at `server.url` until the end.

    `policies` is the folder that it serves; `folder` takes its state and its log.
    """

    def __init__(self, policies: Path, folder: Path) -> None:
        self.policies = policies
        self.state = folder / "state"
        self.log = folder / "plimsoll.log"
        self.url = ""
        self._server: Server | None = None

    @property
    def ca(self) -> Path:
        """Who its clients trust, as PEM."""
        return self.state / "tls" / "ca.crt"

    @property
    def ca_bundle(self) -> str:
        """The same as a webhook configuration wants it."""
        return base64.b64encode(self.ca.read_bytes()).decode()

    def client(self) -> httpx.Client:
        """A client that trusts it and nobody else."""
        trust = ssl.create_default_context(cafile=self.ca)
        return httpx.Client(base_url=self.url, verify=trust, timeout=30.0, trust_env=False)

    def events(self, name: str) -> list[dict[str, object]]:
        """The lines of its log with this event."""
        lines = (json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{"))
        return [line for line in lines if line["event"] == name]

    def __enter__(self) -> Self:
        program = Path(sys.executable).with_name("plimsoll")
        flags = ["--policies", self.policies, "--state-dir", self.state, "--port", "0", "--log-format", "json"]
        self._server = Server([program, "serve", *map(str, flags)], self.log)
        deadline = time.monotonic() + READY_SECONDS
        while not self.events("server_ready"):
            if not self._server.alive or time.monotonic() > deadline:
                words = self._server.last_words()
                self._server.stop()
                raise AssertionError(f"plimsoll serve did not come up. It said:\n{words}")
            time.sleep(0.05)
        self.url = str(self.events("server_ready")[0]["address"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.stop()
