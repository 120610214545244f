"""What a webhook adds to the creation of a Pod, through a real API server, with `dryRun=All`.

Every variant is a namespace with a label, and every configuration selects its own: so all are in force at once, can be
asked in turn, Pod by Pod, and differ in nothing else. API server, etcd, client and webhook share the machine.
"""

import base64
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import reviews
from tests.bench.figures import Figure, Section, Spread
from tests.bench.programs import Cores, GoPrograms, pinned
from tests.bench.throughput import POLICY, go_url, go_webhook, our_url, our_webhook
from tests.control_plane import certificates
from tests.control_plane.api import Object
from tests.control_plane.build import SUPPORTED
from tests.control_plane.control_plane import ADMIN, ControlPlane
from tests.control_plane.webhooks import PODS

LABEL = "plimsoll.dev/bench"
GROUP = "admissionregistration.k8s.io/v1"
IN_FORCE_SECONDS = 60.0


@dataclass(frozen=True)
class Variant:
    """One namespace: which Pod is created there, and what is in its way."""

    name: str
    title: str
    pod: str
    """`patched` or `untouched`."""
    expected: str = ""
    """`patched` or `refused`: what becomes of an unsized Pod, which shows that the variant is in force."""

    @property
    def patches(self) -> bool:
        return self.expected == "patched" and self.pod == "patched"


VARIANTS = (
    Variant("none", "no webhook", "patched"),
    Variant("go", "the do-nothing Go webhook", "patched"),
    Variant("go-patch", "Go with a fixed patch", "patched", "patched"),
    Variant("ours", "plimsoll, mutate + validate", "patched", "patched"),
    Variant("ours-mutate", "plimsoll, mutate alone", "patched", "patched"),
    Variant("ours-sized", "plimsoll, mutate + validate, nothing to do", "untouched", "patched"),
    Variant("vap", "a ValidatingAdmissionPolicy", "untouched", "refused"),
    Variant("map", "a MutatingAdmissionPolicy", "patched", "patched"),
)


@dataclass(frozen=True)
class Effort:
    """Pods for each variant and round, one at a time and in bursts."""

    rounds: int
    pods: int
    burst_rounds: int
    burst_pods: int
    burst_clients: int


def measure(programs: GoPrograms, folder: Path, effort: Effort) -> tuple[Section, Section]:
    """One client, then bursts."""
    cores = Cores.of_this_process()
    with cluster(programs, folder) as (control_plane, variants):
        create = _Creator(programs, folder, control_plane, cores)
        create(variants, pods=min(effort.pods, 20), clients=1)  # not counted
        singles = [create(variants, pods=effort.pods, clients=1) for _ in range(effort.rounds)]
        in_bursts = [variant for variant in variants if variant.name != "ours-sized"]
        bursts = [
            create(in_bursts, pods=effort.burst_pods, clients=effort.burst_clients) for _ in range(effort.burst_rounds)
        ]
    one = Section("creation", f"Pod creations with dryRun=All through kube-apiserver {SUPPORTED[0]}, one client")
    one.figures += _figures(variants, singles)
    many = Section("burst", f"The same, {effort.burst_pods} Pods by {effort.burst_clients} clients at once")
    many.figures += _figures(in_bursts, bursts)
    return one, many


def _figures(variants: list[Variant], rounds: list[dict[str, Any]]) -> Iterator[Figure]:
    """What each variant adds at p50, against Go: where it patches, against Go patching too, and against Go alone."""
    by_name = {variant.name: variant for variant in variants}

    def took(name: str, field: str) -> list[float]:
        return [each[name][field] for each in rounds]

    def added(name: str) -> list[float]:
        return [each[name]["p50_ms"] - each["none"]["p50_ms"] for each in rounds]

    yield Figure("none-p50", "p50, no webhook", "ms", Spread.of(took("none", "p50_ms")), 2)
    for name, variant in by_name.items():
        if name == "none":
            continue
        against = [] if name == "go" else ["go-patch", "go"] if variant.patches else ["go"]
        for nth, other in enumerate([each for each in against if each != name] or [""]):
            title = f"added at p50 by {variant.title}" if nth == 0 else "    the same"
            # Where a round's noise is larger than what Go adds there is nothing to divide by.
            pairs = [(mine, go) for mine, go in zip(added(name), added(other), strict=True) if go > 0] if other else []
            ratio = Spread.of([mine / go for mine, go in pairs]) if pairs else None
            aim = "aim 2, bound 2.5" if name in {"ours", "ours-sized"} else ""
            yield Figure(
                f"{name}-added" + (f"-to-{other}" if other else ""),
                title,
                "ms",
                Spread.of(added(name)),
                2,
                ratio,
                by_name[other].title if ratio else "",
                aim,
            )
    for name, variant in by_name.items():
        yield Figure(f"{name}-p99", f"p99, {variant.title}", "ms", Spread.of(took(name, "p99_ms")), 2)


@dataclass(frozen=True)
class _Creator:
    programs: GoPrograms
    folder: Path
    cluster: ControlPlane
    cores: Cores

    def __call__(self, variants: list[Variant], *, pods: int, clients: int) -> dict[str, Any]:
        wanted = ",".join(f"{variant.name}={self.folder / variant.pod}.pod" for variant in variants)
        command: list[str | Path] = [self.programs.create, "-url", self.cluster.url, "-ca", self.cluster.ca]
        command += ["-token", self.cluster.token(ADMIN), "-variants", wanted]
        command += ["-pods", str(pods), "-clients", str(clients)]
        said = subprocess.run(
            pinned(command, self.cores.client) if clients == 1 else [str(word) for word in command],
            capture_output=True,
            text=True,
        )
        assert said.returncode == 0, said.stderr
        took: dict[str, Any] = json.loads(said.stdout)
        return took


@contextmanager
def cluster(programs: GoPrograms, folder: Path) -> Iterator[tuple[ControlPlane, list[Variant]]]:
    """An API server with everything registered and in force."""
    cores = Cores.of_this_process()
    pki = certificates.issue(folder / "pki")
    for name in ("patched", "untouched"):
        (folder / f"{name}.pod").write_text(json.dumps(pod(name)))
    with (
        go_webhook(programs, folder, cores.server, pki) as go,
        our_webhook(folder, cores.server, pki, POLICY) as ours,
        ControlPlane(SUPPORTED[0], folder=folder / "control-plane") as running,
    ):
        bundle = base64.b64encode(pki.ca_pem).decode()
        objects = [_namespace(variant) for variant in VARIANTS]
        objects += [
            _webhook("Mutating", "go", go_url(go) + "/allow", bundle),
            _webhook("Mutating", "go-patch", go_url(go) + "/patch", bundle),
        ]
        for name in ("ours", "ours-mutate", "ours-sized"):
            objects.append(_webhook("Mutating", name, our_url(ours) + "/mutate", bundle))
            if name != "ours-mutate":
                objects.append(_webhook("Validating", name, our_url(ours) + "/validate", bundle))
        objects += [*_validating_policy(), *_mutating_policy()]
        for each in objects:
            running.admin.create(each).expect_ok()
        for variant in VARIANTS:
            _wait_until_in_force(running, variant)
        yield running, list(VARIANTS)


def pod(name: str) -> Object:
    """The Pod of a review as somebody would create it."""
    made: Object = reviews.review(name)["request"]["object"]
    metadata = {key: made["metadata"][key] for key in ("generateName", "labels", "annotations", "ownerReferences")}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": made["spec"]}


def _wait_until_in_force(running: ControlPlane, variant: Variant) -> None:
    if not variant.expected:
        return  # a webhook that changes nothing comes into force with the others
    deadline = time.monotonic() + IN_FORCE_SECONDS
    unsized = pod("patched")
    unsized["metadata"]["namespace"] = variant.name
    while time.monotonic() < deadline:
        reply = running.admin.create(unsized, dry_run=True)
        if variant.expected == "refused" and not reply.ok:
            return
        if reply.ok and variant.expected == "patched":
            containers = reply.body["spec"]["containers"]
            if all("memory" in each["resources"].get("limits", {}) for each in containers):
                return
        time.sleep(0.1)
    raise AssertionError(f"{variant.name} is not in force; the last answer was {reply.status} {reply.message}")


def _namespace(variant: Variant) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": variant.name, "labels": {LABEL: variant.name}},
    }


def _webhook(phase: str, name: str, url: str, bundle: str) -> Object:
    webhook: Object = {
        "name": f"{name}.bench.plimsoll.dev",
        "admissionReviewVersions": ["v1"],
        "clientConfig": {"url": url, "caBundle": bundle},
        "rules": [{**PODS, "scope": "Namespaced"}],
        "namespaceSelector": {"matchLabels": {LABEL: name}},
        "sideEffects": "None",
        "failurePolicy": "Fail",
        "timeoutSeconds": 10,
    }
    if phase == "Mutating":
        webhook["reinvocationPolicy"] = "IfNeeded"
    kind = f"{phase}WebhookConfiguration"
    return {"apiVersion": GROUP, "kind": kind, "metadata": {"name": name}, "webhooks": [webhook]}


def _validating_policy() -> list[Object]:
    """Requires what our policy requires."""
    needed = [f"has(c.resources.{side}) && '{name}' in c.resources.{side}" for side, name in _REQUIRED]
    expression = f"object.spec.containers.all(c, has(c.resources) && {' && '.join(needed)})"
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [PODS]},
        "validations": [{"expression": expression}],
    }
    return [
        {"apiVersion": GROUP, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "vap"}, "spec": spec},
        _binding("Validating", "vap", {"validationActions": ["Deny"]}),
    ]


_REQUIRED = (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))


def _mutating_policy() -> list[Object]:
    """Gives a memory limit to each of the first ten containers that has none."""
    expression = (
        "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].filter(i, i < size(object.spec.containers))"
        ".filter(i, !has(object.spec.containers[i].resources)"
        " || !has(object.spec.containers[i].resources.limits))"
        ".map(i, JSONPatch{op: 'add', path: '/spec/containers/' + string(i) + '/resources/limits',"
        " value: {'memory': '256Mi'}})"
    )
    spec = {
        "failurePolicy": "Fail",
        "reinvocationPolicy": "IfNeeded",
        "matchConstraints": {"resourceRules": [PODS]},
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}],
    }
    return [
        {"apiVersion": GROUP, "kind": "MutatingAdmissionPolicy", "metadata": {"name": "map"}, "spec": spec},
        _binding("Mutating", "map", {}),
    ]


def _binding(phase: str, name: str, more: Object) -> Object:
    selected = {"namespaceSelector": {"matchLabels": {LABEL: name}}}
    spec = {"policyName": name, "matchResources": selected, **more}
    return {"apiVersion": GROUP, "kind": f"{phase}AdmissionPolicyBinding", "metadata": {"name": name}, "spec": spec}
