"""What no single case can show of a running `plimsoll serve` behind a real API server.

Other webhooks beside ours, time that passes, objects that change and go away, and pods nobody thought of: hundreds of
generated ones, each of which the API server takes without us and must take with us.
"""

import copy
import itertools
import json
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cases.case import Object, containers
from tests.cases.manifests import all_amounts
from tests.cases.scene import API_VERSION
from tests.cases.serving import PlimsollServer
from tests.control_plane.certificates import issue
from tests.control_plane.control_plane import ControlPlane
from tests.control_plane.tiny_webhook import TinyWebhook, allow, json_patch
from tests.control_plane.webhooks import Registration, calls, register, unregister

MUTATE, VALIDATE = "mutate.plimsoll.dev", "validate.plimsoll.dev"
RELOAD_SECONDS = 30.0
PODS = 800
SEED = 20260901
_serial = itertools.count(1)

APPLY: Object = {
    "mode": "Enforce",
    "defaulting": "Apply",
    "containers": {
        "required": {"requests": ["cpu", "memory"], "limits": ["memory"]},
        "default": {"memory": "256Mi"},
        "defaultRequest": {"cpu": "50m", "memory": "128Mi"},
    },
}
REFUSE: Object = {"mode": "Enforce", "templates": "Enforce", "containers": {"required": {"limits": ["memory"]}}}
FULL = {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}}


class Cluster:
    """A control plane and a running server; `govern` writes a policy and waits until it is in force."""

    def __init__(self, control_plane: ControlPlane, server: PlimsollServer) -> None:
        self.control_plane = control_plane
        self.server = server
        self.admin = control_plane.admin

    def govern(self, namespace: str, spec: Object, *more: Object) -> None:
        """Put the namespace under a policy of its own; `more` are further documents."""
        self.write(namespace, spec, *more)
        self.wait_for({namespace})

    def write(self, namespace: str, spec: Object, *more: Object) -> None:
        policy = document("ClusterLimitPolicy", namespace, {"namespaces": {"include": [namespace]}, **spec})
        text = "".join(f"---\n{json.dumps(each)}\n" for each in (policy, *more))
        (self.server.policies / f"{namespace}.yaml").write_text(text)

    def wait_for(self, policies: set[str]) -> None:
        """Until the server says that all of them are in force."""
        deadline = time.monotonic() + RELOAD_SECONDS
        while not any(policies <= set(names_in(event)) for event in self.server.events("policies_loaded")):
            assert time.monotonic() < deadline, [each["problems"] for each in self.server.events("policies_rejected")]
            time.sleep(0.05)

    def governed(self, spec: Object, *limit_ranges: Object) -> str:
        """A new namespace, its LimitRanges and its policy; its name."""
        namespace = self.control_plane.namespace("admission")
        for item in limit_ranges:
            self.admin.create(limit_range(namespace, item)).expect_ok()
        self.govern(namespace, spec)
        return namespace

    def verdicts(self, namespace: str, path: str) -> list[object]:
        """What our log says of each review of this namespace, once it says anything."""
        deadline = time.monotonic() + RELOAD_SECONDS
        while True:
            lines = [line for line in self.server.events("reviewed") if line["namespace"] == namespace]
            if lines or time.monotonic() > deadline:
                return [line["verdict"] for line in lines if line["path"] == path]
            time.sleep(0.05)


def names_in(event: dict[str, object]) -> list[str]:
    names = event["policies"]
    assert isinstance(names, list)
    return names


@pytest.fixture(scope="module")
def cluster(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    policies: Path = tmp_path_factory.mktemp("policies")
    nothing = document("ClusterLimitPolicy", "nothing", {"namespaces": {"include": ["no-such-namespace"]}})
    (policies / "nothing.yaml").write_text(json.dumps(nothing))
    with PlimsollServer(policies, tmp_path_factory.mktemp("served")) as server:
        register(control_plane, Registration(server.url, server.ca_bundle))
        yield Cluster(control_plane, server)
        unregister(control_plane)


def document(kind: str, name: str, spec: Object) -> Object:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}


def pod(namespace: str, *specs: Object, init: tuple[Object, ...] = ()) -> Object:
    spec: Object = {"containers": [{"image": "app:1", **each} for each in specs]}
    if init:
        spec["initContainers"] = [{"image": "app:1", **each} for each in init]
    metadata = {"name": f"pod-{next(_serial)}", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def deployment(namespace: str, **resources: dict[str, str]) -> Object:
    labels = {"app": "web"}
    container = {"name": "app", "image": "app:1", "resources": resources}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"web-{next(_serial)}", "namespace": namespace},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def limit_range(namespace: str, item: Object) -> Object:
    metadata = {"name": f"limits-{next(_serial)}", "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": metadata,
        "spec": {"limits": [{"type": "Container", **item}]},
    }


def resources_of(obj: Object) -> dict[str, Any]:
    return {container["name"]: container.get("resources", {}) for _, container in containers(obj)}


def test_a_pod_that_satisfies_its_policy_is_left_as_it_is(cluster: Cluster) -> None:
    namespace = cluster.governed(APPLY)

    stored = cluster.admin.create(pod(namespace, {"name": "app", "resources": FULL})).expect_ok()

    assert resources_of(stored) == {"app": FULL}
    assert "annotations" not in stored["metadata"]
    assert cluster.verdicts(namespace, "mutate") == ["allowed"]


def test_a_patched_pod_that_is_sent_again_is_not_patched_again(cluster: Cluster) -> None:
    namespace = cluster.governed(APPLY)
    first = cluster.admin.create(pod(namespace, {"name": "app"}), dry_run=True).expect_ok()

    again = pod(namespace)
    again["metadata"]["annotations"] = first["metadata"]["annotations"]
    again["spec"]["containers"] = first["spec"]["containers"]
    stored = cluster.admin.create(again, dry_run=True).expect_ok()

    assert resources_of(stored) == resources_of(first) == {"app": FULL}
    assert stored["metadata"]["annotations"] == first["metadata"]["annotations"]
    assert cluster.verdicts(namespace, "mutate")[-1] == "allowed"


@pytest.fixture
def injector(
    cluster: Cluster, control_plane: ControlPlane, tmp_path: Path
) -> Iterator[Callable[[str, Object], TinyWebhook]]:
    """Another project's webhook: adds a container to the Pods of one namespace, called after ours."""
    certificate = issue(tmp_path / "pki")
    with TinyWebhook(certificate, {"/inject": allow}) as webhook:
        name = "zzz-injector"  # configurations are called in the order of their names

        def inject(namespace: str, sidecar: Object) -> TinyWebhook:
            operation = {"op": "add", "path": "/spec/containers/-", "value": sidecar}

            def answer(request: Object) -> Object:
                there = {container["name"] for _, container in containers(request["object"]["spec"])}
                return allow(request) if sidecar["name"] in there else json_patch(operation)

            webhook.answers["/inject"] = answer
            rule = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
            selector = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
            hook = {
                "name": "inject.example.com",
                "admissionReviewVersions": ["v1"],
                "clientConfig": {"url": f"{webhook.url}/inject", "caBundle": webhook.ca_bundle},
                "rules": [rule],
                "sideEffects": "None",
                "namespaceSelector": selector,
            }
            configuration = {"metadata": {"name": name}, "webhooks": [hook], **KIND}
            control_plane.admin.apply(configuration).expect_ok()
            deadline = time.monotonic() + RELOAD_SECONDS
            before = calls(control_plane, "inject.example.com")
            while calls(control_plane, "inject.example.com") == before:
                assert time.monotonic() < deadline
                control_plane.admin.create(pod(namespace, {"name": "app", "resources": FULL}), dry_run=True)
                time.sleep(0.05)
            return webhook

        yield inject
        control_plane.admin.delete({"metadata": {"name": name}, **KIND}).expect_ok()


KIND = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration"}


def test_what_another_webhook_adds_after_us_is_within_the_policy_too(
    cluster: Cluster, injector: Callable[[str, Object], TinyWebhook]
) -> None:
    namespace = cluster.governed(APPLY)
    injector(namespace, {"name": "injected", "image": "proxy:1"})

    stored = cluster.admin.create(pod(namespace, {"name": "app"}), dry_run=True).expect_ok()

    assert resources_of(stored) == {"app": FULL, "injected": FULL}
    noted = stored["metadata"]["annotations"]["plimsoll.dev/set"]
    assert "app limits.memory=256Mi" in noted
    assert "injected limits.memory=256Mi" in noted


def test_what_another_webhook_adds_is_filled_in_beside_a_limit_range_of_the_namespace(
    cluster: Cluster, injector: Callable[[str, Object], TinyWebhook]
) -> None:
    own = {"default": {"memory": "64Mi"}, "defaultRequest": {"memory": "32Mi"}}
    namespace = cluster.governed(APPLY, own)
    injector(namespace, {"name": "injected", "image": "proxy:1"})

    stored = cluster.admin.create(pod(namespace, {"name": "app"}), dry_run=True).expect_ok()

    expected = {"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}}
    assert resources_of(stored) == {"app": expected, "injected": expected}


def test_what_another_webhook_adds_against_the_policy_is_refused(
    cluster: Cluster, injector: Callable[[str, Object], TinyWebhook]
) -> None:
    namespace = cluster.governed(REFUSE)
    injector(namespace, {"name": "injected", "image": "proxy:1"})

    refused = cluster.admin.create(pod(namespace, {"name": "app", "resources": FULL}), dry_run=True)

    assert refused.status == 403
    assert "container injected" in refused.message
    assert "container app" not in refused.message


def test_an_exempted_container_is_judged_again_a_second_after_its_exemption_ends(cluster: Cluster) -> None:
    namespace = cluster.control_plane.namespace("admission")
    ends = (datetime.now(UTC) + timedelta(seconds=12)).replace(microsecond=0)
    exemption = document(
        "ClusterLimitExemption",
        f"{namespace}-legacy",
        {
            "owner": "team-a",
            "reason": "the nightly loader sizes itself",
            "expires": ends.isoformat(),
            "match": {"namespaces": [namespace]},
            "waive": ["*"],
        },
    )
    cluster.govern(namespace, APPLY, exemption)

    exempted = cluster.admin.create(pod(namespace, {"name": "app"}), dry_run=True).expect_ok()
    asked_in_time = datetime.now(UTC) <= ends
    time.sleep(max(0.0, (ends - datetime.now(UTC)).total_seconds() + 1))
    judged = cluster.admin.create(pod(namespace, {"name": "app"}), dry_run=True).expect_ok()

    assert asked_in_time, "the policy took so long to be in force that nothing was shown"
    assert resources_of(exempted) == {"app": {}}
    assert resources_of(judged) == {"app": FULL}


def test_an_object_that_is_being_deleted_is_never_held_back(cluster: Cluster) -> None:
    namespace = cluster.control_plane.namespace("admission")
    doomed = [deployment(namespace), pod(namespace, {"name": "app"})]
    for each in doomed:
        each["metadata"]["finalizers"] = ["plimsoll.dev/test"]
        cluster.admin.create(each).expect_ok()
    cluster.govern(namespace, REFUSE)
    assert cluster.admin.create(deployment(namespace), dry_run=True).status == 403

    for each in doomed:
        cluster.admin.delete(each).expect_ok()
        cluster.admin.patch(each, {"metadata": {"finalizers": []}}).expect_ok()
        gone = cluster.admin.read(each["apiVersion"], each["kind"], each["metadata"]["name"], namespace)
        assert gone.status == 404


def test_a_running_pod_that_breaks_the_policy_can_be_labelled_and_debugged(cluster: Cluster) -> None:
    namespace = cluster.control_plane.namespace("admission")
    running = pod(namespace, {"name": "app"})
    cluster.admin.create(running).expect_ok()
    cluster.govern(namespace, REFUSE)

    labelled = cluster.admin.patch(running, {"metadata": {"labels": {"touched": "yes"}}}).expect_ok()
    labelled["spec"]["ephemeralContainers"] = [{"name": "debugger", "image": "busybox:1"}]
    debugged = cluster.admin.update(labelled, subresource="ephemeralcontainers").expect_ok()

    assert [each["name"] for each in debugged["spec"]["ephemeralContainers"]] == ["debugger"]


def test_applying_the_same_deployment_again_changes_nothing(cluster: Cluster) -> None:
    namespace = cluster.governed({**APPLY, "templates": "Enforce"})
    wanted = deployment(namespace)

    versions = {cluster.admin.apply(wanted).expect_ok()["metadata"]["resourceVersion"] for _ in range(3)}

    assert len(versions) == 1


LIMIT_RANGES: list[Object] = [
    {},
    {"default": {"memory": "256Mi"}, "defaultRequest": {"memory": "128Mi"}},
    {"default": {"cpu": "500m"}, "defaultRequest": {"cpu": "100m"}},
    {"min": {"memory": "32Mi"}, "max": {"memory": "2Gi"}},
    {"max": {"cpu": "2"}, "default": {"cpu": "1"}, "defaultRequest": {"cpu": "200m"}},
    {"defaultRequest": {"memory": "64Mi"}, "maxLimitRequestRatio": {"memory": "8"}},
    {"type": "Pod", "max": {"memory": "3Gi"}},
    {"type": "Pod", "maxLimitRequestRatio": {"cpu": "10"}},
]
MEMORY = ("0", "1Mi", "32Mi", "64Mi", "100M", "128Mi", "256Mi", "512Mi", "1Gi", "1.5Gi", "4Gi")
CPU = ("0", "1m", "50m", "0.1", "250m", "1", "1500m", "4")
GPU = ("0", "1", "2")
PAGES = ("0", "2Mi", "4Mi", "64Mi")
RESOURCES: dict[str, tuple[str, ...]] = {
    "memory": MEMORY,
    "cpu": CPU,
    "ephemeral-storage": MEMORY,
    "nvidia.com/gpu": GPU,
    "hugepages-2Mi": PAGES,
}
ONE_FOR_BOTH = ("nvidia.com/gpu", "hugepages-2Mi")


def policies(chance: random.Random) -> Iterator[Object]:
    """Policies that fill in and clamp all they can; under Warn, so that nothing but others refuses a Pod."""
    most = {"memory": "1Gi", "cpu": "2", "nvidia.com/gpu": "1", "hugepages-2Mi": "4Mi"}
    ranges = {"min": {"memory": "32Mi"}, "max": most}
    for number in range(len(LIMIT_RANGES) * 3):
        rules: Object = {
            "required": {"requests": ["cpu", "memory"], "limits": ["memory"]},
            "default": {"memory": chance.choice(["64Mi", "256Mi", "1Gi"])},
            "defaultRequest": {"cpu": "50m", "memory": chance.choice(["32Mi", "64Mi"])},
        }
        if number % 2:
            rules |= ranges
        if chance.random() < 0.6:
            rules["outOfRange"] = "Clamp"
        if chance.random() < 0.3:
            rules["maxLimitRequestRatio"] = {"memory": "32"}
        if chance.random() < 0.3:
            rules["forbidden"] = {"limits": ["cpu"]}
        elif chance.random() < 0.5:
            rules["default"]["cpu"] = "1"
        for name, amount in (("nvidia.com/gpu", "1"), ("hugepages-2Mi", "4Mi"), ("ephemeral-storage", "1Gi")):
            if chance.random() < 0.3:
                rules["default"][name] = amount
        if chance.random() < 0.2:
            rules["forbidden"] = {"requests": ["cpu"]}
            rules["required"] = {"limits": ["memory"]}
            rules["defaultRequest"].pop("cpu")
            rules["default"].pop("cpu", None)
        spec: Object = {"mode": "Warn", "defaulting": "Apply", "containers": rules}
        if chance.random() < 0.2:
            rules["equal"] = ["memory"]
            rules["defaultRequest"]["memory"] = rules["default"]["memory"]
        elif chance.random() < 0.4:
            spec["initContainers"] = {"default": {"memory": "64Mi"}, "defaultRequest": {"memory": "32Mi"}}
        yield spec


def generated_pod(chance: random.Random, namespace: str, *, pod_level: bool) -> Object:
    made = pod(
        namespace,
        *({"name": f"app-{number}", **written(chance)} for number in range(chance.randint(1, 3))),
        init=tuple(
            {"name": f"init-{number}", **written(chance), **chance.choice([{}, {"restartPolicy": "Always"}])}
            for number in range(chance.randint(0, 2))
        ),
    )
    if pod_level and chance.random() < 0.2:
        name = chance.choice(["memory", "cpu"])
        made["spec"]["resources"] = {chance.choice(["limits", "requests"]): {name: RESOURCES[name][-1]}}
    return made


def written(chance: random.Random) -> Object:
    """Amounts as authors write them: mostly legal, requests mostly within limits."""
    resources: Object = {}
    for name, ladder in RESOURCES.items():
        low, high = sorted(chance.randrange(len(ladder)) for _ in range(2))
        often = 0.1 if name in ONE_FOR_BOTH else 0.3
        if chance.random() < often and name not in ONE_FOR_BOTH:
            resources.setdefault("requests", {})[name] = ladder[low]
        if chance.random() < often:
            resources.setdefault("limits", {})[name] = ladder[high]
    for side in ("requests", "limits"):
        if chance.random() < 0.1:
            resources.setdefault(side, {})
    return {"resources": resources} if resources or chance.random() < 0.5 else {}


def test_every_patch_makes_a_pod_that_the_api_server_takes(cluster: Cluster) -> None:
    """Of generated pods, those that the server takes by itself, beside LimitRanges of every kind."""
    chance = random.Random(SEED)
    pairs = []
    for number, spec in enumerate(policies(chance)):
        item = LIMIT_RANGES[number % len(LIMIT_RANGES)]
        free, governed = (cluster.control_plane.namespace("generated") for _ in range(2))
        for namespace in (free, governed):
            if item:
                cluster.admin.create(limit_range(namespace, item)).expect_ok()
        pairs.append((free, governed, spec, item))
    for _, governed, spec, item in pairs:
        cluster.write(governed, spec, *([limit_range(governed, item)] if item else []))
    cluster.wait_for({governed for _, governed, _, _ in pairs})

    taken = patched = 0
    for _ in range(PODS):
        free, governed, spec, item = chance.choice(pairs)
        asked = generated_pod(chance, free, pod_level=cluster.control_plane.minor >= (1, 34))
        alone = cluster.admin.create(asked, dry_run=True)
        if not alone.ok:
            continue
        with_us = copy.deepcopy(asked)
        with_us["metadata"]["namespace"] = governed
        reply = cluster.admin.create(with_us, dry_run=True)
        assert reply.ok, f"{reply.message}\n{json.dumps(asked)}\n{json.dumps(spec)}\n{json.dumps(item)}"
        taken += 1
        patched += all_amounts(reply.body) != all_amounts(alone.body)

    assert taken > PODS / 4
    assert patched > taken / 2
