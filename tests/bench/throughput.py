"""TLS reviews per second and core: our server against a do-nothing Go webhook, and against itself deciding nothing.

Each server has a core of its own and is asked through kept-alive connections until it is saturated. What counts is
reviews per second of CPU time that the server really used: on a machine that does other things too it says the same
as the clock would on a quiet one.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench import reviews
from tests.bench.figures import Figure, Section, Spread, ratios
from tests.bench.programs import HERE, Cores, GoPrograms, Program, pinned, plimsoll
from tests.control_plane import certificates
from tests.control_plane.certificates import ServingCertificate

CONNECTIONS = 16
BODIES = 4000
"""Of each kind, no two alike."""
BUSY = 0.9
"""Of the client's core; beyond it the client may have been what was measured."""
POLICY = HERE / "policies" / "bench.yaml"
GO = "the do-nothing Go webhook"


@dataclass
class Side:
    """One thing that is asked: a path of a running server, with its bodies."""

    name: str
    title: str
    server: Program
    url: str
    bodies: Path
    per_cpu_second: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    rounds: int
    seconds: float


def measure(programs: GoPrograms, folder: Path, effort: Effort) -> Section:
    """Rounds of every side in turn."""
    cores = Cores.of_this_process()
    with servers(programs, folder, cores) as sides:
        for side in sides.values():
            _ask(programs, side, folder, cores, seconds=min(0.5, effort.seconds))  # connections, caches: not counted
        for _ in range(effort.rounds):
            for side in sides.values():
                used, answer = _ask(programs, side, folder, cores, seconds=effort.seconds)
                side.per_cpu_second.append(answer["reviews"] / used)
                side.per_second.append(answer["reviews"] / effort.seconds)
                side.busy.append(answer["client_cores"])
    section = Section("throughput", f"TLS reviews per second and core, {CONNECTIONS} connections, bodies of 5.5 kB")
    go = sides["go"]
    for side in sides.values():
        ratio = None if side is go else ratios(side.per_cpu_second, go.per_cpu_second)
        aim = "≥ 1.0, bound 0.6" if side.name == "mutate-patched" else ""
        value = Spread.of(side.per_cpu_second)
        section.figures.append(Figure(side.name, side.title, "/s", value, 0, ratio, "" if side is go else GO, aim))
    patched = sides["mutate-patched"]
    by_clock = ratios(patched.per_second, go.per_second)
    value = Spread.of(patched.per_second)
    title = "the same by the clock, whatever else the machine did"
    section.figures.append(Figure("mutate-patched-by-clock", title, "/s", value, 0, by_clock, GO))
    if max(max(side.busy) for side in sides.values()) > BUSY:
        section.notes.append("the client was nearly saturated: the fastest sides may be faster than this")
    return section


@contextmanager
def servers(programs: GoPrograms, folder: Path, cores: Cores) -> Iterator[dict[str, Side]]:
    """Everything that is compared, running."""
    pki = _pki(folder)
    patched = reviews.write(folder / "patched", "patched", reviews.variation, BODIES)
    untouched = reviews.write(folder / "untouched", "untouched", reviews.variation, BODIES)
    named = reviews.write(folder / "named", "untouched", reviews.named, BODIES)
    with ExitStack() as running:
        go = running.enter_context(go_webhook(programs, folder, cores.server, pki))
        ours = running.enter_context(our_webhook(folder, cores.server, pki, POLICY))
        nothing = running.enter_context(
            Program(
                [sys.executable, "-m", "tests.bench.nothing", pki.cert, pki.key],
                folder / "nothing.log",
                core=cores.server,
                environ={"PYTHONPATH": str(HERE.parents[1])},
            )
        )
        idle = "https://" + nothing.wait_for("serving").split()[-1]
        yield {
            side.name: side
            for side in (
                Side("go", "Go, do nothing", go, go_url(go) + "/allow", patched),
                Side("go-patch", "Go, a fixed patch", go, go_url(go) + "/patch", patched),
                Side("mutate-patched", "/mutate, patched", ours, our_url(ours) + "/mutate", patched),
                Side("mutate-untouched", "/mutate, nothing to do", ours, our_url(ours) + "/mutate", untouched),
                Side("validate", "/validate, nothing to say", ours, our_url(ours) + "/validate", named),
                Side("nothing", "our server, deciding nothing", nothing, idle + "/nothing", patched),
            )
        }


def go_webhook(programs: GoPrograms, folder: Path, core: int, pki: ServingCertificate) -> Program:
    """The do-nothing webhook on one core, with one thread that runs Go."""
    command: list[str | Path] = [programs.webhook, "-cert", pki.cert, "-key", pki.key]
    return Program(command, folder / "go.log", core=core, environ={"GOMAXPROCS": "1"})


def go_url(running: Program) -> str:
    return "https://" + running.wait_for("127.0.0.1:")


def our_webhook(
    folder: Path, core: int, pki: ServingCertificate, policies: Path, environ: Mapping[str, str] | None = None
) -> Program:
    """`plimsoll serve` as it is installed: it logs every decision, here into a file."""
    command: list[str | Path] = [
        plimsoll(),
        "serve",
        "--policies",
        policies,
        "--port",
        "0",
        "--state-dir",
        folder / "state",
    ]
    command += ["--tls-cert-file", pki.cert, "--tls-private-key-file", pki.key, "--log-format", "json"]
    return Program(command, folder / "plimsoll.log", core=core, environ=environ)


def our_url(running: Program) -> str:
    address: str = json.loads(running.wait_for('"server_ready"'))["address"]
    return address


def _pki(folder: Path) -> ServingCertificate:
    return certificates.issue(folder / "pki")


def _ask(
    programs: GoPrograms, side: Side, folder: Path, cores: Cores, *, seconds: float
) -> tuple[float, dict[str, Any]]:
    """(CPU seconds that the server used, what the client says)."""
    command: list[str | Path] = [
        programs.load,
        "-url",
        side.url,
        "-ca",
        folder / "pki" / "ca.crt",
        "-bodies",
        side.bodies,
    ]
    command += ["-connections", str(CONNECTIONS), "-warmup", "0s", "-duration", f"{seconds}s"]
    before = side.server.cpu_seconds
    said = subprocess.run(pinned(command, cores.client), capture_output=True, text=True, check=True).stdout
    used = side.server.cpu_seconds - before
    answer: dict[str, Any] = json.loads(said)
    assert answer["failed"] == 0, f"{side.name}: {answer}"
    assert '"allowed":true' in answer["sample"], f"{side.name}: {answer}"
    assert ('"patch"' in answer["sample"]) is (side.name in {"mutate-patched", "go-patch"})
    return used, answer
