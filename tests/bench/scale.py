"""The cost of one review with 1 and 1,000 policies, 1 and 5,000 namespaces: body to answer, without HTTP.

Run as a program of its own on one core, so that nothing else is in its memory. All four are asked the same bodies but
for the namespace, in turn, in slices; the first time a namespace is seen is measured apart.
"""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from plimsoll.policy.snapshot import Snapshot
from plimsoll.schemas.compile import load
from plimsoll.serving.exchange import HttpRequest, HttpResponse
from plimsoll.webhook.app import Webhook

from tests.bench import reviews
from tests.bench.figures import Figure, Section, Spread, ratios
from tests.bench.programs import HERE, Cores, pinned

SHAPES = ((1, 1), (1000, 1), (1, 5000), (1000, 5000))
"""(policies, namespaces)."""
BODIES = 5000
SLICE = 250
POLICY = HERE / "policies" / "bench.yaml"


def measure(rounds: int) -> Section:
    """Run this module as a program and read what it prints."""
    command = pinned([sys.executable, "-m", "tests.bench.scale", str(rounds)], Cores.of_this_process().server)
    said = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parents[1])
    assert said.returncode == 0, said.stderr
    took = json.loads(said.stdout)
    section = Section("scale", "One patched review, from body to answer, by how much there is to know")
    base = took["shapes"][0]
    for (policies, namespaces), values in zip(SHAPES, took["shapes"], strict=True):
        ratio = None if values is base else ratios(values, base)
        against = "1 policy, 1 namespace" if ratio else ""
        title = f"policies: {policies:,}, namespaces: {namespaces:,}"
        name, aim = f"review-{policies}-{namespaces}", "≤ 1.1" if ratio else ""
        section.figures.append(Figure(name, title, "µs", Spread.of(values), 1, ratio, against, aim))
    title = "the first review in a namespace, among 1,000 policies"
    section.figures.append(Figure("first-in-namespace", title, "µs", Spread.of(took["first"])))
    return section


def snapshot(policies: int, namespaces: int) -> Snapshot:
    """All of this many policies, of which the last governs everything that the other ones leave."""
    text = POLICY.read_text()
    texts = [("bench.yaml", text)]
    for index in range(policies - 1):
        other = text.replace("name: bench", f"name: other-{index:04}").replace('["*"]', f'["other-{index}-*"]')
        texts.append((f"other-{index}.yaml", other.replace("spec:\n", "spec:\n  priority: 10\n", 1)))
    for index in range(namespaces if namespaces > 1 else 0):
        labels = {"team": f"team-{index % 100}"}
        metadata = {"name": f"shop-{index}", "labels": labels}
        document = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        texts.append((f"namespace-{index}.json", json.dumps(document)))
    return load(texts).snapshot


def bodies(namespaces: int) -> list[HttpRequest]:
    """The same Pods each time, spread over the namespaces."""
    rng, made_from = random.Random(4), reviews.review("patched")
    pods = [reviews.variation(made_from, rng) for _ in range(BODIES)]
    return [
        HttpRequest(b"POST", b"/mutate", b"", {}, reviews.in_namespace(pod, f"shop-{index % namespaces}"))
        for index, pod in enumerate(pods)
    ]


def main(rounds: int) -> None:
    """Print what every shape took, in microseconds per review."""
    answers = [_answer_of(snapshot(*shape)) for shape in SHAPES]
    asked = {namespaces: bodies(namespaces) for _, namespaces in SHAPES}
    first = [_seconds(answer, asked[shape[1]]) for shape, answer in zip(SHAPES, answers, strict=True)]
    took: list[list[float]] = [[] for _ in SHAPES]
    for _ in range(rounds):
        sums = [0.0 for _ in SHAPES]
        for start in range(0, BODIES, SLICE):
            for index, (shape, answer) in enumerate(zip(SHAPES, answers, strict=True)):
                sums[index] += _seconds(answer, asked[shape[1]][start : start + SLICE])
        for index, seconds in enumerate(sums):
            took[index].append(seconds / BODIES * 1e6)
    print(json.dumps({"shapes": took, "first": [first[-1] / BODIES * 1e6]}))


def _answer_of(known: Snapshot) -> Callable[[HttpRequest], HttpResponse]:
    webhook = Webhook(lambda: known, lambda: datetime.now(UTC), lambda _: None, fail_open=True)
    answer: Callable[[HttpRequest], HttpResponse] = webhook.endpoints(1 << 23)[b"/mutate"].answer  # type: ignore[assignment]
    return answer


def _seconds(answer: Callable[[HttpRequest], HttpResponse], asked: Sequence[HttpRequest]) -> float:
    began = time.process_time()
    for request in asked:
        answer(request)
    return time.process_time() - began


if __name__ == "__main__":
    main(int(sys.argv[1]))
