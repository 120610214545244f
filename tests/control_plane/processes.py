"""Starts the servers of a test, keeps their logs, and ends them.

Nothing here knows Kubernetes. Every server runs in a session of its own, so that a ^C in the terminal reaches the
tests alone and they end the servers in order; guard.py ends them when the tests cannot.
"""

import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

GUARD = Path(__file__).resolve().with_name("guard.py")


class Server:
    """One running program; `log` holds what it says. `stop()` may be called twice."""

    def __init__(self, command: Sequence[str | Path], log: Path, *, environ: Mapping[str, str] | None = None) -> None:
        self.name = Path(command[0]).name
        self.log = log
        with log.open("ab") as said:
            self._guard = subprocess.Popen(
                [sys.executable, "-S", GUARD, *command],
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=subprocess.STDOUT,
                env=environ,
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        return self._guard.poll() is None

    def stop(self) -> None:
        """Kill it: what a test server holds in memory is worth nothing, a slow end costs every run seconds."""
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        self._guard.wait()

    def last_words(self, lines: int = 30) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def free_ports(count: int) -> list[int]:
    """Loopback ports that were free a moment ago. Another program may take one before it is used: try again then."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports
