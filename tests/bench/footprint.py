"""What `plimsoll` weighs: memory of the server, and how long its commands take from start to end.

Times are of the clock, as a person waits for them, so the smallest is shown beside the median: it is what a quiet
machine would say.
"""

import http.client
import json
import ssl
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench import reviews
from tests.bench.figures import Figure, Section, Spread
from tests.bench.programs import HERE, Cores, GoPrograms, pinned, plimsoll
from tests.bench.throughput import POLICY, our_url, our_webhook
from tests.control_plane import certificates
from tests.control_plane.certificates import ServingCertificate

REVIEWS = 2000
LOAD_SECONDS = 3
NAMESPACES = 5000


def measure(programs: GoPrograms, folder: Path, rounds: int) -> Section:
    """Memory first, then start, `--help` and `check` in turn."""
    pki = certificates.issue(folder / "pki")
    section = Section("footprint", "Memory, and the time from start to end")
    many = folder / "many"
    many.mkdir(exist_ok=True)
    (many / "policy.yaml").write_bytes(POLICY.read_bytes())
    (many / "namespaces.yaml").write_text("".join(_namespace(index) for index in range(NAMESPACES)))
    for name, title, policies, aim in (
        ("memory", "one policy", POLICY, "≤ 80 MB"),
        ("memory-5000", f"one policy, {NAMESPACES:,} namespaces", many, "≤ 100 MB"),
    ):
        section.figures += _memory(programs, folder, pki, policies, name=name, title=title, aim=aim)
    core = Cores.of_this_process().server
    manifest = folder / "pod.json"
    manifest.write_text(json.dumps(reviews.review("untouched")["request"]["object"]))
    check: list[str | Path] = [plimsoll(), "check", "--policies", POLICY, manifest]
    took: dict[str, list[float]] = {"start": [], "help": [], "check": []}
    for _ in range(rounds):
        took["start"].append(_start_to_ready(folder, pki))
        took["help"].append(_seconds([plimsoll(), "--help"], core))
        took["check"].append(_seconds(check, core))
    for name, title, aim in (
        ("start", "serve: start to ready", "≤ 1 s"),
        ("help", "plimsoll --help", "≤ 150 ms"),
        ("check", "plimsoll check of one file", "≤ 300 ms"),
    ):
        spread = Spread.of([seconds * 1000 for seconds in took[name]])
        section.figures.append(Figure(name, title, "ms", spread, 0, aim=aim))
    return section


def _memory(
    programs: GoPrograms, folder: Path, pki: ServingCertificate, policies: Path, *, name: str, title: str, aim: str
) -> list[Figure]:
    cores = Cores.of_this_process()
    bodies = reviews.write(folder / "bodies", "patched", reviews.variation, REVIEWS)
    with our_webhook(folder, cores.server, pki, policies) as ours:
        url = our_url(ours)
        _wait_until_ready(url, pki)
        ready = ours.memory()
        command: list[str | Path] = [programs.load, "-url", url + "/mutate", "-ca", pki.ca, "-bodies", bodies]
        command += ["-warmup", "0s", "-duration", f"{LOAD_SECONDS}s"]
        subprocess.run(pinned(command, cores.client), check=True, capture_output=True)
        served = ours.memory()
    return [
        Figure(f"{name}-{when}-{kind.lower()}", f"{kind}, {title}, {said}", "MB", Spread.of([sizes[kind]]), 1, aim=aim)
        for when, said, sizes in (("ready", "ready", ready), ("served", f"after {LOAD_SECONDS} s of load", served))
        for kind in ("Rss", "Pss")
    ]


def _start_to_ready(folder: Path, pki: ServingCertificate) -> float:
    began = time.monotonic()
    with our_webhook(folder, Cores.of_this_process().server, pki, POLICY) as ours:
        _wait_until_ready(our_url(ours), pki)
        return time.monotonic() - began


def _wait_until_ready(url: str, pki: ServingCertificate) -> None:
    context = ssl.create_default_context(cafile=pki.ca)
    client = http.client.HTTPSConnection(url.removeprefix("https://"), context=context, timeout=10)
    client.request("GET", "/readyz")
    answer = client.getresponse()
    assert answer.status == 200, answer.read()
    client.close()


def _seconds(command: Sequence[str | Path], core: int) -> float:
    began = time.monotonic()
    subprocess.run(pinned(command, core), check=True, capture_output=True, cwd=HERE)
    return time.monotonic() - began


def _namespace(index: int) -> str:
    metadata = f"{{name: shop-{index}, labels: {{team: team-{index % 100}}}}}"
    return f"apiVersion: v1\nkind: Namespace\nmetadata: {metadata}\n---\n"
