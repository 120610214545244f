"""Builds the Go programs of the benchmark, and runs programs on one core each. Linux only.

A program that was started here ends with whoever started it. Measures CPU time by the kernel's own count, in
nanoseconds; must not decide what is compared.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.control_plane.build import SUPPORTED, go_for

HERE = Path(__file__).resolve().parent
READY_SECONDS = 30.0

# Takes a core, asks the kernel to be killed with its parent, and becomes the program.
_PINNED = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)
os.sched_setaffinity(0, {int(sys.argv[1])})
os.execvp(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True)
class GoPrograms:
    """Where they are: the webhook to compare with, the generator of load, the creator of pods."""

    webhook: Path
    load: Path
    create: Path


@dataclass(frozen=True)
class Cores:
    """One for the server, one for whoever asks it; the same one where there is no second."""

    server: int
    client: int

    @classmethod
    def of_this_process(cls) -> "Cores":
        cores = sorted(os.sched_getaffinity(0))
        return cls(cores[0], cores[-1])


def build_go(folder: Path) -> GoPrograms:
    """Build all three into `folder`; Go's own cache makes the second time quick. Raises CannotBuild without a Go."""
    go = go_for(SUPPORTED[0])
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "", "CGO_ENABLED": "0"}
    for module in ("go-webhook", "clients"):
        command = [str(go), "build", "-mod=readonly", "-buildvcs=false", "-o", f"{folder}{os.sep}", "./..."]
        subprocess.run(command, cwd=HERE / module, env=environment, check=True)
    return GoPrograms(folder / "go-webhook", folder / "load", folder / "create")


class Program:
    """One running program, pinned to `core`; its output goes to the file `log`."""

    def __init__(
        self, command: Sequence[str | Path], log: Path, *, core: int, environ: Mapping[str, str] | None = None
    ) -> None:
        self.log = log
        with log.open("wb") as said:
            self._running = subprocess.Popen(
                pinned(command, core),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environ or {})},
            )
        self.pid = self._running.pid

    def wait_for(self, word: str) -> str:
        """The first whole line of its output that has this word in it. AssertionError when it does not come."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self._running.poll() is None:
            for line in self.log.read_text(errors="replace").splitlines(keepends=True):
                if word in line and line.endswith("\n"):
                    return line.strip()
            time.sleep(0.02)
        raise AssertionError(f"{self._running.args!r} did not say {word!r}:\n{self.log.read_text(errors='replace')}")

    @property
    def cpu_seconds(self) -> float:
        """What its living threads have used so far."""
        used = 0
        for thread in Path(f"/proc/{self.pid}/task").iterdir():
            used += int((thread / "schedstat").read_text().split()[0])
        return used / 1e9

    def memory(self) -> dict[str, float]:
        """ "Rss" and "Pss" in MB; Pss counts a page shared by n processes as an nth."""
        lines = Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()
        sizes = {line.split(":")[0]: line.split()[1] for line in lines if line.endswith(" kB")}
        return {name: int(sizes[name]) / 1000 for name in ("Rss", "Pss")}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._running.kill()
        self._running.wait()


def pinned(command: Sequence[str | Path], core: int) -> list[str]:
    """The command that runs `command` on this core alone."""
    return [sys.executable, "-S", "-c", _PINNED, str(core), *map(str, command)]


def plimsoll() -> Path:
    """The command that is installed beside this Python."""
    return Path(sys.executable).with_name("plimsoll")


def machine() -> dict[str, object]:
    """What a reader must know of the machine, without naming it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    model = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": model[0].partition(":")[2].strip() if model else "unknown",
        "memory_gb": round(memory / 1e9),
        "python": sys.version.split()[0],
        "date": time.strftime("%Y-%m-%d"),
        "load_before": [round(value, 1) for value in os.getloadavg()],
    }


def missing() -> str:
    """Why the benchmark cannot run here; empty when it can."""
    if not sys.platform.startswith("linux"):
        return "the benchmark pins programs to cores and reads /proc, so it needs Linux"
    return "" if plimsoll().exists() or shutil.which("plimsoll") else f"there is no plimsoll beside {sys.executable}"
