"""What no single case can show of a running `plimsoll serve` behind a real API server.

Other webhooks beside ours, time that passes, objects that change and go away.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cases.case import Object, containers
from tests.control_plane.certificates import issue
from tests.control_plane.control_plane import ControlPlane
from tests.control_plane.governed import RELOAD_SECONDS, Cluster, document, governing, pod
from tests.control_plane.tiny_webhook import TinyWebhook, allow, json_patch
from tests.control_plane.webhooks import calls

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


@pytest.fixture(scope="module")
def cluster(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with governing(control_plane, tmp_path_factory.mktemp("governed")) as running:
        yield running


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
