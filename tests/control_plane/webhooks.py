"""Registers an admission webhook with the API server as Plimsoll asks to be registered, and waits until it is in force.

The rules and conditions stand here once for all tests. What answers at the URL is not this module's business: it
may be `plimsoll serve`, or a few lines of a test.
"""

import re
import time
from dataclasses import dataclass
from typing import Any

from tests.control_plane.api import Object
from tests.control_plane.control_plane import ControlPlane

MUTATING_NAME = "zz-plimsoll"  # mutating configurations are called in the order of their names: ours wants to be last
VALIDATING_NAME = "plimsoll"
IN_FORCE_SECONDS = 60.0

PODS: Object = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
RESIZE: Object = {"operations": ["UPDATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods/resize"]}
TEMPLATES: list[Object] = [
    {"operations": ["CREATE", "UPDATE"], "apiGroups": [group], "apiVersions": ["v1"], "resources": resources}
    for group, resources in (
        ("", ["replicationcontrollers", "podtemplates"]),
        ("apps", ["deployments", "statefulsets", "daemonsets", "replicasets"]),
        ("batch", ["jobs", "cronjobs"]),
    )
]

# An object on its way out must never be held back; what a controller writes for its owner was judged on the owner.
MATCH_CONDITIONS: list[Object] = [
    {
        "name": "not-being-deleted",
        "expression": 'request.operation != "UPDATE" || !has(object.metadata.deletionTimestamp)',
    },
    {
        "name": "not-made-by-a-controller-for-its-owner",
        "expression": (
            '!(request.resource.resource in ["replicasets", "jobs"]'
            " && has(object.metadata.ownerReferences) && size(object.metadata.ownerReferences) > 0"
            ' && (request.userInfo.username == "system:kube-controller-manager"'
            ' || (request.userInfo.username.startsWith("system:serviceaccount:kube-system:")'
            ' && request.userInfo.username.endsWith("-controller"))))'
        ),
    },
]


@dataclass(frozen=True)
class Registration:
    """Where the API server finds the webhook and how it treats it.

    `url` is the server's base ("https://127.0.0.1:8443"); `/mutate` and `/validate` are added to it. An empty
    `mutate` or `validate` path leaves that configuration out.
    """

    url: str
    ca_bundle: str
    """PEM, base64 encoded as the API wants it."""
    failure_policy: str = "Fail"
    timeout_seconds: int = 10
    mutate: str = "/mutate"
    validate: str = "/validate"

    def configurations(self) -> list[Object]:
        """The objects to create, mutating first."""
        wanted = []
        if self.mutate:
            pods = self._webhook("mutate.plimsoll.dev", self.mutate, [PODS])
            pods["reinvocationPolicy"] = "IfNeeded"
            wanted.append(_configuration("MutatingWebhookConfiguration", MUTATING_NAME, pods))
        if self.validate:
            everything = self._webhook("validate.plimsoll.dev", self.validate, [PODS, RESIZE, *TEMPLATES])
            wanted.append(_configuration("ValidatingWebhookConfiguration", VALIDATING_NAME, everything))
        return wanted

    def _webhook(self, name: str, path: str, rules: list[Object]) -> dict[str, Any]:
        return {
            "name": name,
            "admissionReviewVersions": ["v1"],
            "clientConfig": {"url": self.url + path, "caBundle": self.ca_bundle},
            "rules": [{**rule, "scope": "Namespaced"} for rule in rules],
            "matchPolicy": "Equivalent",
            "sideEffects": "None",
            "failurePolicy": self.failure_policy,
            "timeoutSeconds": self.timeout_seconds,
            "matchConditions": MATCH_CONDITIONS,
        }


def register(cluster: ControlPlane, registration: Registration) -> None:
    """Create the configurations (or replace earlier ones), and return when the API server calls the webhook.

    A canary shows it: a Pod is created with dryRun until the server's own metrics count a call to every webhook.
    AssertionError when that has not happened after a minute.
    """
    wanted = registration.configurations()
    for configuration in wanted:
        cluster.admin.apply(configuration).expect_ok()
    names = [webhook["name"] for configuration in wanted for webhook in configuration["webhooks"]]
    canary = _canary(cluster.namespace("canary"))
    before = {name: calls(cluster, name) for name in names}
    deadline = time.monotonic() + IN_FORCE_SECONDS
    while time.monotonic() < deadline:
        reply = cluster.admin.create(canary, dry_run=True)
        called = [calls(cluster, name) > before[name] for name in names]
        # What the first webhook refuses never reaches the second: such a registration is in force all the same.
        if all(called) or (called[0] and not reply.ok):
            return
        time.sleep(0.1)
    raise AssertionError(f"the webhook at {registration.url} is not in force; the canary's last answer: {reply}")


def unregister(cluster: ControlPlane) -> None:
    """Delete both configurations and return when the API server calls neither any more."""
    names = []
    for kind, name in (
        ("MutatingWebhookConfiguration", MUTATING_NAME),
        ("ValidatingWebhookConfiguration", VALIDATING_NAME),
    ):
        found = cluster.admin.read("admissionregistration.k8s.io/v1", kind, name)
        if found.ok:
            names += [webhook["name"] for webhook in found.body["webhooks"]]
            cluster.admin.delete(_configuration(kind, name)).expect_ok()
    canary = _canary(cluster.namespace("canary"))
    deadline = time.monotonic() + IN_FORCE_SECONDS
    while time.monotonic() < deadline:
        before = [calls(cluster, name) for name in names]
        cluster.admin.create(canary, dry_run=True)
        if before == [calls(cluster, name) for name in names]:
            return
        time.sleep(0.1)
    raise AssertionError("the webhooks are still called a minute after their configurations were deleted")


def calls(cluster: ControlPlane, webhook: str) -> int:
    """How often the API server has called the webhook of this name, by the server's own metrics."""
    text = cluster.admin.text("/metrics")
    pattern = rf'^apiserver_admission_webhook_request_total\{{[^}}]*name="{re.escape(webhook)}"[^}}]*\}} (\S+)$'
    return int(sum(float(count) for count in re.findall(pattern, text, re.MULTILINE)))


def _configuration(kind: str, name: str, *webhooks: Object) -> Object:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
        "webhooks": list(webhooks),
    }


def _canary(namespace: str) -> Object:
    amounts = {"cpu": "10m", "memory": "64Mi"}
    container = {"name": "canary", "image": "canary", "resources": {"requests": amounts, "limits": amounts}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "canary", "namespace": namespace},
        "spec": {"containers": [container]},
    }
